"""Probabilities from logits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FARTHEST = 40.0  # beyond it a probability is 0 or 1 in any case, and the exponential overflows


def sigmoid(logits: ArrayLike) -> NDArray[Any]:
    """Return the probabilities in 0..1 of logits of any shape.

    >>> sigmoid(np.array([0.0, -1000.0]))
    array([5.00000000e-01, 4.24835426e-18])
    """
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -FARTHEST, FARTHEST))))
