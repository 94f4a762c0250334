"""A close look at a pair that is laid over each other: does it also agree in what is small, such as print and trims?

Tables of one layout and garments with another trim agree in nearly everything. So before a pair is called a duplicate,
its details are compared at the size at which the images were decoded.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.duplicates import alignment
from agpis_sdk.builtin.duplicates.affine import Box, Transform, compose, invert, scaled
from agpis_sdk.builtin.duplicates.picture import Picture
from agpis_sdk.builtin.duplicates.rendering import Rendering
from agpis_sdk.builtin.duplicates.superposition import View, lay_over, within
from agpis_sdk.builtin.duplicates.verification import differences

WINDOW = 7  # pixels; side of the window of local statistics
BLUR = 0.8  # pixels; sigma of the blur before anything is compared
DIFFERS = 0.5  # local correlation below which a detail is another one
FRINGE = 15  # pixels around an overlay in which its remains are not taken for a difference
MOST_MOVED = 6.0  # working pixels by which a refinement may move a corner
RENDERINGS = 4  # kept for the next pair of the same picture, 6 MB each
VIVID = 16.0  # Lab distance from which a small part counts as recolored


def look_closely(first: Picture, second: Picture, transform: Transform, boxes: tuple[Box, Box]) -> tuple[float, float]:
    """Return which share of the texture another one takes the place of, and which share of the content is recolored, 0..1.

    The transform maps the working pixels of the first picture to those of the second; `boxes` are what both share, in the
    same pixels.
    """
    settled = _settled(transform, first.luma, second.luma)
    first_factor, second_factor = (max(one.close_view.size) / max(one.pixels.shape[:2]) for one in (first, second))
    enlarged = compose(scaled(second_factor), compose(settled, invert(scaled(first_factor))))
    if abs(np.linalg.det(enlarged[:, :2])) > 1:  # the other one has fewer pixels than its place takes
        laid = lay_over(second.close_view, first.close_view, invert(enlarged), BLUR, _rendered(first.close_view))
        laid = within(laid, tuple(value * first_factor for value in boxes[0]))
    else:
        laid = lay_over(first.close_view, second.close_view, enlarged, BLUR, _rendered(second.close_view))
        laid = within(laid, tuple(value * second_factor for value in boxes[1]))
    if not laid.shared.any():
        return 0.0, 0.0
    found = differences(laid)
    hidden = (laid.shared & ~found.kept).astype(np.uint8)
    kept = laid.shared & ~(cv2.dilate(hidden, np.ones((FRINGE, FRINGE), np.uint8)) > 0)
    if not kept.any():
        return 0.0, 0.0
    correlation, texture = found.correlation(kept, WINDOW)
    differing = float(texture[kept & (correlation < DIFFERS)].sum() / texture[kept].sum())
    vivid = cv2.erode((found.distance > VIVID).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return differing, float(vivid[kept].mean())


@lru_cache(maxsize=RENDERINGS)
def _rendered(view: View) -> Rendering:
    return view.rendered(BLUR)


def _settled(transform: Transform, first: NDArray[np.float32], second: NDArray[np.float32]) -> Transform:
    """Refine an alignment of two (h, w) lumas to a part of a pixel; one that runs away stays as it was."""
    refined = alignment.refine(transform, first, second)
    if refined is None:
        return transform
    height, width = first.shape
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], dtype=np.float64)
    moved = np.linalg.norm(corners @ (refined - transform).T, axis=1).max()
    return refined if moved < MOST_MOVED else transform
