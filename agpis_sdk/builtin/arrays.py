"""Short reductions without numpy's overhead, which takes longer than the values themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def quantile(values: NDArray[Any], share: float) -> float:
    """Return the value below which a share of (n,) values lies, interpolated linearly, as `np.quantile` does.

    >>> quantile(np.array([3.0, 1.0, 2.0]), 0.75)
    2.5
    """
    low, high, weight = _neighbors(len(values), share)
    parted = np.partition(values, (low, high))
    return float(parted[low]) + weight * (float(parted[high]) - float(parted[low]))


def byte_quantile(values: NDArray[np.uint8], share: float) -> float:
    """Return the same of bytes of any shape, of which counting is enough.

    >>> byte_quantile(np.array([3, 1, 2], np.uint8), 0.75)
    2.5
    """
    return counted_quantile(np.bincount(values.ravel(), minlength=256), share)


def counted_quantile(counts: NDArray[np.integer], share: float) -> float:
    """Return the same of values 0, 1, 2 …, given how many there are of each."""
    below = counts.cumsum()  # how many are no greater
    low, high, weight = _neighbors(int(below[-1]), share)
    first, second = np.searchsorted(below, (low, high), side="right").tolist()
    return float(first + weight * (second - first))


def squared_length(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the squared length of vectors (..., channels); numpy is slow at reducing so short an axis."""
    total = np.square(vectors[..., 0])
    for channel in range(1, vectors.shape[-1]):
        total += np.square(vectors[..., channel])
    return np.asarray(total, dtype=np.float32)


def _neighbors(count: int, share: float) -> tuple[int, int, float]:
    """Return which two of `count` sorted values a quantile lies between, and how far it is from the first, 0..1."""
    place = share * (count - 1)
    low = int(place)
    return low, min(low + 1, count - 1), place - low
