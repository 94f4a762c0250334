"""What is measured on pixels: how white the picture's edge is, and how much of it the product fills."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.image_quality.background import RING
from agpis_sdk.builtin.image_quality.foreground import estimate_foreground

# How many pixels of the reduced mask the blur around the product takes, on both sides together.
SOFT_EDGE = 7


def white_background_share(pixels: NDArray[np.uint8], white_from: int) -> float:
    """Return how much of the background along the edge of an (H, W, 3) RGB picture is white, in 0..1.

    What belongs to the product is left out: a model whose legs run out of the picture hides the background there.

    >>> white_background_share(np.full((40, 40, 3), 255, np.uint8), 250)
    1.0
    """
    height, width = pixels.shape[:2]
    thickness = max(1, round(RING * max(height, width)))
    background = np.ones((height, width), dtype=bool)
    background[thickness:-thickness, thickness:-thickness] = False
    ring = background.copy()
    background &= ~_product_mask(pixels)
    white: NDArray[np.bool_] = np.all(pixels >= white_from, axis=2)  # (H, W)
    return float(white[background if background.any() else ring].mean())


def _product_mask(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where the product and its soft edge are, (H, W) bool."""
    height, width = pixels.shape[:2]
    _, foreground = estimate_foreground(pixels)
    if foreground is None:
        return np.zeros((height, width), dtype=bool)
    grown = cv2.dilate(foreground.mask.astype(np.uint8), np.ones((SOFT_EDGE, SOFT_EDGE), np.uint8))
    return cv2.resize(grown, (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)


def product_fill(pixels: NDArray[np.uint8]) -> float | None:
    """Return how much of an (H, W, 3) RGB picture the product fills along its longest axis, in 0..1.

    None where nothing stands out from the background, or the background is too busy to tell.
    """
    _, foreground = estimate_foreground(pixels)
    return max(foreground.box[2], foreground.box[3]) if foreground else None
