"""Finds QR codes and bar codes, with OpenCV's detectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

ENLARGED = 2  # their modules are a pixel or two wide at 512 px; so enlarged, some 40 % more QR codes are found
BESIDE = 0.3
"""What a code that lies wholly beside the product adds to its score."""
ON_PRODUCT = {"QR code": 0.6, "bar code": 0.3}
"""The score of a code on the product, or where the background hides it: packaging has bar codes, and some QR codes."""


@dataclass(frozen=True)
class Code:
    """A code, what it says, and the upright box around it: left, top, width and height in `DecodedImage.pixels`.

    `content` is "" for a QR code of which only the shape was found.
    """

    kind: Literal["QR code", "bar code"]
    content: str
    box: tuple[float, float, float, float]


def find_codes(pixels: NDArray[np.uint8]) -> tuple[Code, ...]:
    """Return the codes in an (H, W, 3) RGB picture, from top to bottom."""
    enlarged = cv2.resize(pixels, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
    gray = np.asarray(cv2.cvtColor(enlarged, cv2.COLOR_RGB2GRAY), np.uint8)
    found = [*_qr_codes(gray), *_bar_codes(gray)]
    return tuple(sorted(found, key=lambda code: (code.box[1], code.box[0], code.kind)))


def code_score(code: Code, beside: float) -> float:
    """Return how surely a code is laid over the picture, in 0..1; `beside` is its share beyond the product.

    >>> code_score(Code("bar code", "", (0, 0, 9, 9)), beside=0.0) < 0.5 < code_score(Code("bar code", "", (0, 0, 9, 9)), 1.0)
    True
    """
    return ON_PRODUCT[code.kind] + BESIDE * beside


def _qr_codes(gray: NDArray[np.uint8]) -> Iterator[Code]:
    _, contents, corners, _ = cv2.QRCodeDetector().detectAndDecodeMulti(gray)
    for text, points in zip(contents, [] if corners is None else corners, strict=False):
        yield Code("QR code", text, _box(points))


def _bar_codes(gray: NDArray[np.uint8]) -> Iterator[Code]:
    _, contents, corners, _ = cv2.barcode.BarcodeDetector().detectAndDecodeMulti(gray)
    for text, points in zip(contents, [] if corners is None else corners, strict=False):
        if text:  # stripes look like bars: only what can be read is a code
            yield Code("bar code", text, _box(points))


def _box(corners: NDArray[np.float32]) -> tuple[float, float, float, float]:
    (left, top), (right, bottom) = corners.min(axis=0) / ENLARGED, corners.max(axis=0) / ENLARGED
    return float(left), float(top), float(right - left), float(bottom - top)
