"""The report on a sequence model: metrics with intervals, calibration curve, confusion matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DIGITS = 4


@dataclass(frozen=True)
class Estimate:
    """A metric in 0..1 with its 95 % interval.

    `reviews` counts those that it is computed on: for an AUC the rejected ones, each compared with all qualified ones.
    `missing` says why the value, or else its interval, could not be computed.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reviews: int = 0
    missing: str = ""


@dataclass(frozen=True)
class ReliabilityBin:
    """A bin of the calibration curve: the reviews with p^t in `start`..`end`, their mean p^t and share qualified (None if empty)."""

    start: float
    end: float
    reviews: int
    mean_probability: float | None
    share_qualified: float | None


@dataclass(frozen=True)
class Confusion:
    """Counts of reviews by class (row) and most likely class (column), over the `classes` that occur."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class SequenceReport:
    """Everything that `evaluate` computes (paper section 4.1, calibration, feedback).

    `metrics` by name are the headline, `rules` the AUC of each class of rejected reviews that occurs, by code;
    `unseen_rules` are those that no review violates.
    """

    reviews: int
    qualified: int
    products: int
    resamples: int
    metrics: Mapping[str, Estimate]
    rules: Mapping[str, Estimate]
    unseen_rules: tuple[str, ...]
    reliability: tuple[ReliabilityBin, ...]
    confusion: Confusion

    @property
    def rejected(self) -> int:
        """How many reviews rejected their sequence."""
        return self.reviews - self.qualified

    @property
    def missing(self) -> dict[str, str]:
        """Why a metric or its interval could not be computed, by the metric's name or the rule's code."""
        return {name: estimate.missing for name, estimate in {**self.metrics, **self.rules}.items() if estimate.missing}

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values: metrics by name, with intervals, rules and the rest beside them."""
        return {
            "reviews": self.reviews,
            "qualified": self.qualified,
            "rejected": self.rejected,
            "products": self.products,
            "resamples": self.resamples,
            **{name: _rounded(estimate.value) for name, estimate in self.metrics.items()},
            "intervals": {name: _interval(estimate) for name, estimate in self.metrics.items()},
            "measured_on": {name: estimate.reviews for name, estimate in self.metrics.items()},
            "rules": {
                code: {"auc": _rounded(estimate.value), "interval": _interval(estimate), "reviews": estimate.reviews}
                for code, estimate in self.rules.items()
            },
            "unseen_rules": list(self.unseen_rules),
            "missing": self.missing,
            "reliability": [
                {
                    "from": _rounded(part.start),
                    "to": _rounded(part.end),
                    "reviews": part.reviews,
                    "mean_probability": _rounded(part.mean_probability),
                    "share_qualified": _rounded(part.share_qualified),
                }
                for part in self.reliability
            ],
            "confusion": {
                "classes": list(self.confusion.classes),
                "counts": [list(row) for row in self.confusion.counts],
            },
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _interval(estimate: Estimate) -> list[float] | None:
    return (
        None
        if estimate.low is None or estimate.high is None
        else [round(estimate.low, DIGITS), round(estimate.high, DIGITS)]
    )
