"""From the head's mask over the letterboxed square to the product in the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.foreground.head_file import SIDE
from agpis_sdk.builtin.foreground.mask import large_parts, measured
from agpis_sdk.facts import Foreground
from agpis_sdk.media.letterbox import letterbox, letterbox_geometry

Level = TypeVar("Level", bound=np.generic)
SMALLEST_PART = 0.05
"""Share of the largest part's area below which a part is a speck."""
LEAST_AREA = 0.002
"""Share of the picture below which a mask shows no product."""


def picture_batch(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Return (B, 3, SIDE, SIDE) float32 in -1..1 of (H, W, 3) RGB pictures, letterboxed as for the backbone."""
    return normalized(np.stack([letterbox(picture, SIDE) for picture in pictures]))


def normalized(squares: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (B, 3, SIDE, SIDE) float32 in -1..1 of letterboxed pictures (B, SIDE, SIDE, 3)."""
    return squares.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(127.5) - np.float32(1)


def without_letterbox(square: NDArray[Level], width: int, height: int) -> NDArray[Level]:
    """Cut the part (h, w, …) of a letterboxed (SIDE, SIDE, …) map that shows a picture of `width` x `height` pixels."""
    scale, x, y = letterbox_geometry(width, height, SIDE)
    return square[y : y + max(1, round(height * scale)), x : x + max(1, round(width * scale))]


def foreground_of(probability: NDArray[np.float32]) -> Foreground | None:
    """Return the product where (h, w) probabilities reach 0.5, without specks; None where there is none."""
    mask = large_parts(probability >= 0.5, SMALLEST_PART)
    return measured(mask) if mask.mean() >= LEAST_AREA else None
