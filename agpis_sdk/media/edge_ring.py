"""The ring along a picture's edge, from which its background is read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def edge_ring(height: int, width: int, thickness: float = 0.03) -> NDArray[np.bool_]:
    """Return the (height, width) mask of the ring along a picture's edge; `thickness` is a share of the longer side.

    >>> edge_ring(4, 5).astype(int).tolist()
    [[1, 1, 1, 1, 1], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1]]
    """
    pixels = max(1, round(thickness * max(height, width)))
    ring = np.ones((height, width), dtype=bool)
    ring[pixels:-pixels, pixels:-pixels] = False
    return ring
