"""Metrics over weighted reviews, many weightings at once: what a bootstrap over products needs to be quick.

A resample of products is a row of weights: how often each review was drawn. A row of ones is the data itself, so one
definition of a metric serves the figure and its interval. Tests hold every metric against scikit-learn.
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
"""How many weights are held at once."""
BINS = 10


def drawn_weights(products: NDArray[np.str_], resamples: int, seed: int) -> Iterator[Values]:
    """Yield blocks of weights (R', n) that draw as many products as there are, with all their reviews, with replacement."""
    names, place = np.unique(products, return_inverse=True)
    if not len(names):
        return
    generator = np.random.default_rng(seed)
    chances = np.full(len(names), 1 / len(names))
    rows = max(1, CELLS // len(products))
    for start in range(0, resamples, rows):
        counts = generator.multinomial(len(names), chances, size=min(rows, resamples - start))  # (R', products)
        yield counts[:, place].astype(np.float64)


def interval(values: Values, confidence: float = 0.95) -> tuple[float, float] | None:
    """Return the middle `confidence` of resampled values (R,), not counting NaN; None where nothing else is there."""
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


@dataclass(frozen=True, eq=False)
class Resamples:
    """R weightings of n reviews: `weights` (R, n), `qualified` (n,), `scores` (n,) in 0..1.

    Every metric returns (R,) values, NaN where a resample does not hold what the metric needs.
    """

    weights: Values
    qualified: Mask
    scores: Values

    @classmethod
    def data_itself(cls, qualified: Mask, scores: Values) -> Resamples:
        """Return the one weighting that counts every review once."""
        return cls(np.ones((1, len(scores))), qualified, scores)

    def area_under_roc(self, rejected: Mask) -> Values:
        """Return the share of pairs, one qualified and one of `rejected` (n,), that the scores put in order."""
        chosen = self.weights[:, rejected]
        won = np.einsum("rn,rn->r", chosen, self._qualified_above[:, rejected])
        return _ratio(won, self._total(self.qualified) * chosen.sum(1))

    def recall_at_precision(self, precision: float) -> Values:
        """Return the greatest recall of qualified reviews among thresholds of at least this precision; 0 without one."""
        accepted, mistaken = self._sums_from_the_top
        reached = np.where(_ratio(accepted, accepted + mistaken) >= precision, accepted, 0.0)
        return _ratio(reached.max(1, initial=0.0), self._total(self.qualified))

    def calibration_error(self, bins: int = BINS) -> Values:
        """Return the mean distance between score and share qualified over bins of equal width (ECE)."""
        members = bin_of(self.scores, bins)[:, None] == np.arange(bins)  # (n, bins)
        excess = self.weights @ ((self.scores - self.qualified)[:, None] * members)  # (R, bins)
        return _ratio(np.abs(excess).sum(1), self.weights.sum(1))

    def brier_score(self) -> Values:
        """Return the mean squared distance between score and decision."""
        return _ratio(self.weights @ (self.scores - self.qualified) ** 2, self.weights.sum(1))

    def share(self, hits: Mask, among: Mask) -> Values:
        """Return the share of `hits` (n,) `among` (n,) some of the reviews."""
        return _ratio(self.weights[:, among] @ hits[among].astype(np.float64), self._total(among))

    def _total(self, mask: Mask) -> Values:
        return np.asarray(self.weights[:, mask].sum(1))

    @cached_property
    def _levels(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Order (n,) from low to high scores, where each of L distinct scores begins in it, and each review's level."""
        _, level = np.unique(self.scores, return_inverse=True)
        order = np.argsort(level, kind="stable")
        begins = np.flatnonzero(np.diff(level[order], prepend=-1))
        return order, begins, level

    @cached_property
    def _by_level(self) -> tuple[Values, Values]:
        """Weights of qualified and of rejected reviews at each distinct score, low to high: two of (R, L)."""
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
    """Return which bin (n,) of equal width each score in 0..1 falls into; 1 belongs to the last.

    >>> bin_of(np.array([0.0, 0.55, 1.0])).tolist()
    [0, 5, 9]
    """
    return np.minimum((scores * bins).astype(np.int64), bins - 1)


def mask_of(flags: Sequence[bool]) -> Mask:
    """Return flags as a mask (n,), of the right type even when there are none."""
    return np.array(flags, dtype=bool)


def _ratio(part: Values, whole: Values) -> Values:
    """Return part / whole, NaN where the whole is 0."""
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0))
