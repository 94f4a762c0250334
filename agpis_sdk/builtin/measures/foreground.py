"""A simple foreground estimate: what differs from the background that the ring along the picture's edge shows."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.components import Foreground

SIDE = 256
RING = 0.025
DIFFERENT = 14.0
GRADUAL = 4.0  # Lab distance from row to row up to which a background changes its colour, and does not end


def estimate_foreground(pixels: NDArray[np.uint8]) -> Foreground:
    """Estimate the foreground of an (H, W, 3) RGB picture; reliable on plain backgrounds only (see `busy_ring`)."""
    height, width = pixels.shape[:2]
    factor = min(1.0, SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)  # (h, w, 3), 0..255 each
    ring = _ring(size[1], size[0])
    background = np.median(lab[ring], axis=0)
    distance = np.linalg.norm(lab - background, axis=2)  # (h, w)
    rows, known = sweep(lab, background)
    distance[known] = np.minimum(distance[known], np.linalg.norm(lab[known] - rows[known, None], axis=2))
    different = distance > DIFFERENT
    opened = cv2.morphologyEx(different.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).astype(np.uint8)
    mask = _large_parts(opened)
    return Foreground(
        mask=mask,
        box=_box(mask),
        busy_ring=float(different[ring].mean()),
        ring_colours=float(lab[ring][:, 1:].std(axis=0).max()),
        touching=max(float(side.mean()) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1])),
    )


def sweep(lab: NDArray[np.float32], background: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the background's colour (h, 3) in each row of a picture (h, w, 3), and in which rows (h,) it is known.

    A studio's sweep runs from light below to grey above: one colour would take half of it for product. The colour of a
    row is what its two ends show, where they agree and it is reached from the `background` (3,) without a jump.
    """
    thickness = max(1, round(RING * max(lab.shape[:2])))
    left, right = np.median(lab[:, :thickness], axis=1), np.median(lab[:, -thickness:], axis=1)
    rows = ((left + right) / 2).astype(np.float32)
    agree = np.linalg.norm(left - right, axis=1) <= DIFFERENT
    gradual = np.linalg.norm(np.diff(rows, axis=0), axis=1) <= GRADUAL
    known = agree & (np.linalg.norm(rows - background, axis=1) <= DIFFERENT)
    for order in (range(1, len(rows)), range(len(rows) - 2, -1, -1)):
        step = 1 if order.step > 0 else -1
        for row in order:
            known[row] |= agree[row] and known[row - step] and gradual[min(row, row - step)]
    return rows, known


def _ring(height: int, width: int) -> NDArray[np.bool_]:
    thickness = max(1, round(RING * max(height, width)))
    ring = np.ones((height, width), dtype=bool)
    if height > 2 * thickness and width > 2 * thickness:
        ring[thickness:-thickness, thickness:-thickness] = False
    return ring


def _large_parts(mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Drop specks: parts smaller than a twentieth of the largest one."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return np.zeros(mask.shape, dtype=bool)
    areas = stats[1:, cv2.CC_STAT_AREA]
    large = [label for label, area in enumerate(areas, start=1) if area >= areas.max() / 20]
    return np.isin(labels, large)


def _box(mask: NDArray[np.bool_]) -> tuple[float, float, float, float] | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    height, width = mask.shape
    return (
        columns[0] / width,
        rows[0] / height,
        (columns[-1] + 1 - columns[0]) / width,
        (rows[-1] + 1 - rows[0]) / height,
    )
