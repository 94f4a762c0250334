"""Weighted metrics over many bootstrap draws at once, and their confidence intervals.

A bootstrap draw of products is a row of weights: how often each review was drawn. A row of ones is the data itself, so
one definition of a metric serves the estimate and its interval. Scikit-learn computes the same from `sample_weight`, one
draw at a time, and tests hold every metric against it; a report on 3,000 reviews with 500 draws takes 0.3 s here, 53 s there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Values = NDArray[np.float64]

CELLS = 2_000_000
"""How many weights are in memory at once."""
BINS = 10


def bootstrap_weights(products: NDArray[np.str_], resamples: int, seed: int) -> Iterator[Values]:
    """Yield blocks of bootstrap weights (R', n): whole products drawn with replacement, as many as there are.

    `products` (n,) holds the product of each review; all reviews of a product share its weight.

    >>> [weights] = bootstrap_weights(np.array(["a", "b", "a"]), resamples=2, seed=1)
    >>> weights.tolist()
    [[1.0, 1.0, 1.0], [2.0, 0.0, 2.0]]
    """
    names, place = np.unique(products, return_inverse=True)
    if not len(names):
        return
    generator = np.random.default_rng(seed)
    chances = np.full(len(names), 1 / len(names))
    rows = max(1, CELLS // len(products))
    for start in range(0, resamples, rows):
        counts = generator.multinomial(len(names), chances, size=min(rows, resamples - start))  # (R', products)
        yield counts[:, place].astype(np.float64)


def confidence_interval(values: Values, confidence: float = 0.95) -> tuple[float, float] | None:
    """Return the percentile interval of resampled values (R,), NaN left out; None where all are NaN.

    >>> confidence_interval(np.array([0.5, np.nan, 0.5]))
    (0.5, 0.5)
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


@dataclass(frozen=True, eq=False)
class WeightedMetrics:
    """Metrics of n reviews under R weightings: `weights` (R, n), `qualified` (n,), `scores` (n,) in 0..1.

    Every metric returns (R,) values, NaN where a weighting leaves out what the metric needs.

    >>> qualified = np.array([True, True, False, False])
    >>> metrics = WeightedMetrics.unweighted(qualified, np.array([0.9, 0.4, 0.6, 0.1]))
    >>> metrics.area_under_roc(~qualified)
    array([0.75])
    >>> metrics.recall_at_precision(0.8)
    array([0.5])
    >>> metrics.calibration_error(bins=2)
    array([0.25])
    >>> metrics.brier_score()
    array([0.185])
    >>> metrics.share(hits=np.array([True, False, False, False]), among=qualified)
    array([0.5])
    """

    weights: Values
    qualified: Mask
    scores: Values

    @classmethod
    def unweighted(cls, qualified: Mask, scores: Values) -> WeightedMetrics:
        """Return the metrics of the reviews themselves: one weighting that counts each once."""
        return cls(np.ones((1, len(scores))), qualified, scores)

    def area_under_roc(self, rejected: Mask) -> Values:
        """Return the ROC AUC: the share of pairs, one qualified and one of `rejected` (n,), that the scores rank right."""
        chosen = self.weights[:, rejected]
        won = np.einsum("rn,rn->r", chosen, self._qualified_above[:, rejected])
        return _ratio(won, self._total(self.qualified) * chosen.sum(1))

    def recall_at_precision(self, precision: float) -> Values:
        """Return the greatest recall of qualified reviews at thresholds of at least this precision, 0 where none is."""
        accepted, mistaken = self._sums_from_the_top
        reached = np.where(_ratio(accepted, accepted + mistaken) >= precision, accepted, 0.0)
        return _ratio(reached.max(1, initial=0.0), self._total(self.qualified))

    def calibration_error(self, bins: int = BINS) -> Values:
        """Return the expected calibration error (ECE): the mean gap of score and share qualified over equal-width bins."""
        members = bin_of(self.scores, bins)[:, None] == np.arange(bins)  # (n, bins)
        excess = self.weights @ ((self.scores - self.qualified)[:, None] * members)  # (R, bins)
        return _ratio(np.abs(excess).sum(1), self.weights.sum(1))

    def brier_score(self) -> Values:
        """Return the Brier score: the mean squared gap between score and decision."""
        return _ratio(self.weights @ (self.scores - self.qualified) ** 2, self.weights.sum(1))

    def share(self, hits: Mask, among: Mask) -> Values:
        """Return the share of `hits` (n,) among the reviews that `among` (n,) selects."""
        return _ratio(self.weights[:, among] @ hits[among].astype(np.float64), self._total(among))

    def _total(self, mask: Mask) -> Values:
        return np.asarray(self.weights[:, mask].sum(1))

    @cached_property
    def _levels(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Sort order (n,) of the scores, the start of each of L distinct scores in it, and the level of each review (n,)."""
        _, level = np.unique(self.scores, return_inverse=True)
        order = np.argsort(level, kind="stable")
        begins = np.flatnonzero(np.diff(level[order], prepend=-1))
        return order, begins, level

    @cached_property
    def _by_level(self) -> tuple[Values, Values]:
        """Weights of qualified and of rejected reviews at each distinct score, low to high: (R, L) each."""
        order, begins, _ = self._levels
        if not len(order):
            nothing = np.zeros((len(self.weights), 0))
            return nothing, nothing
        weights, qualified = self.weights[:, order], self.qualified[order]
        return (
            np.add.reduceat(weights * qualified, begins, axis=1),
            np.add.reduceat(weights * ~qualified, begins, axis=1),
        )

    @cached_property
    def _qualified_above(self) -> Values:
        """Weight of qualified reviews (R, n) that score above each review; ties count half."""
        qualified, _ = self._by_level
        above = qualified.sum(1, keepdims=True) - qualified.cumsum(1) + qualified / 2
        return np.asarray(above[:, self._levels[2]])

    @cached_property
    def _sums_from_the_top(self) -> tuple[Values, Values]:
        """Weights of qualified and rejected reviews (R, L) at or above each distinct score, high to low."""
        qualified, rejected = self._by_level
        return qualified[:, ::-1].cumsum(1), rejected[:, ::-1].cumsum(1)


def bin_of(scores: Values, bins: int = BINS) -> NDArray[np.int64]:
    """Return the equal-width bin (n,) of each score in 0..1; a score of 1 falls into the last.

    >>> bin_of(np.array([0.0, 0.55, 1.0])).tolist()
    [0, 5, 9]
    """
    return np.minimum((scores * bins).astype(np.int64), bins - 1)


def mask_of(flags: Sequence[bool]) -> Mask:
    """Return flags as a bool mask (n,), also of no flags."""
    return np.array(flags, dtype=bool)


def _ratio(part: Values, whole: Values) -> Values:
    """Return part / whole, NaN where the whole is 0."""
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0))
