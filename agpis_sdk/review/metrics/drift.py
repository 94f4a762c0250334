"""Whether what comes in is still like what came in before, or like what the models learned from: scores side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from agpis_sdk.records import Outcome

ALARMING = 0.01
"""p-value below which a difference is called drift."""
FEWEST, KEPT = 20, 500


@dataclass(frozen=True)
class Drift:
    """A score before and now: medians, and the two-sample Kolmogorov-Smirnov statistic with its p-value."""

    score: str
    before: float
    now: float
    statistic: float
    p_value: float

    @property
    def drifts(self) -> bool:
        """Whether chance hardly explains the difference."""
        return self.p_value < ALARMING


def scores_of(outcomes: Sequence[Outcome]) -> dict[str, NDArray[np.float64]]:
    """Return the scores of outcomes by name: p^t of products, the others of images."""
    images = [image for outcome in outcomes for image in outcome.images]
    named: dict[str, list[float | None]] = {
        "p^t": [outcome.probability for outcome in outcomes],
        "p_primary": [image.p_primary for image in images],
        "p_nc": [image.p_noncompliant for image in images],
        "p_view": [image.p_view for image in images],
        "images a product": [float(len(outcome.images)) for outcome in outcomes],
        "findings a product": [float(len(outcome.findings)) for outcome in outcomes],
    }
    return {
        name: np.array([one for one in values if one is not None], dtype=np.float64) for name, values in named.items()
    }


def reference_of(scores: Mapping[str, NDArray[np.float64]]) -> dict[str, list[float]]:
    """Return scores as short lists for a file: at most `KEPT` quantiles of each, which say all that a comparison needs."""
    return {
        name: [round(float(one), 5) for one in np.quantile(values, np.linspace(0, 1, min(len(values), KEPT)))]
        for name, values in scores.items()
        if len(values)
    }


def drift(before: Mapping[str, NDArray[np.float64]], now: Mapping[str, NDArray[np.float64]]) -> list[Drift]:
    """Return the drift of each score that is known often enough before and now."""
    found = []
    for name, values in now.items():
        earlier = before.get(name, np.empty(0))
        if min(len(values), len(earlier)) >= FEWEST:
            test = ks_2samp(earlier, values)
            found.append(
                Drift(
                    name, float(np.median(earlier)), float(np.median(values)), float(test.statistic), float(test.pvalue)
                )
            )
    return found
