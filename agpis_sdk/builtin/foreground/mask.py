"""Masks of a product, whoever drew them: without specks, and measured."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.facts import Foreground


def large_parts(mask: NDArray[np.bool_], smallest: float) -> NDArray[np.bool_]:
    """Drop the parts of a mask (h, w) whose area is below a share `smallest` of the largest one's."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    large = np.zeros(count, dtype=bool)
    if count > 1:
        areas = stats[1:, cv2.CC_STAT_AREA]
        large[1:] = areas >= areas.max() * smallest
    return np.asarray(large[labels])


def measured(mask: NDArray[np.bool_]) -> Foreground:
    """Return a mask (h, w) that is set somewhere, with its box, fill, sides and offset."""
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    box = (
        float(left / width), float(top / height), float((right - left) / width), float((bottom - top) / height),
    )  # fmt: skip
    sides = (float(mask[:, 0].mean()), float(mask[0].mean()), float(mask[:, -1].mean()), float(mask[-1].mean()))
    return Foreground(
        mask=mask,
        box=box,
        fill=box[2] * box[3],
        sides=sides,
        touching=max(sides),
        offset=max(abs(box[0] + box[2] / 2 - 0.5), abs(box[1] + box[3] / 2 - 0.5)),
    )
