"""Handcrafted, readable features of an image that make it a likely or unlikely primary one, in shops of every kind.

An embedding learns what comes first in the shops that it has seen; that the whole product stands in the middle, before
a plain ground, and is seen from the front, is true in others as well.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.facts import Background, Foreground
from agpis_sdk.media.edge_ring import edge_ring

FEATURE_NAMES = (
    "extent", "fill", "fill squared", "off-center", "cut", "busy edge", "colored edge", "white", "symmetry", "edges",
)  # fmt: skip
SIDE = 64
EDGE_SIDE = 256
WHITE = 240
COLORFUL = 10.0  # standard deviation of a and b in Lab, at which an edge counts as fully colored


def extract_features(
    pixels: NDArray[np.uint8], background: Background, foreground: Foreground | None
) -> NDArray[np.float32]:
    """Return the features (len(FEATURE_NAMES),) of an image, each about 0..1.

    Args:
        pixels: (H, W, 3) RGB.
        background: What surrounds the product.
        foreground: Where the product stands; where that is unknown, the whole picture counts.
    """
    x, y, width, height = foreground.box if foreground else (0.0, 0.0, 1.0, 1.0)
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.uint8)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    ring = edge_ring(SIDE, SIDE)
    fill = width * height
    return np.array(
        [
            max(width, height),
            fill,
            fill**2,
            max(abs(x + width / 2 - 0.5), abs(y + height / 2 - 0.5)),
            sum(foreground.sides) / 4 if foreground else 1 - background.plainness,
            1 - background.plainness,
            min(float(lab[ring][:, 1:].std(axis=0).max()) / COLORFUL, 3.0),
            float((small.min(axis=2) > WHITE).mean()),
            _symmetry(lab[..., 0]),
            _edges(pixels),
        ],
        dtype=np.float32,
    )


def _symmetry(luma: NDArray[np.float32]) -> float:
    """Return the correlation of a picture with its mirror image: what is seen from the front is mostly symmetric."""
    if luma.std() < 1:
        return 0.0
    return float(np.corrcoef(luma.ravel(), luma[:, ::-1].ravel())[0, 1])


def _edges(pixels: NDArray[np.uint8]) -> float:
    """Return the share of a picture that lies on an edge, in 0..1; a close-up has few, a whole product more."""
    small = cv2.resize(pixels, (EDGE_SIDE, EDGE_SIDE), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return float((cv2.Canny(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), 40, 100) > 0).mean())


REASONS: dict[str, tuple[str, str]] = {
    "extent": ("the product is small in the picture", ""),
    "fill": ("the product fills little of the picture", "the product fills nearly all of the picture"),
    "fill squared": ("", "the product fills nearly all of the picture"),
    "off-center": ("", "the product stands off the middle"),
    "cut": ("", "the picture's edge cuts the product"),
    "busy edge": ("", "the background is not plain"),
    "colored edge": ("", "the background is colored or mixed"),
    "white": ("little of the picture is white", "most of the picture is empty"),
    "symmetry": ("the product is seen from the side or turned, not from the front", ""),
    "edges": ("it shows little structure, as a close-up does", "it is full of detail"),
}
"""The reason given where a feature lowers an image's chance: at a low value, and at a high one."""
