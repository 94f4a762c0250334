"""Verification in pixels: is what two aligned pictures share really the same picture?

Features forgive what a shopper does not: another color, another angle. So the pictures are laid over each other and
compared for structure (local correlation), color (CIE Lab) and how much of their content they share.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.duplicates.affine import Box, Transform, invert, transform_boxes
from agpis_sdk.builtin.duplicates.tone import Tone, common_tone

WINDOW = 11  # pixels; side of the window of local statistics
BLUR = 1.2  # pixels; sigma of the blur before anything is compared
COLOR_BLUR = 2.0  # pixels; sigma of the further blur before colors are, as JPEG keeps them coarsely
NOISE = 4.0  # gray levels; texture weaker than this is not compared
TEXTURE_CAP = 20.0  # gray levels; stronger texture does not count more than this
COLOR_CHANGE = 7.0  # Lab distance from which a pixel counts as recolored
OVERLAY_EDGES = 0.4  # correlation of the two pictures' edges above which a changed part is recolored, not covered
OVERLAY_SHARE = 0.45  # changed parts larger than this share of what is shared are no banner
BROAD = 6.0  # pixels; sigma of the surroundings over which hues are averaged
GRAY = 6.0  # gray levels between the channels of a picture without color
PARTED = 0.75  # structure below which the pictures may share one part of a collage alone
MUCH_HIDDEN = 0.2  # share under an overlay from which it may be another picture instead
BAND_AGREES, BAND_DIFFERS, LEAST_BAND = 0.85, 0.4, 0.3  # structure inside and outside of that part; least share of either
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
    share of the shared content that changed color, `tint` the 95th percentile of the distance of hues in broad areas, which
    JPEG leaves alone. `covered` is the share that an overlay hides, `coverage` and `least_coverage` are the larger and the
    smaller of the two shares of a picture's content that are shared. `squeeze` is the logarithm of how much more the transform
    stretches one direction than the other. `tone` is what the exposure changed, `grayed` whether one picture is gray and the
    other is not. `differing` and `recolored_details` come from a close look (`close_look.py`), 0 before it. Boxes are x, y, width, height of the shared part.
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
    differing: float = 0.0
    recolored_details: float = 0.0

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
        return swapped and replace(swapped, first_box=swapped.second_box, second_box=swapped.first_box)
    laid = lay_over(first, second, transform)
    if laid.shared.sum() < WINDOW**2:
        return None
    changed = changes(laid)
    hidden = float((laid.shared & ~changed.kept).sum() / laid.shared.sum())
    if changed.structure < PARTED or hidden > MUCH_HIDDEN:
        band = common_band(*local_correlation(*changed.lumas, laid.shared), laid.shared)
        if band is not None:
            laid = replace(laid, valid=laid.valid & band, shared=laid.shared & band)
            changed = changes(laid)
    if changed.kept.sum() < WINDOW**2:
        return None
    shrink = abs(float(np.linalg.det(transform[:, :2])))
    first_total = max(float((first.content > 0.5).sum()) * shrink, 1.0)
    second_total = max(float((second.content > 0.5).sum()), 1.0)
    coverages = (
        min(float((laid.valid & laid.first_content).sum()) / first_total, 1.0),
        min(float((laid.valid & laid.second_content).sum()) / second_total, 1.0),
    )
    stretch = np.linalg.svd(transform[:, :2], compute_uv=False)
    rows, columns = np.nonzero(laid.shared)
    x, y = int(columns.min()), int(rows.min())
    second_box = (float(x), float(y), float(columns.max() + 1 - x), float(rows.max() + 1 - y))
    distance, kept = changed.distance, changed.kept
    return Comparison(
        structure=changed.structure,
        color_shift=float(np.percentile(distance[kept], 75)),
        greatest_color_shift=float(np.percentile(distance[kept], 98)),
        recolored=float(changed.recolored[kept].mean()),
        tint=changed.tint,
        covered=float((laid.shared & ~kept).sum() / laid.shared.sum()),
        coverage=max(coverages),
        least_coverage=min(coverages),
        squeeze=float(np.log(stretch[0] / stretch[1])),
        tone=changed.tone,
        grayed=changed.grayed,
        first_box=_clipped_box(invert(transform), second_box, first.size),
        second_box=second_box,
    )


@dataclass(frozen=True, eq=False)
class Laid:
    """The first picture laid over the second, in the second's frame.

    `one` and `other` are (h, w, 3) RGB, `valid` (h, w) is where both lie, `shared` where one of them shows content there.
    """

    one: NDArray[np.float32]
    other: NDArray[np.float32]
    valid: NDArray[np.bool_]
    first_content: NDArray[np.bool_]
    second_content: NDArray[np.bool_]
    shared: NDArray[np.bool_]


def lay_over(first: View, second: View, transform: Transform, blur: float = BLUR) -> Laid:
    """Draw the first view over the second, both blurred by a sigma of `blur` pixels."""
    warped = _warp(first, transform, second.size)
    valid = _warp_ones(first, transform, second.size)
    laid_over = np.where(valid[:, :, None], warped.pixels, second.pixels)  # so that no border bleeds into a blur
    first_content, second_content = warped.content > 0.5, second.content > 0.5
    return Laid(
        _smooth(laid_over, blur),
        _smooth(second.pixels, blur),
        valid,
        first_content,
        second_content,
        valid & (first_content | second_content),
    )


def within(laid: Laid, box: Box) -> Laid:
    """Return what lies inside a box x, y, width, height alone."""
    inside = np.zeros(laid.shared.shape, bool)
    left, top, right, bottom = round(box[0]), round(box[1]), round(box[0] + box[2]), round(box[1] + box[3])
    inside[max(top, 0) : bottom, max(left, 0) : right] = True
    return replace(laid, valid=laid.valid & inside, shared=laid.shared & inside)


@dataclass(frozen=True, eq=False)
class Changes:
    """What differs between two pictures that are laid over each other, all (h, w)."""

    structure: float
    lumas: tuple[NDArray[np.float32], NDArray[np.float32]]
    distance: NDArray[np.float32]
    recolored: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    tint: float
    tone: Tone
    grayed: bool


def changes(laid: Laid) -> Changes:
    """Compare structure and colors after one common change of exposure, leaving out what an overlay hides."""
    one, other = laid.one, laid.other
    grayed = is_gray(one, laid.valid) != is_gray(other, laid.valid)
    if grayed:
        one, other = (np.repeat(_luma(picture)[:, :, None], 3, axis=2) for picture in (one, other))
    tone = common_tone(one, other, laid.valid)
    one, other = tone.applied(one, other)
    lab_one, lab_other = _lab(_smooth(one, COLOR_BLUR)), _lab(_smooth(other, COLOR_BLUR))
    difference = (lab_one - lab_other) * np.array([0.5, 1.0, 1.0], np.float32)
    distance = np.asarray(np.sqrt((difference**2).sum(axis=2)), dtype=np.float32)
    opened = cv2.morphologyEx((distance > COLOR_CHANGE).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    recolored = opened > 0
    overlay = overlay_mask(recolored, laid.valid, laid.shared, edge_strength(one), edge_strength(other))
    kept = laid.shared & ~overlay
    if not kept.any():
        kept = laid.shared
    lumas = (_luma(one), _luma(other))
    return Changes(
        lumas=lumas,
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
    weight = np.maximum(_smooth(inside, BROAD), 1e-3)
    mean = _smooth(difference * inside[:, :, None], BROAD) / weight[:, :, None]
    return float(np.percentile(np.sqrt((mean[mask] ** 2).sum(axis=1)), 95))


def is_gray(pixels: NDArray[np.float32], mask: NDArray[np.bool_]) -> bool:
    """Tell whether an (h, w, 3) RGB picture has no color anywhere inside a mask."""
    chosen = pixels[mask]
    return bool(np.percentile(chosen.max(axis=1) - chosen.min(axis=1), 99) < GRAY)


def common_band(
    correlation: NDArray[np.float32], texture: NDArray[np.float32], shared: NDArray[np.bool_]
) -> NDArray[np.bool_] | None:
    """Return the rows or columns (h, w) along one side in which two pictures agree, while the rest has nothing in common.

    That is a picture put together from parts, of which one is repeated. A variant keeps its outline everywhere, so it has no
    such rest. None where there is no such band.
    """
    best: tuple[float, NDArray[np.bool_]] | None = None
    for axis in (0, 1):
        weights = (texture * shared).sum(axis=axis)
        sums, areas = (correlation * texture * shared).sum(axis=axis), shared.sum(axis=axis).astype(np.float64)
        for flipped in (False, True):
            w, s, a = (np.cumsum(part[::-1] if flipped else part) for part in (weights, sums, areas))
            inner = s / np.maximum(w, 1e-6)
            outer = (s[-1] - s) / np.maximum(w[-1] - w, 1e-6)
            share = a / max(float(a[-1]), 1.0)
            fits = (inner > BAND_AGREES) & (outer < BAND_DIFFERS) & (share > LEAST_BAND) & (share < 1 - LEAST_BAND)
            if not fits.any():
                continue
            split = int(np.flatnonzero(fits)[np.argmax((inner - outer)[fits])])
            if best is None or inner[split] - outer[split] > best[0]:
                line = np.arange(len(a)) <= split
                line = line[::-1] if flipped else line
                best = (
                    float(inner[split] - outer[split]),
                    np.broadcast_to(line if axis == 0 else line[:, None], shared.shape),
                )
    return None if best is None else best[1]


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


def _box(values: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    return np.asarray(
        cv2.boxFilter(values, cv2.CV_32F, (window, window), borderType=cv2.BORDER_CONSTANT), dtype=np.float32
    )
