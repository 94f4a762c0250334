"""What is measured on pixels: how white the picture's edge is, and how much of it the product fills."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.measures.foreground import RING, estimate_foreground

# A background beyond this share of other colours is too busy to tell the product from.
PLAIN_RING = 0.35


def white_ring_share(pixels: NDArray[np.uint8], white_from: int) -> float:
    """Return the share in 0..1 of the ring along the edge of an (H, W, 3) RGB picture that is white.

    >>> white_ring_share(np.full((40, 40, 3), 255, np.uint8), 250)
    1.0
    """
    height, width = pixels.shape[:2]
    thickness = max(1, round(RING * max(height, width)))
    white: NDArray[np.bool_] = np.all(pixels >= white_from, axis=2)  # (H, W)
    inner = white[thickness:-thickness, thickness:-thickness]
    return float((white.sum() - inner.sum()) / (white.size - inner.size))


def product_fill(pixels: NDArray[np.uint8]) -> float | None:
    """Return how much of an (H, W, 3) RGB picture the product fills along its longest axis, in 0..1.

    None where nothing stands out from the background, or the background is too busy to tell.
    """
    foreground = estimate_foreground(pixels)
    if foreground.box is None or foreground.busy_ring > PLAIN_RING:
        return None
    return float(max(foreground.box[2], foreground.box[3]))
