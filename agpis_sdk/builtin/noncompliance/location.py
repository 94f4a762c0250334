"""Where non-compliant content is: the box around a map's peak, and the position in words."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.components import DecodedImage
from agpis_sdk.facts import Foreground
from agpis_sdk.media.letterbox import letterbox_geometry
from agpis_sdk.records import Box

ON_PRODUCT, BESIDE = 0.9, 0.3  # shares of a box that the product takes


def place(image: DecodedImage, kind_map: NDArray[np.float32], side: int) -> Box:
    """Turn the peak of an (h, w) map over the letterboxed square of `side` pixels into a box of the original image."""
    height, width = image.pixels.shape[:2]
    scale, offset_x, offset_y = letterbox_geometry(width, height, side)
    x, y, box_width, box_height = (value * side for value in peak_box(kind_map))
    left, top = max(0.0, (x - offset_x) / scale), max(0.0, (y - offset_y) / scale)
    right = min(float(width), (x + box_width - offset_x) / scale)
    bottom = min(float(height), (y + box_height - offset_y) / scale)
    return image.original_box(left, top, max(right - left, 1.0), max(bottom - top, 1.0))


def on_product_hint(image: DecodedImage, box: Box, foreground: Foreground | None) -> str:
    """Say whether words or a mark lie on the product or beside it; nothing where the background hides the product."""
    if foreground is None:
        return ""
    height, width = foreground.mask.shape
    across, down = width / image.original_width, height / image.original_height
    x, y, box_width, box_height = box
    rows = slice(int(y * down), max(int(y * down) + 1, round((y + box_height) * down)))
    columns = slice(int(x * across), max(int(x * across) + 1, round((x + box_width) * across)))
    share = float(foreground.mask[rows, columns].mean())
    if share >= ON_PRODUCT:
        return ", on the product: it may be printed there"
    return ", beside the product" if share <= BESIDE else ""


def position(image: DecodedImage, boxes: Sequence[Box]) -> str:
    """Return the position of a box in words that a seller understands."""
    if not boxes:
        return ""
    x, y, width, height = boxes[0]
    across = (x + width / 2) / image.original_width
    down = (y + height / 2) / image.original_height
    vertical = "top" if down < 1 / 3 else "bottom" if down > 2 / 3 else ""
    horizontal = "left" if across < 1 / 3 else "right" if across > 2 / 3 else ""
    return f", {' '.join(word for word in (vertical, horizontal) if word) or 'center'}"


def peak_box(kind_map: NDArray[np.float32], drop: float = 2.0) -> tuple[float, float, float, float]:
    """Return the box (x, y, width, height) in 0..1 of an (h, w) map around its peak.

    It spans the connected cells whose logit is at most `drop` below the peak's.
    """
    near = (kind_map >= kind_map.max() - drop).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    row, column = np.unravel_index(int(kind_map.argmax()), kind_map.shape)
    x, y, width, height, _ = stats[labels[row, column]]
    rows, columns = kind_map.shape
    return (x / columns, y / rows, width / columns, height / rows)
