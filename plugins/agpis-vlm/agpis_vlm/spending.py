"""The books of a run: what was asked, what it cost, and when no more is asked.

One object serves the process: the components of a run share one budget, and the engine makes each of them on its own.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from agpis_sdk.wording import counted
from agpis_vlm.config import VlmConfig


@dataclass(frozen=True)
class Usage:
    """Tokens that a request has cost, or may cost at most."""

    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def tokens(self) -> int:
        """All tokens."""
        return self.input_tokens + self.output_tokens


NOTHING = Usage()


class Spending:
    """Counts requests, tokens and money; a request is reserved at its most and settled at what it cost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.begin()

    def begin(self) -> None:
        """Begin anew: nothing is spent."""
        with self._lock:
            self.calls = self.tokens = self.cached = self.planned = 0
            self.cost = 0.0
            self.spent = self.broken = ""
            self._failures = 0

    @property
    def stopped(self) -> str:
        """Why no more is asked: the endpoint fails, or the budget is spent; "" where asking goes on."""
        return self.broken or self.spent

    def reserve(self, most: Usage, settings: VlmConfig) -> str:
        """Take a request into the books at its most; return why it must not be asked, "" where it may."""
        with self._lock:
            self.spent = self.spent or self._exceeded(most, settings)
            if not self.stopped:
                self._add(1, most, settings, sign=1)
            return self.stopped

    def release(self, most: Usage, settings: VlmConfig) -> None:
        """Take a request that was reserved and then not asked out of the books."""
        with self._lock:
            self._add(-1, most, settings, sign=-1)

    def settle(self, most: Usage, used: Usage, settings: VlmConfig) -> None:
        """Put what a request cost in the place of what was reserved for it."""
        with self._lock:
            self._add(0, most, settings, sign=-1)
            self._add(0, used, settings, sign=1)
            self._failures = 0

    def fail(self, most: Usage, settings: VlmConfig, reason: str, *, billed: bool, for_good: bool) -> None:
        """Count a request without an answer; after too many in a row, or one that fails for good, no more is asked.

        What was reserved stays in the books where the server may have worked for it, as before a time-out.
        """
        with self._lock:
            if not billed:
                self._add(0, most, settings, sign=-1)
            self._failures += 1
            if not self.broken and for_good:
                self.broken = f"no more is asked: {reason}"
            elif not self.broken and self._failures >= settings.max_failures:
                self.broken = f"no more is asked after {self._failures} failed requests in a row, the last: {reason}"

    def plan(self, most: Usage, settings: VlmConfig) -> None:
        """Count a request of a dry run."""
        with self._lock:
            self.planned += 1
            self._add(0, most, settings, sign=1)

    def count_cached(self) -> None:
        """Count an answer that was read from the cache."""
        with self._lock:
            self.cached += 1

    def lines(self) -> list[str]:
        """Return for people what was spent, and why asking stopped if it did."""
        money = f", {self.cost:.4f} in the currency of the prices" if self.cost else ""
        lines = []
        if self.planned:
            lines.append(
                f"dry run: {counted(self.planned, 'request')} with at most {counted(self.tokens, 'token')}{money}; "
                f"{counted(self.cached, 'answer')} from the cache"
            )
        elif self.calls or self.cached:
            lines.append(
                f"{counted(self.calls, 'request')}, {counted(self.tokens, 'token')}{money}; "
                f"{counted(self.cached, 'answer')} from the cache"
            )
        return [*lines, self.stopped] if self.stopped else lines

    def _exceeded(self, most: Usage, settings: VlmConfig) -> str:
        """Return which limit of the budget one more request would exceed."""
        limits = (
            ("max_calls", self.calls + 1 > settings.max_calls, settings.max_calls),
            ("max_tokens", 0 < settings.max_tokens < self.tokens + most.tokens, settings.max_tokens),
            (
                "max_cost",
                0 < settings.max_cost < self.cost + settings.cost(most.input_tokens, most.output_tokens),
                settings.max_cost,
            ),
        )
        for name, exceeded, limit in limits:
            if exceeded:
                return f"the budget is spent: components.vlm.{name} = {limit:g}"
        return ""

    def _add(self, calls: int, usage: Usage, settings: VlmConfig, *, sign: int) -> None:
        self.calls += calls
        self.tokens += sign * usage.tokens
        self.cost += sign * settings.cost(usage.input_tokens, usage.output_tokens)


SPENDING = Spending()
