"""Borders and frames: an even strip along the picture's sides that ends in a straight line."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.arrays import counted_medians

SIDE = 256
THINNEST = 32
THICKEST = 0.12
# On white paper a straight product near the edge looks the same as a white frame: white strips do not count.
WHITE = 246.0
EVEN = 6.0
STEP = 18.0
LEVELS = np.arange(256, dtype=np.float32)
FIRST_LEVELS = np.array([0, 256, 512], np.int64)  # of the three channels, counted at once


def frame_score(pixels: NDArray[np.uint8]) -> tuple[float, tuple[float, float, float, float] | None]:
    """Return how surely a frame surrounds an (H, W, 3) RGB picture, and the box inside it in 0..1 of the picture.

    The score in 0..1 is that of the third best side: a frame may be open on one side, a horizon may not pass for one.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < THINNEST:
        return 0.0, None
    factor = min(1.0, SIDE / max(height, width))
    size = (max(THINNEST, round(width * factor)), max(THINNEST, round(height * factor)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.uint8)
    # Each view has the side in question as its first rows.
    views = {"top": lab, "bottom": lab[::-1], "left": lab.transpose(1, 0, 2), "right": lab.transpose(1, 0, 2)[::-1]}
    sides = {name: _side(view) for name, view in views.items()}
    score = sorted(straightness for straightness, _ in sides.values())[1]
    rows, columns = lab.shape[:2]
    top, bottom = sides["top"][1] / rows, sides["bottom"][1] / rows
    left, right = sides["left"][1] / columns, sides["right"][1] / columns
    return score, (left, top, max(0.0, 1 - left - right), max(0.0, 1 - top - bottom))


def _side(picture: NDArray[np.uint8]) -> tuple[float, int]:
    """Return for the first rows of (h, w, 3) the best straightness of a strip's inner edge in 0..1, and its depth."""
    deepest = max(2, round(THICKEST * picture.shape[0]))
    best, depth = 0.0, 0
    counts = np.zeros((3, 256), np.int64)  # of each channel's levels in the strip
    for rows in range(1, deepest + 1):
        levels = picture[rows - 1] + FIRST_LEVELS
        counts += np.bincount(levels.ravel(), minlength=counts.size).reshape(counts.shape)
        color = counted_medians(counts).astype(np.float32)
        scatter = (counts * np.abs(LEVELS - color[:, None])).sum() / counts.sum()
        if scatter > EVEN or color[0] > WHITE:
            break
        # A line that is softened by scaling takes up to two rows.
        step = np.linalg.norm(picture[rows + 1].astype(np.float32) - color, axis=1)  # (w,)
        inner = slice(deepest, -deepest) if picture.shape[1] > 4 * deepest else slice(None)
        straightness = float((step[inner] > STEP).mean())
        if straightness > best:
            best, depth = straightness, rows
    return best, depth
