"""Which threshold th^t gives a wanted reject rate, or fits what reviewers can do: read off p^t, calibrated on decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from agpis_sdk.review.metrics.rates import Reviewed

THRESHOLDS = np.round(np.arange(0.0, 1.0, 0.05), 2)
RESAMPLES = 200
FEWEST = 20
"""Decisions, and refusals or acceptances among them, below which nothing is advised."""
FEWEST_OF_A_KIND = 5


@dataclass(frozen=True)
class ThresholdRow:
    """What a threshold would do: products submitted, and the expected reject rate with its 95 % interval."""

    threshold: float
    submitted: int
    reject_rate: float
    low: float
    high: float


def threshold_rows(
    rows: Sequence[Reviewed], probabilities: NDArray[np.float64], weights: NDArray[np.float64], *, seed: int = 0
) -> list[ThresholdRow]:
    """Return what each threshold would do to products with p^t (n,), each standing for `weights` (n,) products.

    The chance of a refusal given p^t is a logistic regression on the log odds of p^t (Platt, 1999), fitted on the
    decisions; the interval is a bootstrap over them. Nothing is returned where decisions are too few to fit.
    """
    known = [row for row in rows if row.probability is not None]
    p = np.array([row.probability for row in known], dtype=np.float64)
    refused = np.array([row.refused for row in known], dtype=bool)
    if len(known) < FEWEST or min(refused.sum(), (~refused).sum()) < FEWEST_OF_A_KIND or not len(probabilities):
        return []
    generator = np.random.default_rng(seed)
    draws = [_expected(p, refused, probabilities)]
    for _ in range(RESAMPLES):
        chosen = generator.integers(0, len(p), len(p))
        if len(set(refused[chosen].tolist())) == 2:
            draws.append(_expected(p[chosen], refused[chosen], probabilities))
    found = []
    for threshold in THRESHOLDS:
        inside = (probabilities >= threshold) * weights
        if not inside.sum():
            break
        rates = np.array([float((draw * inside).sum() / inside.sum()) for draw in draws])
        low, high = np.quantile(rates[1:], [0.025, 0.975])
        found.append(ThresholdRow(float(threshold), round(inside.sum()), float(rates[0]), float(low), float(high)))
    return found


def for_reject_rate(rows: Sequence[ThresholdRow], wanted: float) -> ThresholdRow | None:
    """Return the lowest threshold whose expected reject rate is at most the wanted one; None where there is none."""
    return next((row for row in rows if row.reject_rate <= wanted), None)


def for_budget(rows: Sequence[ThresholdRow], reviews: int) -> ThresholdRow | None:
    """Return the lowest threshold that submits no more products than reviewers can judge; None where there is none."""
    return next((row for row in rows if row.submitted <= reviews), None)


def _expected(p: NDArray[np.float64], refused: NDArray[np.bool_], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the chance of a refusal (n,) at p^t (n,), learned from decisions (m,)."""
    fitted = LogisticRegression(C=10.0).fit(_log_odds(p)[:, None], refused)
    return np.asarray(expit(_log_odds(at) * fitted.coef_[0, 0] + fitted.intercept_[0]))


def _log_odds(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(logit(np.clip(p, 0.005, 0.995)))
