"""From the head's mask over the letterboxed square to the product in the picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from agpis_sdk.builtin.foreground.model import SIDE
from agpis_sdk.facts import Foreground
from agpis_sdk.media.letterbox import letterbox, letterbox_geometry

SMALLEST_PART = 0.05
"""Share of the largest part's area below which a part is a speck."""
LEAST_AREA = 0.002
"""Share of the picture below which a mask shows no product."""


def picture_batch(pictures: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
    """Return (B, 3, SIDE, SIDE) float32 in -1..1 of (H, W, 3) RGB pictures, letterboxed as for the backbone."""
    squares = np.stack([letterbox(picture, SIDE) for picture in pictures])  # (B, SIDE, SIDE, 3)
    return torch.from_numpy(squares).permute(0, 3, 1, 2).float() / 127.5 - 1


def without_letterbox(square: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Cut the part (h, w) of a letterboxed (SIDE, SIDE) map that shows a picture of `width` x `height` pixels."""
    scale, x, y = letterbox_geometry(width, height, SIDE)
    return square[y : y + max(1, round(height * scale)), x : x + max(1, round(width * scale))]


def foreground_of(probability: NDArray[np.float32]) -> Foreground | None:
    """Return the product where (h, w) probabilities reach 0.5, without specks; None where there is none."""
    mask = _large_parts(probability >= 0.5)
    return measured(mask) if mask.mean() >= LEAST_AREA else None


def measured(mask: NDArray[np.bool_]) -> Foreground:
    """Return a mask (h, w) that is set somewhere, with its box, fill, sides and offset."""
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, top = float(columns[0] / width), float(rows[0] / height)
    box_width, box_height = float((columns[-1] + 1) / width) - left, float((rows[-1] + 1) / height) - top
    sides = (float(mask[:, 0].mean()), float(mask[0].mean()), float(mask[:, -1].mean()), float(mask[-1].mean()))
    return Foreground(
        mask=mask,
        box=(left, top, box_width, box_height),
        fill=box_width * box_height,
        sides=sides,
        touching=max(sides),
        offset=max(abs(left + box_width / 2 - 0.5), abs(top + box_height / 2 - 0.5)),
    )


def _large_parts(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Drop parts that are far smaller than the largest one."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    large = np.zeros(count, dtype=bool)
    if count > 1:
        areas = stats[1:, cv2.CC_STAT_AREA]
        large[1:] = areas >= areas.max() * SMALLEST_PART
    return np.asarray(large[labels])
