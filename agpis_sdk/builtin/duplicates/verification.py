"""Verification in pixels: is what two aligned pictures share really the same picture?

Features forgive what a shopper does not: another color, another angle. So the pictures are laid over each other and
compared for structure (local correlation), color (CIE Lab) and how much of their content they share.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.arrays import quantile, squared_length
from agpis_sdk.builtin.duplicates.affine import Box, Transform, invert, transform_boxes
from agpis_sdk.builtin.duplicates.collage import repeated_part
from agpis_sdk.builtin.duplicates.overlay import OVERLAY_EDGES, correlation, overlay_mask
from agpis_sdk.builtin.duplicates.rendering import Rendering, smooth
from agpis_sdk.builtin.duplicates.superposition import Overlaid, View, lay_over
from agpis_sdk.builtin.duplicates.tone import Tone, common_tone

WINDOW = 11  # pixels; side of the window of local statistics
BLUR = 1.2  # pixels; sigma of the blur before anything is compared
NOISE = 4.0  # gray levels; texture weaker than this is not compared
TEXTURE_CAP = 20.0  # gray levels; stronger texture does not count more than this
COLOR_CHANGE = 7.0  # Lab distance from which a pixel counts as recolored
BROAD = 6.0  # pixels; sigma of the surroundings over which hues are averaged
PARTED = 0.75  # structure below which the pictures may share one part of a collage alone
MUCH_HIDDEN = 0.2  # share under an overlay from which it may be another picture instead,
AGREED = 0.95  # unless the structure of the rest agrees as well as this
RENDERINGS = 32  # kept for the next pair of the same picture, 0.9 MB each


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


@dataclass(frozen=True, eq=False)
class Superposed:
    """Two views that a transform lays over each other; `measured` is what they have in common.

    What it takes to choose among alignments is computed first, the rest only for the one that is chosen. Where `swapped`, the
    second view lies over the first, and `transform` is from the second's pixels to the first's.
    """

    views: tuple[View, View]
    transform: Transform
    laid: Overlaid
    found: Differences
    parted: bool
    swapped: bool

    @cached_property
    def coverages(self) -> tuple[float, float]:
        """The shares 0..1 of the two views' contents that are shared."""
        first, second = self.views
        shrink = abs(float(np.linalg.det(self.transform[:, :2])))
        return (
            _share(self.laid.valid & self.laid.first_content, first.area * shrink),
            _share(self.laid.valid & self.laid.second_content, second.area),
        )

    @property
    def structure(self) -> float:
        """The mean local correlation."""
        return self.found.structure

    @property
    def agreement(self) -> float:
        """How well the alignment fits, whatever the colors: structure, on as much of both pictures as possible."""
        return self.structure * max(self.coverages) * min(1.0, 2 * min(self.coverages))

    def measured(self) -> Comparison:
        """Measure everything."""
        distance, kept = self.found.distance[self.found.kept], self.found.kept
        stretch = np.linalg.svd(self.transform[:, :2], compute_uv=False)
        over_box = _box_of(self.laid.shared)
        boxes = (_clipped_box(invert(self.transform), over_box, self.views[0].size), over_box)
        first_box, second_box = reversed(boxes) if self.swapped else boxes
        return Comparison(
            structure=self.structure,
            color_shift=quantile(distance, 0.75),
            greatest_color_shift=quantile(distance, 0.98),
            recolored=float(self.found.recolored[kept].mean()),
            tint=self.found.tint,
            covered=_share(self.laid.shared & ~kept, _count(self.laid.shared)),
            coverage=max(self.coverages),
            least_coverage=min(self.coverages),
            squeeze=float(np.log(stretch[0] / stretch[1])),
            tone=self.found.tone,
            grayed=self.found.grayed,
            first_box=first_box,
            second_box=second_box,
            parted=self.parted,
        )


def superpose(first: View, second: View, transform: Transform) -> Superposed | None:
    """Lay two views over each other by the transform from the first's pixels to the second's; None where nothing is shared.

    The larger rendering is shrunk into the frame of the smaller one, so that both are equally sharp.
    """
    views, over, swapped = larger_first(first, second, transform)
    whole = lay_over(*views, over, BLUR, _rendered(views[1]))
    if _count(whole.shared) < WINDOW**2:
        return None
    laid, found = _in_common(whole)
    if _count(found.kept) < WINDOW**2:
        return None
    return Superposed(views, over, laid, found, parted=laid is not whole, swapped=swapped)


def larger_first(first: View, second: View, transform: Transform) -> tuple[tuple[View, View], Transform, bool]:
    """Return two views, the larger rendering first, the transform from its pixels to the other's, and whether that swapped them."""
    if abs(np.linalg.det(transform[:, :2])) > 1:
        return (second, first), invert(transform), True
    return (first, second), transform, False


@lru_cache(maxsize=RENDERINGS)
def _rendered(view: View) -> Rendering:
    return view.rendered(BLUR)


def compare(first: View, second: View, transform: Transform) -> Comparison | None:
    """Compare two views under the transform from the first's pixels to the second's; None where nothing is shared."""
    superposed = superpose(first, second, transform)
    return None if superposed is None else superposed.measured()


def _in_common(laid: Overlaid) -> tuple[Overlaid, Differences]:
    """Return what two pictures share and how it differs: all of it, or the one part of a collage that they agree in."""
    found = differences(laid)
    hidden = _share(laid.shared & ~found.kept, _count(laid.shared))
    if found.structure >= (PARTED if hidden <= MUCH_HIDDEN else AGREED):
        return laid, found
    whole = found.kept_correlation if found.kept is laid.shared else found.correlation(laid.shared)
    band = repeated_part(*whole, laid.shared)
    # A dye turns light into dark, too, but keeps the outlines.
    if band is None or correlation(found.one.edges, found.other.edges, laid.shared & ~band) > OVERLAY_EDGES:
        return laid, found
    part = replace(laid, valid=laid.valid & band, shared=laid.shared & band)
    return part, differences(part)


@dataclass(frozen=True, eq=False)
class Differences:
    """What differs between two pictures that are laid over each other, of one exposure, all (h, w).

    `difference` (h, w, 3) are the Lab colors of the one less those of the other, lightness halved, and `distance` is its length.
    """

    one: Rendering
    other: Rendering
    difference: NDArray[np.float32]
    distance: NDArray[np.float32]
    recolored: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    tone: Tone
    grayed: bool

    def correlation(
        self, mask: NDArray[np.bool_], window: int = WINDOW
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the local correlation (h, w) inside a mask, and the texture (h, w) that it rests on."""
        return local_correlation(self.one.luma, self.other.luma, mask, window)

    @cached_property
    def kept_correlation(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The same of what no overlay hides."""
        return self.correlation(self.kept)

    @cached_property
    def structure(self) -> float:
        """The mean local correlation of what no overlay hides, weighted by texture."""
        return mean_correlation(*self.kept_correlation, self.kept)

    @cached_property
    def tint(self) -> float:
        """The 95th percentile of the distance of hues in broad areas."""
        return broad_shift(self.difference[:, :, 1:], self.kept)


def differences(laid: Overlaid) -> Differences:
    """Compare colors after one common change of exposure, leaving out what an overlay hides."""
    one, other = laid.one, laid.other
    grayed = one.is_gray(laid.valid) != other.is_gray(laid.valid)
    if grayed:
        one, other = one.in_gray(), other.in_gray()
    tone = common_tone(one.pixels, other.pixels, laid.valid)
    one, other = (
        rendering if pixels is rendering.pixels else Rendering(pixels)
        for rendering, pixels in zip((one, other), tone.applied(one.pixels, other.pixels), strict=True)
    )
    difference = one.coarse_lab - other.coarse_lab
    difference[:, :, 0] *= np.float32(0.5)
    distance = np.sqrt(squared_length(difference))
    opened = cv2.morphologyEx((distance > COLOR_CHANGE).view(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    recolored = opened > 0
    overlay = overlay_mask(recolored, laid.valid, laid.shared, lambda: (one.edges, other.edges))
    kept = laid.shared & ~overlay if overlay.any() else laid.shared
    if not kept.any():
        kept = laid.shared
    return Differences(one, other, difference, distance, recolored, kept, tone, grayed)


def broad_shift(difference: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """Return the 95th percentile of the length of an (h, w, 2) difference of hues, each the mean of its surroundings."""
    inside = mask.astype(np.float32)
    hues = (cv2.multiply(channel, inside) for channel in cv2.split(difference))
    sums = smooth(np.asarray(cv2.merge([*hues, inside]), np.float32), BROAD)  # (h, w, 2 hues and the weight)
    squares = squared_length(sums[:, :, :2])[mask] / np.square(np.maximum(sums[:, :, 2][mask], 1e-3))
    return float(np.sqrt(quantile(squares, 0.95)))


def local_correlation(
    first: NDArray[np.float32], second: NDArray[np.float32], mask: NDArray[np.bool_], window: int = WINDOW
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the correlation (h, w) of two (h, w) lumas within windows, and the texture (h, w) that it rests on.

    This is the contrast-structure term of SSIM (Wang et al., 2004), with statistics that see nothing outside the mask:
    0 where only one picture has texture. Where neither has any there is little to compare, and it is 1.
    """
    inside = mask.astype(np.float32)
    count = np.maximum(_box(inside, window), 1e-3)
    one, other = first * inside, second * inside

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the means in windows of values that are 0 outside the mask."""
        return np.asarray(_box(values, window) / count, dtype=np.float32)

    mean_one, mean_two = mean(one), mean(other)
    variance_one = np.maximum(mean(first * one) - mean_one**2, 0)
    variance_two = np.maximum(mean(second * other) - mean_two**2, 0)
    covariance = mean(first * other) - mean_one * mean_two
    noise = NOISE**2
    correlation = (2 * covariance + noise) / (variance_one + variance_two + noise)
    weight = np.minimum(np.sqrt(np.maximum(variance_one, variance_two)), TEXTURE_CAP) + 0.5
    return correlation, weight


def mean_correlation(correlation: NDArray[np.float32], texture: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """Return the mean of a local correlation (h, w) inside a mask, weighted by the texture (h, w) that it rests on."""
    return float(np.average(correlation[mask], weights=texture[mask]))


def _share(part: NDArray[np.bool_], total: float) -> float:
    return min(_count(part) / max(total, 1.0), 1.0)


def _count(mask: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(mask))


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
