"""Reject rates with their intervals: of all decisions, and over time, versions, categories, sellers and rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from scipy.stats import binomtest, fisher_exact

from agpis_sdk.review.store.decisions import Judged

REFUSALS = ("rejected", "corrected")
"""Verdicts under which the proposed sequence was not accepted as it was."""


@dataclass(frozen=True)
class Reviewed:
    """One judgment of a proposed sequence, flat; `probability` is p^t."""

    item_id: int
    reviewer: str
    decided_at: datetime
    refused: bool
    rules: tuple[str, ...]
    probability: float | None
    audit: bool
    category: str
    seller: str
    model_version: str
    config_version: str

    @property
    def week(self) -> str:
        """The Monday of the week."""
        return (self.decided_at - timedelta(days=self.decided_at.weekday())).strftime("%Y-%m-%d")


@dataclass(frozen=True)
class Rate:
    """A reject rate: `refused` of `reviewed`, and the 95 % Wilson interval; None where nothing was reviewed."""

    name: str
    refused: int
    reviewed: int
    low: float | None
    high: float | None

    @property
    def value(self) -> float | None:
        """The reject rate, 0..1."""
        return self.refused / self.reviewed if self.reviewed else None


@dataclass(frozen=True)
class Comparison:
    """Two reject rates side by side: the difference of the second from the first, and Fisher's exact p-value."""

    first: Rate
    second: Rate
    p_value: float

    @property
    def statement(self) -> str:
        """What the difference means, in words."""
        if not self.first.reviewed or not self.second.reviewed:
            return "One of the two has no reviews yet."
        if self.p_value >= 0.05:
            return f"No difference can be told yet (p = {self.p_value:.2f}, Fisher's exact test)."
        better = self.second if (self.second.value or 0) < (self.first.value or 0) else self.first
        return f"{better.name} is refused less often (p = {self.p_value:.2g}, Fisher's exact test)."


def reviewed(judgments: Iterable[Judged]) -> list[Reviewed]:
    """Return the judgments of proposed sequences; those where none was proposed say nothing about a reject rate."""
    return [
        Reviewed(
            item_id=one.item.id,
            reviewer=one.reviewer,
            decided_at=one.decision.decided_at,
            refused=one.decision.verdict in REFUSALS,
            rules=tuple(one.decision.rules),
            probability=one.item.probability,
            audit=one.item.audit,
            category=one.item.category,
            seller=one.item.seller,
            model_version=one.decision.model_version,
            config_version=one.decision.config_version,
        )
        for one in judgments
        if one.item.status in ("submit", "hold") and one.decision.verdict != "unusable"
    ]


def rate(name: str, refused: int, count: int) -> Rate:
    """Return a rate with its interval.

    >>> one = rate("all", 3, 10)
    >>> one.value, round(one.low, 3), round(one.high, 3)
    (0.3, 0.108, 0.603)
    """
    if not count:
        return Rate(name, 0, 0, None, None)
    interval = binomtest(refused, count).proportion_ci(method="wilson")
    return Rate(name, refused, count, float(interval.low), float(interval.high))


def rates_by(rows: Sequence[Reviewed], key: Callable[[Reviewed], str]) -> list[Rate]:
    """Return the reject rate of each group, by name."""
    groups: dict[str, list[bool]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row.refused)
    return [rate(name, sum(group), len(group)) for name, group in sorted(groups.items())]


def rates_by_rule(rows: Sequence[Reviewed]) -> list[Rate]:
    """Return how often each rule was the reason, of all reviews; the most frequent first."""
    codes = [code for row in rows if row.refused for code in dict.fromkeys(row.rules)]
    counted = {code: codes.count(code) for code in dict.fromkeys(codes)}
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [rate(code, count, len(rows)) for code, count in ordered]


def compare(first: Rate, second: Rate) -> Comparison:
    """Return whether two reject rates differ (Fisher's exact test, two-sided)."""
    table = np.array([[one.refused, one.reviewed - one.refused] for one in (first, second)])
    return Comparison(first, second, float(fisher_exact(table).pvalue))
