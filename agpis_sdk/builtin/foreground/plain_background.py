"""Segmentation of the product from a background that is plain enough: the one estimator of the SDK."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.foreground.background import (
    background_distance,
    describe_ring,
    least_difference,
)
from agpis_sdk.builtin.foreground.mask import large_parts, measured
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
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)  # (h, w, 3), 0..255 each
    ring = edge_ring(size[1], size[0])
    distance = background_distance(lab, ring)
    background = describe_ring(small, lab, distance, ring)
    if background.plainness < PLAIN_ENOUGH:
        return background, None
    difference = least_difference(distance, ring)
    different = (distance > difference) & ~_reached(lab[..., 0], distance, ring, difference)
    opened = cv2.morphologyEx(different.view(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    mask = large_parts(opened > 0, SMALLEST_PART)
    return background, measured(mask) if mask.any() else None


def _reached(
    luma: NDArray[np.float32], distance: NDArray[np.float32], ring: NDArray[np.bool_], difference: float
) -> NDArray[np.bool_]:
    """Return the pixels connected to the ring's background without a step: soft shadows, a backdrop's bend."""
    even = cv2.GaussianBlur(luma, (3, 3), 0)
    across = np.abs(cv2.Sobel(even, cv2.CV_32F, 1, 0, ksize=1)) / 2
    down = np.abs(cv2.Sobel(even, cv2.CV_32F, 0, 1, ksize=1)) / 2
    calm = (np.maximum(across, down) < STEP * difference) & (distance < SHADE)
    count, labels = cv2.connectedComponents(calm.view(np.uint8), connectivity=4)
    reachable = np.zeros(count, dtype=bool)
    reachable[labels[ring & (distance <= difference) & calm]] = True
    return np.asarray(reachable[labels])
