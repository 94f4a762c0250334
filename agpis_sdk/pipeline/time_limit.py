"""A limit on how long a call may take: an alarm signal raises in the middle of it.

It reaches Python code and calls that wait; machine code that never returns to Python is not reached. Without alarm
signals, that is on Windows or outside the main thread, there is no limit.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

# A component that catches everything would survive one alarm.
REPEATED_AFTER = 1.0


class TimeLimitExceededError(BaseException):
    """A call took too long; no Exception, so that `except Exception` in a component does not stop it."""


@contextlib.contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise `TimeLimitExceededError` in the caller's block once it has taken longer; None sets no limit."""
    if seconds is None or not _available():
        yield
        return
    # The block may still run, a moment too long, when it ends by itself: an alarm then is of no interest.
    active = True

    def ring(number: int, frame: FrameType | None) -> None:
        del number, frame
        if active:
            raise TimeLimitExceededError(f"took longer than {seconds:g} s")

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


def _available() -> bool:
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
