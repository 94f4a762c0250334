"""A sparse color histogram of the foreground."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.facts import ColorHistogram, Foreground

CELL = 8.0
SMALLEST_SHARE = 0.004
# Pixels on the outline are mixed with the background, unless there is little else.
ENOUGH_INSIDE = 200


def color_histogram_of(pixels: NDArray[np.uint8], foreground: Foreground) -> ColorHistogram:
    """Return the colors within the foreground of an (H, W, 3) RGB picture, those of one cell taken together."""
    height, width = foreground.mask.shape
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32) - (0, 128, 128)  # (h, w, 3)
    inside = cv2.erode(foreground.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    chosen = lab[inside if inside.sum() >= ENOUGH_INSIDE else foreground.mask] * (50 / 255, 1, 1)  # (pixels, 3)
    # One number a cell, of which there are few enough to count: each of the three is within -16..16.
    cells = (np.round(chosen / CELL).astype(np.int64) + 16) @ (33 * 33, 33, 1)
    counts = np.bincount(cells)
    found = counts > 0
    sums = np.stack([np.bincount(cells, chosen[:, channel])[found] for channel in range(3)], axis=1)
    counts = counts[found]
    shares = counts / counts.sum()
    kept = shares >= min(SMALLEST_SHARE, float(shares.max()))
    colors = sums[kept] / counts[kept, None]
    return ColorHistogram(colors.astype(np.float32), (shares[kept] / shares[kept].sum()).astype(np.float32))
