"""Smaller copies of an image, each made once, whoever asks."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.components import DecodedImage

# A copy is kept as long as its image is.
_COPIES: WeakKeyDictionary[DecodedImage, dict[int, NDArray[np.uint8]]] = WeakKeyDictionary()


def reduced(image: DecodedImage, side: int) -> NDArray[np.uint8]:
    """Return an image's pixels (h, w, 3) with a long side of at most `side`; they must not be changed."""
    height, width = image.pixels.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return image.pixels
    copies = _COPIES.setdefault(image, {})
    if side not in copies:
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        copies[side] = np.asarray(cv2.resize(image.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        copies[side].flags.writeable = False
    return copies[side]
