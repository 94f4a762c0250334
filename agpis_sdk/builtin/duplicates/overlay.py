"""Overlays: parts of one picture that hide what is there in the other, such as banners, badges and stickers."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.arrays import squared_length

OVERLAY_EDGES = 0.4  # correlation of the two pictures' edges above which a changed part is recolored, not covered
OVERLAY_SHARE = 0.45  # changed parts larger than this share of what is shared are no banner
STRONG_EDGE = 10.0  # Lab distance per pixel; stronger edges do not count more than this


def edge_strength(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how fast (h, w) the colors of (h, w, 3) Lab change, in Lab distance per pixel, cut off when strong."""
    across, down = (
        np.asarray(cv2.Sobel(lab, cv2.CV_32F, dx, dy, scale=1 / 8), dtype=np.float32) for dx, dy in ((1, 0), (0, 1))
    )
    strength = np.sqrt(np.add(squared_length(across), squared_length(down)))
    return np.asarray(np.minimum(strength, STRONG_EDGE), dtype=np.float32)


def overlay_mask(
    changed: NDArray[np.bool_],
    valid: NDArray[np.bool_],
    shared: NDArray[np.bool_],
    edges: Callable[[], tuple[NDArray[np.float32], NDArray[np.float32]]],
) -> NDArray[np.bool_]:
    """Return (h, w), True on changed parts that hide what was there: banners, badges and stickers laid over one picture.

    A recolored part keeps its outline, its seams and its folds, so the strengths (h, w) of the two pictures' edges
    correlate; an overlay has its own. `edges` returns both strengths and is asked where there is such a part. `valid` is where
    both pictures lie, `shared` where one of them shows content.
    """
    overlay = np.zeros(changed.shape, dtype=np.uint8)
    total = max(int(np.count_nonzero(shared)), 1)
    contours, _ = cv2.findContours((changed & valid).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    parts = [contour for contour in contours if 0.01 * total < cv2.contourArea(contour) < OVERLAY_SHARE * total]
    if not parts:
        return overlay > 0
    # Along the pictures' own edge there is no outline to judge by.
    inside = (
        cv2.erode(valid.view(np.uint8), np.ones((7, 7), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=(0,)) > 0
    )
    for contour in parts:
        part = cv2.drawContours(np.zeros_like(overlay), [contour], -1, (1,), cv2.FILLED)
        part = cv2.dilate(part, np.ones((5, 5), np.uint8)).astype(np.uint8)
        if correlation(*edges(), (part > 0) & inside) < OVERLAY_EDGES:
            overlay = np.maximum(overlay, part)
    hidden = overlay > 0
    # So much of the content hidden is no banner over a picture, but another product under the same mark.
    return hidden if np.count_nonzero(hidden & shared) < OVERLAY_SHARE * total else np.zeros_like(hidden)


def correlation(first: NDArray[np.float32], second: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """Return Pearson's correlation of two (h, w) maps inside a mask, 0 where one of them is even."""
    one, two = first[mask], second[mask]
    if not len(one):
        return 0.0
    one, two = one - one.mean(), two - two.mean()
    norm = float(np.sqrt((one @ one) * (two @ two)))
    return float(one @ two) / norm if norm > 1e-6 else 0.0
