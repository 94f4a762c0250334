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
# Of each level of OpenCV's Lab: its color, with as even steps in lightness as in hue, and its share of the cell's number. There
# are few enough cells to count: each of the three parts is within 0..32.
COLORS = np.stack([np.arange(256) * (50 / 255), np.arange(256) - 128.0, np.arange(256) - 128.0])
CELLS = (np.round(COLORS / CELL).astype(np.int64) + 16) * np.array([[33 * 33], [33], [1]])


def color_histogram_of(pixels: NDArray[np.uint8], foreground: Foreground) -> ColorHistogram:
    """Return the colors within the foreground of an (H, W, 3) RGB picture, those of one cell taken together."""
    height, width = foreground.mask.shape
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)  # (h, w, 3)
    inside = np.flatnonzero(cv2.erode(foreground.mask.astype(np.uint8), np.ones((3, 3), np.uint8)))
    chosen = lab.reshape(-1, 3)[
        inside if len(inside) >= ENOUGH_INSIDE else np.flatnonzero(foreground.mask)
    ]  # (pixels, 3)
    cells = sum(CELLS[channel][chosen[:, channel]] for channel in range(3))
    counts = np.bincount(cells)
    found = counts > 0
    colors_of = (np.bincount(cells, COLORS[channel][chosen[:, channel]])[found] for channel in range(3))
    sums = np.stack(list(colors_of), axis=1)
    counts = counts[found]
    shares = counts / counts.sum()
    kept = shares >= min(SMALLEST_SHARE, float(shares.max()))
    colors = sums[kept] / counts[kept, None]
    return ColorHistogram(colors.astype(np.float32), (shares[kept] / shares[kept].sum()).astype(np.float32))
