"""Short reductions without numpy's overhead, which takes longer than the values themselves."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

EXACT_COUNTS = 1 << 24  # from here on OpenCV's counts, which are float32, need not be exact


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
    return counted_quantile(byte_counts(values), share)


def byte_counts(values: NDArray[np.uint8], mask: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """Return how many there are (256,) of each level in bytes of any shape, or inside a mask of their shape.

    >>> byte_counts(np.array([0, 3, 3], np.uint8), np.array([True, True, False]))[:4].tolist()
    [1, 0, 0, 1]
    """
    if values.size >= EXACT_COUNTS:
        return np.bincount(values.ravel() if mask is None else values[mask], minlength=256)
    # OpenCV counts slowly inside a mask: what is outside is counted as zeros, and taken away.
    counted = values if mask is None else values * mask.view(np.uint8)
    counts = cv2.calcHist([counted], [0], None, [256], [0, 256]).ravel().astype(np.int64)
    if mask is not None:
        counts[0] -= mask.size - np.count_nonzero(mask)
    return counts


def counted_quantile(counts: NDArray[np.integer], share: float) -> float:
    """Return the same of values 0, 1, 2 …, given how many there are of each."""
    below = counts.cumsum()  # how many are no greater
    low, high, weight = _neighbors(int(below[-1]), share)
    first, second = np.searchsorted(below, (low, high), side="right").tolist()
    return float(first + weight * (second - first))


def counted_medians(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the medians (n,) of n groups of values 0, 1, 2 …, given how many of each (n, values) there are, equally many in all.

    >>> counted_medians(np.array([[1, 1, 0], [0, 0, 2]])).tolist()
    [0.5, 2.0]
    """
    below = counts.cumsum(axis=1)
    low, high, weight = _neighbors(int(below[0, -1]), 0.5)
    first = (below <= low).sum(axis=1)
    return np.asarray(first + weight * ((below <= high).sum(axis=1) - first), np.float64)


def medians(values: NDArray[Any]) -> NDArray[Any]:
    """Return the medians along the second axis, as `np.median` does of few values that are all numbers.

    >>> medians(np.array([[3.0, 1.0, 2.0, 8.0]])).tolist()
    [2.5]
    """
    count = values.shape[1]
    ordered = np.sort(values, axis=1)
    middle = ordered[:, count // 2]
    return middle if count % 2 else (ordered[:, count // 2 - 1] + middle) / 2


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
