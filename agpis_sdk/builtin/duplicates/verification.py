"""Verification in pixels: is what two aligned pictures share really the same picture?

Features forgive what a shopper does not: another color, another angle. So the pictures are laid over each other and
compared for structure (local correlation), color (CIE Lab) and how much of their content they share.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.arrays import quantile, squared_length
from agpis_sdk.builtin.duplicates.affine import Box, Transform, invert, transform_boxes
from agpis_sdk.builtin.duplicates.collage import repeated_part
from agpis_sdk.builtin.duplicates.overlay import OVERLAY_EDGES, correlation, edge_strength, overlay_mask
from agpis_sdk.builtin.duplicates.superposition import Overlaid, View, lay_over, smooth
from agpis_sdk.builtin.duplicates.tone import Tone, common_tone

WINDOW = 11  # pixels; side of the window of local statistics
BLUR = 1.2  # pixels; sigma of the blur before anything is compared
COLOR_BLUR = 2.0  # pixels; sigma of the further blur before colors are, as JPEG keeps them coarsely
NOISE = 4.0  # gray levels; texture weaker than this is not compared
TEXTURE_CAP = 20.0  # gray levels; stronger texture does not count more than this
COLOR_CHANGE = 7.0  # Lab distance from which a pixel counts as recolored
BROAD = 6.0  # pixels; sigma of the surroundings over which hues are averaged
GRAY = 6.0  # gray levels between the channels of a picture without color,
MOST_COLORFUL = 0.01  # but for this share of it
PARTED = 0.75  # structure below which the pictures may share one part of a collage alone
MUCH_HIDDEN = 0.2  # share under an overlay from which it may be another picture instead,
AGREED = 0.95  # unless the structure of the rest agrees as well as this


@dataclass(frozen=True, eq=False)
class Comparison:
    """What two aligned pictures have in common.

    `structure` is the mean local correlation, `color_shift` the upper quartile of the Lab distance and
    `greatest_color_shift` its 98th percentile, which a recolored trim moves, too; `recolored` the
    share of the shared content that changed color, `tint` the 95th percentile of the distance of hues in broad areas, which
    JPEG leaves alone. `covered` is the share that an overlay hides, `coverage` and `least_coverage` are the larger and the
    smaller of the two shares of a picture's content that are shared. `squeeze` is the logarithm of how much more the transform
    stretches one direction than the other. `tone` is what the exposure changed, `grayed` whether one picture is gray and the
    other is not, `parted` whether they share one part and have nothing in common beside it. `differing` and `recolored_details`
    come from a close look (`close_look.py`), 0 before it. Boxes are x, y, width, height of the shared part.
    """

    structure: float
    color_shift: float
    greatest_color_shift: float
    recolored: float
    tint: float
    covered: float
    coverage: float
    least_coverage: float
    squeeze: float
    tone: Tone
    grayed: bool
    first_box: Box
    second_box: Box
    parted: bool = False
    differing: float = 0.0
    recolored_details: float = 0.0

    @property
    def agreement(self) -> float:
        """How well the alignment fits, whatever the colors: structure, on as much of both pictures as possible."""
        return self.structure * self.coverage * min(1.0, 2 * self.least_coverage)


def compare(first: View, second: View, transform: Transform) -> Comparison | None:
    """Compare two views under the transform from the first's pixels to the second's; None where nothing is shared.

    The larger rendering is shrunk into the frame of the smaller one, so that both are equally sharp.
    """
    if abs(np.linalg.det(transform[:, :2])) > 1:
        swapped = compare(second, first, invert(transform))
        return swapped and replace(swapped, first_box=swapped.second_box, second_box=swapped.first_box)
    laid = lay_over(first, second, transform, BLUR)
    if laid.shared.sum() < WINDOW**2:
        return None
    whole = laid
    laid, found = _in_common(laid)
    if found.kept.sum() < WINDOW**2:
        return None
    shrink = abs(float(np.linalg.det(transform[:, :2])))
    coverages = (
        _share(laid.valid & laid.first_content, (first.content > 0.5).sum() * shrink),
        _share(laid.valid & laid.second_content, (second.content > 0.5).sum()),
    )
    stretch = np.linalg.svd(transform[:, :2], compute_uv=False)
    second_box = _box_of(laid.shared)
    distance, kept = found.distance, found.kept
    return Comparison(
        structure=found.structure,
        color_shift=quantile(distance[kept], 0.75),
        greatest_color_shift=quantile(distance[kept], 0.98),
        recolored=float(found.recolored[kept].mean()),
        tint=found.tint,
        covered=_share(laid.shared & ~kept, laid.shared.sum()),
        coverage=max(coverages),
        least_coverage=min(coverages),
        squeeze=float(np.log(stretch[0] / stretch[1])),
        tone=found.tone,
        grayed=found.grayed,
        first_box=_clipped_box(invert(transform), second_box, first.size),
        second_box=second_box,
        parted=laid is not whole,
    )


def _in_common(laid: Overlaid) -> tuple[Overlaid, Differences]:
    """Return what two pictures share and how it differs: all of it, or the one part of a collage that they agree in."""
    found = differences(laid)
    hidden = _share(laid.shared & ~found.kept, laid.shared.sum())
    if found.structure >= (PARTED if hidden <= MUCH_HIDDEN else AGREED):
        return laid, found
    band = repeated_part(*local_correlation(*found.lumas, laid.shared), laid.shared)
    # A dye turns light into dark, too, but keeps the outlines.
    if band is None or correlation(*found.edges, laid.shared & ~band) > OVERLAY_EDGES:
        return laid, found
    part = replace(laid, valid=laid.valid & band, shared=laid.shared & band)
    return part, differences(part)


@dataclass(frozen=True, eq=False)
class Differences:
    """What differs between two pictures that are laid over each other, all (h, w)."""

    structure: float
    lumas: tuple[NDArray[np.float32], NDArray[np.float32]]
    edges: tuple[NDArray[np.float32], NDArray[np.float32]]
    distance: NDArray[np.float32]
    recolored: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    tint: float
    tone: Tone
    grayed: bool


def differences(laid: Overlaid) -> Differences:
    """Compare structure and colors after one common change of exposure, leaving out what an overlay hides."""
    one, other = laid.one, laid.other
    grayed = is_gray(one, laid.valid) != is_gray(other, laid.valid)
    if grayed:
        one, other = (np.repeat(_luma(picture)[:, :, None], 3, axis=2) for picture in (one, other))
    tone = common_tone(one, other, laid.valid)
    one, other = tone.applied(one, other)
    lab_one, lab_other = _lab(smooth(one, COLOR_BLUR)), _lab(smooth(other, COLOR_BLUR))
    difference = (lab_one - lab_other) * np.array([0.5, 1.0, 1.0], np.float32)
    distance = np.sqrt(squared_length(difference))
    opened = cv2.morphologyEx((distance > COLOR_CHANGE).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    recolored = opened > 0
    edges = (edge_strength(_lab(one)), edge_strength(_lab(other)))
    overlay = overlay_mask(recolored, laid.valid, laid.shared, *edges)
    kept = laid.shared & ~overlay
    if not kept.any():
        kept = laid.shared
    lumas = (_luma(one), _luma(other))
    return Differences(
        lumas=lumas,
        edges=edges,
        structure=structure(*lumas, kept),
        distance=distance,
        recolored=recolored,
        kept=kept,
        tint=broad_shift(difference[:, :, 1:], kept),
        tone=tone,
        grayed=grayed,
    )


def broad_shift(difference: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """Return the 95th percentile of the length of an (h, w, 2) difference of hues, each the mean of its surroundings."""
    inside = mask.astype(np.float32)
    sums = smooth(np.dstack([difference * inside[:, :, None], inside]), BROAD)  # (h, w, 2 hues and the weight)
    squares = squared_length(sums[:, :, :2])[mask] / np.square(np.maximum(sums[:, :, 2][mask], 1e-3))
    return float(np.sqrt(quantile(squares, 0.95)))


def is_gray(pixels: NDArray[np.float32], mask: NDArray[np.bool_]) -> bool:
    """Tell whether an (h, w, 3) RGB picture has no color inside a mask, but for specks."""
    red, green, blue = cv2.split(pixels)
    colorful = cv2.max(cv2.max(red, green), blue) - cv2.min(cv2.min(red, green), blue) >= GRAY
    return bool((colorful & mask).sum() <= MOST_COLORFUL * mask.sum())


def structure(first: NDArray[np.float32], second: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """Return the mean local correlation of two (h, w) lumas inside a mask, weighted by texture."""
    correlation, texture = local_correlation(first, second, mask)
    return float(np.average(correlation[mask], weights=texture[mask]))


def local_correlation(
    first: NDArray[np.float32], second: NDArray[np.float32], mask: NDArray[np.bool_], window: int = WINDOW
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the correlation (h, w) of two (h, w) lumas within windows, and the texture (h, w) that it rests on.

    This is the contrast-structure term of SSIM (Wang et al., 2004), with statistics that see nothing outside the mask:
    0 where only one picture has texture. Where neither has any there is little to compare, and it is 1.
    """
    inside = mask.astype(np.float32)
    count = np.maximum(_box(inside, window), 1e-3)

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(_box(values * inside, window) / count, dtype=np.float32)

    mean_one, mean_two = mean(first), mean(second)
    variance_one = np.maximum(mean(first * first) - mean_one**2, 0)
    variance_two = np.maximum(mean(second * second) - mean_two**2, 0)
    covariance = mean(first * second) - mean_one * mean_two
    noise = NOISE**2
    correlation = (2 * covariance + noise) / (variance_one + variance_two + noise)
    weight = np.minimum(np.sqrt(np.maximum(variance_one, variance_two)), TEXTURE_CAP) + 0.5
    return correlation, weight


def _share(part: NDArray[np.bool_], total: float) -> float:
    return min(float(part.sum()) / max(float(total), 1.0), 1.0)


def _box_of(mask: NDArray[np.bool_]) -> Box:
    rows, columns = np.nonzero(mask)
    x, y = int(columns.min()), int(rows.min())
    return (float(x), float(y), float(columns.max() + 1 - x), float(rows.max() + 1 - y))


def _clipped_box(transform: Transform, box: Box, size: tuple[int, int]) -> Box:
    """Map a box into a picture of (width, height), clipped to it."""
    x, y, width, height = transform_boxes(transform, np.array([box]))[0].tolist()
    left, top = min(max(x, 0.0), size[0]), min(max(y, 0.0), size[1])
    right, bottom = min(max(x + width, 0.0), size[0]), min(max(y + height, 0.0), size[1])
    return (left, top, right - left, bottom - top)


def _box(values: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    return np.asarray(
        cv2.boxFilter(values, cv2.CV_32F, (window, window), borderType=cv2.BORDER_CONSTANT), dtype=np.float32
    )


def _lab(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(np.clip(pixels / np.float32(255), 0, 1), cv2.COLOR_RGB2LAB), dtype=np.float32)


def _luma(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), dtype=np.float32)
