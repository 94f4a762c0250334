"""Letterboxing: a whole picture on a white square, so that nothing of it is cut or squeezed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def letterbox_geometry(width: int, height: int, side: int) -> tuple[float, int, int]:
    """Return the scale and the offsets (scale, x, y) that map a picture's pixels into a square of `side` pixels.

    >>> letterbox_geometry(400, 200, 100)
    (0.25, 0, 25)
    """
    scale = side / max(width, height)
    inner_width, inner_height = max(1, round(width * scale)), max(1, round(height * scale))
    return scale, (side - inner_width) // 2, (side - inner_height) // 2


def letterbox(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Fit an (H, W, 3) picture into a white (side, side, 3) square."""
    height, width = pixels.shape[:2]
    scale, x, y = letterbox_geometry(width, height, side)
    inner_width, inner_height = max(1, round(width * scale)), max(1, round(height * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(pixels, (inner_width, inner_height), interpolation=interpolation)
    square = np.full((side, side, 3), 255, np.uint8)
    square[y : y + inner_height, x : x + inner_width] = resized
    return square
