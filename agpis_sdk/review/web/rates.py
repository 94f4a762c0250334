"""How often something may be done: a sliding window per key, in memory."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

MAX_KEYS = 10_000


@dataclass
class RateLimit:
    """At most `count` times in `seconds` for each key.

    >>> limit = RateLimit(count=2, seconds=60)
    >>> [limit.allows("ann", at) for at in (0.0, 1.0, 2.0, 60.5)]
    [True, True, False, True]
    """

    count: int
    seconds: float
    _times: dict[str, deque[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allows(self, key: str, now: float) -> bool:
        """Count one more time, unless there have been too many."""
        with self._lock:
            if len(self._times) > MAX_KEYS:
                self._forget(now)
            times = self._times.setdefault(key, deque())
            while times and times[0] <= now - self.seconds:
                times.popleft()
            if len(times) >= self.count:
                return False
            times.append(now)
            return True

    def _forget(self, now: float) -> None:
        self._times = {key: times for key, times in self._times.items() if times and times[-1] > now - self.seconds}
