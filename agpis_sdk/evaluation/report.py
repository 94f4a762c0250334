"""What measuring a sequence model found: figures with intervals, calibration, confusion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DIGITS = 4


@dataclass(frozen=True)
class Figure:
    """One figure in 0..1 with its 95 % interval.

    `reviews` counts those that it is about: for an AUC the rejected ones, each compared with all qualified ones.
    `missing` says why the value, or else its interval, could not be computed.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reviews: int = 0
    missing: str = ""


@dataclass(frozen=True)
class ReliabilityBin:
    """The reviews whose p^t lies in `start`..`end`: how many, their mean p^t and share qualified (None for none)."""

    start: float
    end: float
    reviews: int
    mean_probability: float | None
    share_qualified: float | None


@dataclass(frozen=True)
class Confusion:
    """How many reviews of each class (row) the model takes for which class (column), over `classes` that occur."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class SequenceReport:
    """All that was measured (paper section 4.1, calibration, feedback).

    `figures` by name are the headline, `rules` the AUC of each class of rejected reviews that occurs, by code;
    `unseen_rules` are those that no review violates.
    """

    reviews: int
    qualified: int
    products: int
    resamples: int
    figures: Mapping[str, Figure]
    rules: Mapping[str, Figure]
    unseen_rules: tuple[str, ...]
    reliability: tuple[ReliabilityBin, ...]
    confusion: Confusion

    @property
    def rejected(self) -> int:
        """How many reviews rejected their sequence."""
        return self.reviews - self.qualified

    @property
    def missing(self) -> dict[str, str]:
        """Why a figure or its interval could not be computed, by the figure's name or the rule's code."""
        return {name: figure.missing for name, figure in {**self.figures, **self.rules}.items() if figure.missing}

    def as_dict(self) -> dict[str, Any]:
        """Return everything ready for JSON: figures by name, beside them intervals, rules and the rest."""
        return {
            "reviews": self.reviews,
            "qualified": self.qualified,
            "rejected": self.rejected,
            "products": self.products,
            "resamples": self.resamples,
            **{name: _rounded(figure.value) for name, figure in self.figures.items()},
            "intervals": {name: _interval(figure) for name, figure in self.figures.items()},
            "measured_on": {name: figure.reviews for name, figure in self.figures.items()},
            "rules": {
                code: {"auc": _rounded(figure.value), "interval": _interval(figure), "reviews": figure.reviews}
                for code, figure in self.rules.items()
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


def _interval(figure: Figure) -> list[float] | None:
    return (
        None if figure.low is None or figure.high is None else [round(figure.low, DIGITS), round(figure.high, DIGITS)]
    )
