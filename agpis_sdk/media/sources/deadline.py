"""One deadline for a whole fetch, whatever waits in between: name look-ups, connections, retries, slow bodies."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from agpis_sdk.errors import ImageReadError

Result = TypeVar("Result")


class DeadlineError(Exception):
    """The time for a fetch is over."""


def too_late(timeout: float, item: str) -> ImageReadError:
    """Return the error of an image that did not arrive within `media.timeout` seconds."""
    return ImageReadError(
        f"has not arrived whole within media.timeout = {timeout:g} s", item=item, remedy="try again later, or raise it"
    )


@dataclass(frozen=True)
class Deadline:
    """A point of `time.monotonic()`."""

    end: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline so many seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Return the seconds that are left, more than 0; raise `DeadlineError` where none are."""
        seconds = self.end - time.monotonic()
        if seconds <= 0:
            raise DeadlineError
        return seconds

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Make this the deadline of every network operation of the current thread."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    @staticmethod
    def current() -> Deadline:
        """Return the deadline that is kept in the current thread."""
        return _CURRENT.get()

    def run(self, function: Callable[[], Result]) -> Result:
        """Call a function that knows no time limit of its own in a thread, which is left behind when time is over."""
        results: list[Result] = []
        errors: list[BaseException] = []

        def call() -> None:
            try:
                results.append(function())
            except BaseException as error:  # handed to the caller
                errors.append(error)

        thread = threading.Thread(target=call, name="agpis-fetch", daemon=True)
        thread.start()
        thread.join(self.remaining())
        if errors:
            raise errors[0]
        if not results:
            raise DeadlineError
        return results[0]


_CURRENT: ContextVar[Deadline] = ContextVar("agpis_deadline")
