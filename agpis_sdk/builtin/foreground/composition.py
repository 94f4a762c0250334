"""Numbers that describe a picture's composition: where the product is, how it is cut, and what surrounds it.

An embedding learns what comes first in the shops that it was trained on; that the whole product is in the middle, before
a plain background, and seen from the front, holds in others as well.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

NAMES = (
    "area", "extent", "width", "height", "fill", "fill squared", "box coverage", "hull coverage", "sides cut", "side cut most",
    "left or right cut", "top cut", "bottom cut", "off-center across", "off-center down", "parts", "largest part", "elongation",
    "upright", "diagonal", "top width", "middle width", "bottom width", "mask symmetry", "luma symmetry", "uncertain",
    "ring plainness", "ring whiteness", "ring colors", "outside whiteness", "outside scatter", "outside colors", "outside edges",
    "inside edges", "inside scatter", "inside colors", "inside lightness", "skin", "skin above", "contrast", "picture aspect",
    "all edges",
)  # fmt: skip
"""Names of the numbers, in the order of `describe`."""

PART_SHARE = 0.02
WHITE = 240
# Skin in YCrCb (Chai and Ngan, IEEE TCSVT 1999): Cr 133..173, Cb 77..127.
SKIN_LOW, SKIN_HIGH = (0, 133, 77), (255, 173, 127)


def describe(
    pixels: NDArray[np.uint8], probability: NDArray[np.float32], ring_numbers: tuple[float, float, float]
) -> NDArray[np.float32]:
    """Return the numbers (len(NAMES),) of an image, each about 0..1.

    Args:
        pixels: (h, w, 3) RGB, reduced to the size of `probability`.
        probability: (h, w) in 0..1 that a pixel belongs to the product.
        ring_numbers: Plainness, whiteness and colors of the ring along the picture's edge.
    """
    mask = probability >= 0.5
    if not mask.any():
        mask = probability >= probability.max()
    lab = (cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB) / np.float32(255)).astype(np.float32)
    gray = np.ascontiguousarray(lab[..., 0])
    edges = cv2.Canny(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), 60, 160) > 0
    numbers = (
        *_shape(mask),
        *_symmetry(mask, gray),
        float((1 - np.abs(2 * probability - 1)).mean()),
        ring_numbers[0],
        ring_numbers[1],
        min(ring_numbers[2] / 10.0, 3.0),
        *_surroundings(pixels, lab, edges, mask),
        *_product(pixels, lab, edges, mask),
        float(np.log(pixels.shape[1] / pixels.shape[0])),
        float(edges.mean()),
    )
    return np.array(numbers, dtype=np.float32)


def _shape(mask: NDArray[np.bool_]) -> tuple[float, ...]:
    """Return area, box, coverage, cuts, offset, parts and axes of a mask (h, w)."""
    height, width = mask.shape
    area = float(mask.mean())
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, bottom, left, right = rows[0] / height, (rows[-1] + 1) / height, columns[0] / width, (columns[-1] + 1) / width
    box_width, box_height = right - left, bottom - top
    sides = [float(side.mean()) for side in (mask[:, 0], mask[0], mask[:, -1], mask[-1])]
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    parts = stats[1:, cv2.CC_STAT_AREA] / mask.sum()
    points = np.argwhere(mask)[:, ::-1].astype(np.float32)
    hull = hull_area(mask) / mask.size if count > 1 and len(points) > 2 else area
    fill = box_width * box_height
    return (
        area, max(box_width, box_height), box_width, box_height, fill, fill**2, area / fill, min(area / max(hull, 1e-3), 1.2),
        sum(side > 0.05 for side in sides) / 4, max(sides), max(sides[0], sides[2]), sides[1], sides[3],
        abs((left + right) / 2 - 0.5), (top + bottom) / 2 - 0.5, min(int((parts > PART_SHARE).sum()), 6) / 6, float(parts.max()),
        *_axes(points), *_widths(mask[rows[0] : rows[-1] + 1], columns),
    )  # fmt: skip


def hull_area(mask: NDArray[np.bool_]) -> float:
    """Return the area of the convex hull of a mask (h, w); the ends of its rows are all that it depends on."""
    rows = np.flatnonzero(mask.any(axis=1))
    first, last = mask[rows].argmax(axis=1), mask.shape[1] - 1 - mask[rows, ::-1].argmax(axis=1)
    ends = np.concatenate([np.stack([first, rows], axis=1), np.stack([last, rows], axis=1)])
    return float(cv2.contourArea(cv2.convexHull(ends.astype(np.float32))))


def _axes(points: NDArray[np.float32]) -> tuple[float, float, float]:
    """Return elongation in 0..1 of points (n, 2), and how upright (-1 lying, 1 standing) and diagonal their main axis is."""
    if len(points) < 3:
        return 0.0, 0.0, 0.0
    (xx, xy), (_, yy) = np.cov(points.T)
    spread = np.hypot(xx - yy, 2 * xy) + 1e-6
    return float(spread / (xx + yy + 1e-6)), float((yy - xx) / spread), float(abs(2 * xy) / spread)


def _widths(rows: NDArray[np.bool_], columns: NDArray[np.intp]) -> tuple[float, float, float]:
    """Return how wide the mask is in the upper, middle and lower third of its box, as shares of the box."""
    across = max(int(columns[-1] - columns[0] + 1), 1)
    upper, middle, lower = (
        float(part.sum(axis=1).mean()) / across if len(part) else 0.0 for part in np.array_split(rows, 3)
    )
    return upper, middle, lower


def _symmetry(mask: NDArray[np.bool_], gray: NDArray[np.float32]) -> tuple[float, float]:
    """Return the IoU of the mask with its mirror image, and the correlation of the picture with its own, within the box."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    inner, luma = mask[box], gray[box]
    mirrored = inner[:, ::-1]
    overlap = float((inner & mirrored).sum() / (inner | mirrored).sum())
    if luma.std() < 0.01:
        return overlap, 0.0
    return overlap, float(np.corrcoef(luma.ravel(), luma[:, ::-1].ravel())[0, 1])


def _surroundings(
    pixels: NDArray[np.uint8], lab: NDArray[np.float32], edges: NDArray[np.bool_], mask: NDArray[np.bool_]
) -> tuple[float, ...]:
    """Return whiteness, scatter, colors and edges of what lies clearly outside the product; 0 where nothing does."""
    outside = cv2.dilate(mask.astype(np.uint8), np.ones((7, 7), np.uint8)) == 0
    if outside.mean() < 0.01:
        return 0.0, 0.0, 0.0, 0.0
    places = np.flatnonzero(outside)
    around = lab.reshape(-1, 3)[places]  # (n, 3)
    return (
        float((pixels.reshape(-1, 3)[places].T.min(axis=0) > WHITE).mean()),
        float(around[:, 0].std()),
        float(10 * around[:, 1:].std(axis=0).mean()),
        float(edges.ravel()[places].mean()),
    )


def _product(
    pixels: NDArray[np.uint8], lab: NDArray[np.float32], edges: NDArray[np.bool_], mask: NDArray[np.bool_]
) -> tuple[float, ...]:
    """Return edges, scatter, colors, lightness, skin and contrast to the surroundings of the product's pixels."""
    within, beyond = np.flatnonzero(mask), np.flatnonzero(~mask)
    inside, rest = (lab.reshape(-1, 3)[places] for places in (within, beyond))  # (n, 3)
    skin = cv2.inRange(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb), np.array(SKIN_LOW), np.array(SKIN_HIGH)) > 0
    upper = skin[: max(1, mask.shape[0] // 3)][mask[: max(1, mask.shape[0] // 3)]]
    contrast = float(np.abs(inside.mean(axis=0) - rest.mean(axis=0)).sum()) if len(rest) else 0.0
    return (
        float(edges.ravel()[within].mean()),
        float(inside[:, 0].std()),
        float(10 * inside[:, 1:].std(axis=0).mean()),
        float(inside[:, 0].mean()),
        float(skin[mask].mean()),
        float(upper.mean()) if upper.size else 0.0,
        contrast,
    )
