"""Verification in pixels: is what two aligned pictures share really the same picture?

Features forgive what a shopper does not: another color, another angle. So the pictures are laid over each other and
compared for structure (local correlation), color (CIE Lab) and how much of their content they share.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.duplicates.affine import Transform, invert, transform_boxes

Box = tuple[float, float, float, float]
WINDOW = 11  # pixels; side of the window of local statistics
BLUR = 1.2  # pixels; sigma of the blur before anything is compared
COLOR_BLUR = 2.0  # pixels; sigma of the further blur before colors are, as JPEG keeps them coarsely
NOISE = 4.0  # gray levels; texture weaker than this is not compared
TEXTURE_CAP = 20.0  # gray levels; stronger texture does not count more than this
MAX_GAIN = 1.4  # brightness may differ by this factor
COLOR_CHANGE = 7.0  # Lab distance from which a pixel counts as recolored
OVERLAY_EDGES = 0.4  # correlation of the two pictures' edges above which a changed part is recolored, not covered
OVERLAY_SHARE = 0.45  # changed parts larger than this share of what is shared are no banner
STRONG_EDGE = 10.0  # Lab distance per pixel; stronger edges do not count more than this


@dataclass(frozen=True, eq=False)
class View:
    """A picture at verification size: (h, w, 3) float32 RGB 0..255 and (h, w) float32 content in 0..1."""

    pixels: NDArray[np.float32]
    content: NDArray[np.float32]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return (self.pixels.shape[1], self.pixels.shape[0])


@dataclass(frozen=True, eq=False)
class Comparison:
    """What two aligned pictures have in common.

    `structure` is the mean local correlation, `color_shift` the upper quartile of the Lab distance and
    `greatest_color_shift` its 98th percentile, which a recolored trim moves, too; `recolored` the
    share of the shared content that changed color, `covered` the share that an overlay hides, `coverage` and
    `least_coverage` the larger and the smaller of the two shares of a picture's content that are shared. Boxes are x, y,
    width, height of the shared part.
    """

    structure: float
    color_shift: float
    greatest_color_shift: float
    recolored: float
    covered: float
    coverage: float
    least_coverage: float
    first_box: Box
    second_box: Box

    @property
    def agreement(self) -> float:
        """How well the alignment fits, whatever the colors: structure, on as much of both pictures as possible."""
        return self.structure * self.coverage * min(1.0, 2 * self.least_coverage)


def make_view(pixels: NDArray[np.uint8], content: NDArray[np.uint8], side: int) -> View:
    """Shrink (H, W, 3) pixels and their (H, W) content mask to a long side of `side`."""
    factor = side / max(content.shape)
    size = (max(1, round(content.shape[1] * factor)), max(1, round(content.shape[0] * factor)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    share = cv2.resize(content.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return View(small, np.asarray(share, dtype=np.float32))


def compare(first: View, second: View, transform: Transform) -> Comparison | None:
    """Compare two views under the transform from the first's pixels to the second's; None where nothing is shared.

    The larger rendering is shrunk into the frame of the smaller one, so that both are equally sharp.
    """
    if abs(np.linalg.det(transform[:, :2])) > 1:
        swapped = compare(second, first, invert(transform))
        return swapped and Comparison(
            **{**vars(swapped), "first_box": swapped.second_box, "second_box": swapped.first_box}
        )
    width, height = second.size
    warped = _warp(first, transform, (width, height))
    valid = _warp_ones(first, transform, (width, height))  # (h, w) bool: what the first picture covers
    shared = valid & (np.maximum(warped.content, second.content) > 0.5)
    if shared.sum() < WINDOW**2:
        return None
    shrink = abs(float(np.linalg.det(transform[:, :2])))
    first_total = max(float((first.content > 0.5).sum()) * shrink, 1.0)
    second_total = max(float((second.content > 0.5).sum()), 1.0)
    coverages = (
        min(float((valid & (warped.content > 0.5)).sum()) / first_total, 1.0),
        min(float((valid & (second.content > 0.5)).sum()) / second_total, 1.0),
    )
    laid_over = np.where(valid[:, :, None], warped.pixels, second.pixels)  # so that no border bleeds into a blur
    one, other = _smooth(laid_over, BLUR), _smooth(second.pixels, BLUR)
    distance = lab_distance(_smooth(one, COLOR_BLUR), _smooth(other, COLOR_BLUR), shared)
    changed = cv2.morphologyEx((distance > COLOR_CHANGE).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    overlay = overlay_mask(changed > 0, valid, shared, edge_strength(one), edge_strength(other))
    kept = shared & ~overlay
    if kept.sum() < WINDOW**2:
        return None
    rows, columns = np.nonzero(shared)
    x, y = int(columns.min()), int(rows.min())
    second_box = (float(x), float(y), float(columns.max() + 1 - x), float(rows.max() + 1 - y))
    return Comparison(
        structure=structure(_luma(one), _luma(other), kept),
        color_shift=float(np.percentile(distance[kept], 75)),
        greatest_color_shift=float(np.percentile(distance[kept], 98)),
        recolored=float(changed[kept].mean()),
        covered=float(overlay[shared].mean()),
        coverage=max(coverages),
        least_coverage=min(coverages),
        first_box=_clipped_box(invert(transform), second_box, first.size),
        second_box=second_box,
    )


def structure(first: NDArray[np.float32], second: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """Return the mean local correlation of two (h, w) lumas inside a mask, weighted by texture."""
    correlation, texture = local_correlation(first, second, mask)
    return float(np.average(correlation[mask], weights=texture[mask]))


def local_correlation(
    first: NDArray[np.float32], second: NDArray[np.float32], mask: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the correlation (h, w) of two (h, w) lumas within windows, and the texture (h, w) that it rests on.

    This is the contrast-structure term of SSIM (Wang et al., 2004), with statistics that see nothing outside the mask:
    0 where only one picture has texture. Where neither has any there is little to compare, and it is 1.
    """
    inside = mask.astype(np.float32)
    count = np.maximum(_box(inside), 1e-3)

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(_box(values * inside) / count, dtype=np.float32)

    mean_one, mean_two = mean(first), mean(second)
    variance_one = np.maximum(mean(first * first) - mean_one**2, 0)
    variance_two = np.maximum(mean(second * second) - mean_two**2, 0)
    covariance = mean(first * second) - mean_one * mean_two
    noise = NOISE**2
    correlation = (2 * covariance + noise) / (variance_one + variance_two + noise)
    weight = np.minimum(np.sqrt(np.maximum(variance_one, variance_two)), TEXTURE_CAP) + 0.5
    return correlation, weight


def lab_distance(
    first: NDArray[np.float32], second: NDArray[np.float32], mask: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return the (h, w) distance in CIE Lab of two (h, w, 3) RGB 0..255 pictures after one common gain of light.

    Lightness counts half: shade and exposure change it more than a dye changes hue.
    """
    ratio = (_luma(second)[mask] + 1) / (_luma(first)[mask] + 1)
    ratio = ratio[(ratio > 1 / MAX_GAIN) & (ratio < MAX_GAIN)]  # what differs by more is covered or recolored
    gain = float(np.median(ratio)) if len(ratio) else 1.0
    # The darker one is lightened, so that both are cut off where the lighter one was.
    one = _lab(first * np.float32(max(gain, 1.0)))
    two = _lab(second * np.float32(max(1 / gain, 1.0)))
    difference = (one - two) * np.array([0.5, 1.0, 1.0], np.float32)
    return np.asarray(np.sqrt((difference**2).sum(axis=2)), dtype=np.float32)


def edge_strength(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how fast (h, w) the colors of (h, w, 3) RGB 0..255 change, in Lab distance per pixel, cut off when strong."""
    lab = _lab(pixels)
    steps = [cv2.Sobel(lab, cv2.CV_32F, dx, dy, scale=1 / 8) for dx, dy in ((1, 0), (0, 1))]
    strength = np.sqrt(sum((step**2).sum(axis=2) for step in steps))
    return np.asarray(np.minimum(strength, STRONG_EDGE), dtype=np.float32)


def overlay_mask(
    changed: NDArray[np.bool_],
    valid: NDArray[np.bool_],
    shared: NDArray[np.bool_],
    first_edges: NDArray[np.float32],
    edges: NDArray[np.float32],
) -> NDArray[np.bool_]:
    """Return (h, w), True on changed parts that hide what was there: banners, badges and stickers laid over one picture.

    A recolored part keeps its outline, its seams and its folds, so the strengths (h, w) of the two pictures' edges
    correlate; an overlay has its own. `valid` is where both pictures lie, `shared` where one of them shows content.
    """
    overlay = np.zeros(changed.shape, dtype=np.uint8)
    total = max(int(shared.sum()), 1)
    # Along the pictures' own edge there is no outline to judge by.
    inside = cv2.erode(np.pad(valid, 1).astype(np.uint8), np.ones((7, 7), np.uint8))[1:-1, 1:-1] > 0
    contours, _ = cv2.findContours((changed & valid).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for contour in contours:
        if not 0.01 * total < cv2.contourArea(contour) < OVERLAY_SHARE * total:
            continue
        part = cv2.drawContours(np.zeros_like(overlay), [contour], -1, (1,), cv2.FILLED)
        part = cv2.dilate(part, np.ones((5, 5), np.uint8)).astype(np.uint8)
        if correlation(first_edges, edges, (part > 0) & inside) < OVERLAY_EDGES:
            overlay = np.maximum(overlay, part)
    hidden = overlay > 0
    # So much of the content hidden is no banner over a picture, but another product under the same mark.
    return hidden if (hidden & shared).sum() < OVERLAY_SHARE * total else np.zeros_like(hidden)


def correlation(first: NDArray[np.float32], second: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """Return Pearson's correlation of two (h, w) maps inside a mask, 0 where one of them is even."""
    one, two = first[mask], second[mask]
    if not len(one):
        return 0.0
    one, two = one - one.mean(), two - two.mean()
    norm = float(np.sqrt((one @ one) * (two @ two)))
    return float(one @ two) / norm if norm > 1e-6 else 0.0


def _warp(view: View, transform: Transform, size: tuple[int, int]) -> View:
    """Draw a view into a frame of (width, height), blurred first as far as it shrinks."""
    shrink = float(np.sqrt(abs(np.linalg.det(transform[:, :2]))))
    pixels = view.pixels
    if shrink < 0.8:
        pixels = _smooth(pixels, 0.4 / shrink)
    white = (255.0, 255.0, 255.0)
    drawn = cv2.warpAffine(pixels, transform, size, flags=cv2.INTER_LINEAR, borderValue=white)
    content = cv2.warpAffine(view.content, transform, size, flags=cv2.INTER_LINEAR, borderValue=(0.0,))
    return View(drawn.astype(np.float32), content.astype(np.float32))


def _warp_ones(view: View, transform: Transform, size: tuple[int, int]) -> NDArray[np.bool_]:
    ones = np.ones((view.size[1], view.size[0]), np.float32)
    return np.asarray(cv2.warpAffine(ones, transform, size, flags=cv2.INTER_LINEAR) > 0.99)


def _clipped_box(transform: Transform, box: Box, size: tuple[int, int]) -> Box:
    """Map a box into a picture of (width, height), clipped to it."""
    x, y, width, height = transform_boxes(transform, np.array([box]))[0].tolist()
    left, top = min(max(x, 0.0), size[0]), min(max(y, 0.0), size[1])
    right, bottom = min(max(x + width, 0.0), size[0]), min(max(y + height, 0.0), size[1])
    return (left, top, right - left, bottom - top)


def _smooth(pixels: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), dtype=np.float32)


def _lab(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(np.clip(pixels / np.float32(255), 0, 1), cv2.COLOR_RGB2LAB), dtype=np.float32)


def _luma(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), dtype=np.float32)


def _box(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(
        cv2.boxFilter(values, cv2.CV_32F, (WINDOW, WINDOW), borderType=cv2.BORDER_CONSTANT), dtype=np.float32
    )
