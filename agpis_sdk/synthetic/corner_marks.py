"""Takes a shop's corner mark off photos on a white ground, so that they can serve as clean ones."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
# The corner in which a shop's mark is looked for: shares of width and height at the bottom right.
CORNER = (0.45, 0.12)
WHITE = 246


def without_corner_mark(pixels: Pixels) -> Pixels | None:
    """Return the photo with a blank bottom right corner, or None where something else reaches into the corner.

    `pixels` is (height, width, 3). The mark must stand alone on white: ink that crosses the corner's border belongs to
    the product, and such a photo cannot be cleaned.
    """
    height, width = pixels.shape[:2]
    left, top = round(width * (1 - CORNER[0])), round(height * (1 - CORNER[1]))
    ink = (pixels.min(axis=2) < WHITE).astype(np.uint8)
    if ink[top - 1 : top + 1, left:].any() or ink[top:, left - 1 : left + 1].any():
        return None
    clean = pixels.copy()
    clean[top:, left:] = 255
    # JPEG leaves a faint halo around what was painted over; one narrow blur would only spread it.
    return clean if cv2.countNonZero(ink) else None
