"""Segmentation of the product from a background that is plain enough: the one estimator of the SDK."""

from __future__ import annotations

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from agpis_sdk.builtin.foreground.background import (
    background_distance,
    describe_ring,
    least_difference,
)
from agpis_sdk.facts import Background, Foreground
from agpis_sdk.media.edge_ring import edge_ring

SIDE = 192
# Share of the ring that the background must explain; below it color alone cannot separate product and surroundings.
PLAIN_ENOUGH = 0.65
# A shadow or the bend of a backdrop: near the background, and reached from it without a step.
SHADE = 45.0
# The share of the difference between product and background that neighbors within a shadow may differ by.
STEP = 0.3
SMALLEST_PART = 0.1


def estimate_foreground(pixels: NDArray[np.uint8]) -> tuple[Background, Foreground | None]:
    """Return the background of an (H, W, 3) RGB picture and the foreground before it.

    The foreground is None where nothing differs from the background, and where the ring along the edge is too busy to decide.
    """
    height, width = pixels.shape[:2]
    factor = min(1.0, SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)  # (h, w, 3), 0..255 each
    ring = edge_ring(size[1], size[0])
    distance = background_distance(lab, ring)
    background = describe_ring(small, lab, distance, ring)
    if background.plainness < PLAIN_ENOUGH:
        return background, None
    difference = least_difference(distance, ring)
    different = (distance > difference) & ~_reached(lab[..., 0], distance, ring, difference)
    mask = _large_parts(cv2.morphologyEx(different.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)))
    return background, _foreground(mask) if mask.any() else None


def _reached(
    luma: NDArray[np.float32], distance: NDArray[np.float32], ring: NDArray[np.bool_], difference: float
) -> NDArray[np.bool_]:
    """Return the pixels connected to the ring's background without a step: soft shadows, a backdrop's bend."""
    even = cv2.GaussianBlur(luma, (3, 3), 0)
    across = np.abs(cv2.Sobel(even, cv2.CV_32F, 1, 0, ksize=1)) / 2
    down = np.abs(cv2.Sobel(even, cv2.CV_32F, 0, 1, ksize=1)) / 2
    calm = (np.maximum(across, down) < STEP * difference) & (distance < SHADE)
    count, labels = cv2.connectedComponents(calm.astype(np.uint8), connectivity=4)
    reachable = np.zeros(count, dtype=bool)
    reachable[labels[ring & (distance <= difference) & calm]] = True
    return np.asarray(reachable[labels])


def _large_parts(mask: MatLike) -> NDArray[np.bool_]:
    """Drop specks, parts far smaller than the largest one."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    large = np.zeros(count, dtype=bool)
    if count > 1:
        areas = stats[1:, cv2.CC_STAT_AREA]
        large[1:] = areas >= areas.max() * SMALLEST_PART
    return np.asarray(large[labels])


def _foreground(mask: NDArray[np.bool_]) -> Foreground:
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
