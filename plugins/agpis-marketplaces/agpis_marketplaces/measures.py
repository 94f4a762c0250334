"""Pixel measurements: how white the background along the edge is, and how much of the picture the product fills."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.facts import Foreground
from agpis_sdk.media.edge_ring import edge_ring

# How many pixels of the reduced mask the blur around the product takes, on both sides together.
SOFT_EDGE = 7


def white_background_share(pixels: NDArray[np.uint8], foreground: Foreground | None, white_from: int) -> float:
    """Return how much of the background along the edge of an (H, W, 3) RGB picture is white, in 0..1.

    The product is left out: a model whose legs run out of the picture hides the background there.

    >>> white_background_share(np.full((40, 40, 3), 255, np.uint8), None, 250)
    1.0
    """
    height, width = pixels.shape[:2]
    ring = edge_ring(height, width)
    background = ring if foreground is None else ring & ~_with_soft_edge(foreground, height, width)
    white: NDArray[np.bool_] = np.all(pixels >= white_from, axis=2)  # (H, W)
    return float(white[background if background.any() else ring].mean())


def product_fill(foreground: Foreground | None) -> float | None:
    """Return how much of the picture the product fills along its longest axis, in 0..1; None without a foreground."""
    return max(foreground.box[2], foreground.box[3]) if foreground else None


def _with_soft_edge(foreground: Foreground, height: int, width: int) -> NDArray[np.bool_]:
    """Return where the product and its soft edge are, (height, width) bool."""
    grown = cv2.dilate(foreground.mask.astype(np.uint8), np.ones((SOFT_EDGE, SOFT_EDGE), np.uint8))
    return cv2.resize(grown, (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)
