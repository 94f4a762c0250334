"""Small JPEG copies of images for the report."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

SEQUENCE_SIDE = 240
REST_SIDE = 120
JPEG_QUALITY = 80


@dataclass(frozen=True)
class Thumbnail:
    """A small JPEG, and the size of the original (after EXIF rotation) in whose pixels boxes are given."""

    jpeg: bytes
    original_width: int
    original_height: int

    def data_uri(self) -> str:
        """Return the JPEG as a `data:` URI."""
        return "data:image/jpeg;base64," + base64.b64encode(self.jpeg).decode("ascii")


def make_thumbnail(
    pixels: NDArray[np.uint8], original_width: int, original_height: int, side: int = SEQUENCE_SIDE
) -> Thumbnail:
    """Return a thumbnail of RGB pixels (H, W, 3) with a long side of at most `side`; nothing is enlarged."""
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return Thumbnail(_jpeg(Image.fromarray(pixels)), original_width, original_height)


def shrunk(thumbnail: Thumbnail, side: int) -> Thumbnail:
    """Return the thumbnail with a long side of at most `side`; one that is small enough is returned as it is."""
    with Image.open(io.BytesIO(thumbnail.jpeg)) as image:
        if max(image.size) <= side:
            return thumbnail
        small = image.convert("RGB")
        small.thumbnail((side, side))
    return Thumbnail(_jpeg(small), thumbnail.original_width, thumbnail.original_height)


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return buffer.getvalue()
