"""Sharpness that plain and soft backgrounds do not spoil: only the picture's own strongest edges are looked at."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

NEIGHBOURHOOD = 15
STRONGEST = 0.02
FAINTEST_EDGE = 12.0


def edge_sharpness(pixels: NDArray[np.uint8]) -> float | None:
    """Return how much of an edge's height its steepest pixel takes, in 0..1: near 0.5 sharp, below 0.1 blurred.

    The median over the strongest edges of an (H, W, 3) RGB picture; None where it has no edges to judge by.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)  # (H, W)
    if min(grey.shape) < NEIGHBOURHOOD:
        return None
    step_x = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1)) / 2
    step_y = np.abs(cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=1)) / 2
    steepest = np.maximum(step_x, step_y)  # luma per pixel
    kernel = np.ones((NEIGHBOURHOOD, NEIGHBOURHOOD), np.uint8)
    height_of_edge = cv2.dilate(grey, kernel) - cv2.erode(grey, kernel)
    tall = height_of_edge >= FAINTEST_EDGE
    if tall.sum() < 50:
        return None
    limit = np.quantile(steepest[tall], 1 - STRONGEST)
    chosen = tall & (steepest >= max(limit, 1e-3))
    return float(np.median(steepest[chosen] / height_of_edge[chosen]))
