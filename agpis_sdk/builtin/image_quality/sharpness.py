"""Sharpness of the strongest edges alone, so that plain and soft backgrounds do not lower it."""

from __future__ import annotations

import math

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from agpis_sdk.builtin.arrays import byte_counts, counted_quantile, quantile

NEIGHBORHOOD = 15
STRONGEST = 0.02
FAINTEST_EDGE = 12
FEWEST = 50
# Edges of one direction count if they are as high as this share of the other direction's.
COMPARABLE = 0.6


def edge_sharpness(pixels: NDArray[np.uint8]) -> float | None:
    """Return how much of an edge's height its steepest pixel takes, in 0..1: near 0.5 sharp, below 0.1 blurred.

    Judged by the strongest edges of an (H, W, 3) RGB picture, upright and level ones apart, as a moving camera softens
    one of the two: the softer direction counts. None where the picture has too few edges to judge by.
    """
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)  # (H, W)
    if min(gray.shape) < NEIGHBORHOOD:
        return None
    kernel = np.ones((NEIGHBORHOOD, NEIGHBORHOOD), np.uint8)
    height = cv2.subtract(cv2.dilate(gray, kernel), cv2.erode(gray, kernel))[1:-1, 1:-1]  # of the edge, in luma
    across = cv2.absdiff(gray[1:-1, 2:], gray[1:-1, :-2])  # luma per two pixels
    down = cv2.absdiff(gray[2:, 1:-1], gray[:-2, 1:-1])
    tall = height >= FAINTEST_EDGE
    upright = _strongest(across, height, tall & (across > cv2.add(down, down)))
    level = _strongest(down, height, tall & (down > cv2.add(across, across)))
    judged = [direction for direction in (upright, level) if direction is not None]
    highest = max((edge for _, edge in judged), default=0.0)
    return min((sharpness for sharpness, edge in judged if edge >= COMPARABLE * highest), default=None)


def _strongest(step: MatLike, height: MatLike, edges: NDArray[np.bool_]) -> tuple[float, float] | None:
    """Return the median sharpness and height of the strongest `edges`, given steps over two pixels; None if few."""
    counts = byte_counts(np.asarray(step, np.uint8), edges)
    if counts.sum() < FEWEST:
        return None
    # A step is a whole number, so that those from the quantile on are those from the next whole one on.
    least = math.ceil(max(counted_quantile(counts, 1 - STRONGEST), 1.0))
    strongest = np.flatnonzero(edges & (step >= np.uint8(least)))
    steps = np.asarray(step).ravel()[strongest]
    heights = np.ascontiguousarray(height).ravel()[strongest].astype(np.float32)
    return quantile(steps / 2 / heights, 0.5), quantile(heights, 0.5)
