"""The 95 % interval (Wilson) of a share, as the tables of benchmarks write it."""

from __future__ import annotations

import numpy as np

from agpis_sdk.evaluation.plots import wilson_interval


def bounds(count: int, of: int, digits: int = 2) -> str:
    """Return the interval of a share of `of` > 0 cases.

    >>> bounds(5, 10)
    '(0.24 to 0.76)'
    """
    low, high = wilson_interval(np.array([count / of]), np.array([of]))
    return f"({low[0]:.{digits}f} to {high[0]:.{digits}f})"
