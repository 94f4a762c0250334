"""A limit on how long a call may take: an alarm signal raises in the middle of it.

It reaches Python code and calls that wait; machine code that never returns to Python is not reached. Without alarm
signals, that is on Windows or outside the main thread, only those keep the limit who ask for the time that is left.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from types import FrameType

# A component that catches everything would survive one alarm.
REPEATED_AFTER = 1.0

_end: ContextVar[tuple[float, float] | None] = ContextVar("_end", default=None)  # monotonic time, and the limit


class TimeLimitExceededError(BaseException):
    """A call took too long; no Exception, so that `except Exception` in a component does not stop it."""


def time_left() -> float | None:
    """Return the seconds that are left of the limit that holds here, None where there is none.

    Raises `TimeLimitExceededError` where none is left.
    """
    end = _end.get()
    if end is None:
        return None
    left = end[0] - time.monotonic()
    if left <= 0:
        raise TimeLimitExceededError(_in_words(end[1]))
    return left


@contextlib.contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise `TimeLimitExceededError` in the caller's block once it has taken longer; None sets no limit."""
    if seconds is None:
        yield
        return
    before, now = _end.get(), (time.monotonic() + seconds, seconds)
    token = _end.set(now if before is None else min(before, now))
    try:
        with _alarm(seconds) if _available() else contextlib.nullcontext():
            yield
    finally:
        _end.reset(token)


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    # The block may still run, a moment too long, when it ends by itself: an alarm then is of no interest.
    active = True

    def ring(number: int, frame: FrameType | None) -> None:
        del number, frame
        if active:
            raise TimeLimitExceededError(_in_words(seconds))

    started = time.monotonic()
    before = signal.signal(signal.SIGALRM, ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, REPEATED_AFTER)
    try:
        yield
    finally:
        active = False
        rest = max(left - (time.monotonic() - started), 0.001) if left else 0.0
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, rest, interval)


def _in_words(seconds: float) -> str:
    return f"took longer than {seconds:g} s"


def _available() -> bool:
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
