"""SIGINT and SIGTERM: the first is noted, so that the micro-batch in flight is finished; the next one ends at once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Whether a signal has asked a run to end.

    While it listens, a KeyboardInterrupt without a second signal can only come from a component, which the guard blames.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self.at_once = False

    @property
    def exit_code(self) -> int:
        """The exit code by which shells know a process that a signal ended: 130 or 143."""
        return 128 + self.signal if self.signal is not None else 0

    @contextlib.contextmanager
    def listening(self) -> Iterator[Interruption]:
        """Take in signals; outside the main thread nothing can be taken in, and signals do what they always did."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {number: signal.signal(number, self._take_in) for number in SIGNALS}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _take_in(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.signal is not None:
            self.at_once = True
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)
        # Not through sys.stderr: a handler may run in the middle of another write to it.
        with contextlib.suppress(OSError):
            os.write(2, b"agpis: finishing the products in flight; once more to stop at once\n")
