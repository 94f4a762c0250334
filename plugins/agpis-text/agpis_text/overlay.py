"""Tells text laid over a picture from text printed on the product, by how the lettering looks and where it stands.

Text laid over a picture is drawn, not photographed: it is sharp where the photo is soft, of one color where print takes
on light and folds, level, strong in contrast, often beside the product or near the picture's edge. Each of these is a
cue; `overlay_score` weighs them. None is sure: a carton on a catalog picture may be as sharp and as level.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk import Foreground
from agpis_text.lines import TextLine

SMALLEST_CORE = 12  # pixels that must be left of strokes when their soft edge is taken off
ONE_COLOR = 5.0  # Lab steps within which two pixels have the same color
STEEP = 0.97  # the share of steps between neighboring pixels that are no steeper than the steepness
AT_EDGE = 0.3  # share of the picture from whose edge on a line stands in the middle
MOST_TILT = 10.0


@dataclass(frozen=True)
class Cues:
    """What speaks for text laid over a picture, or against it.

    Attributes:
        contrast: log2 of the distance in Lab between lettering and ground, by 50; about -1 for print in a photo, 1 for
            black on white.
        steepness: log2 of the steepest steps from pixel to pixel in Lab, by 40; about 0.3 where drawn, -1 where photographed.
        one_color: Share of the strokes' inner pixels, 0..1, that have the commonest color among them.
        tilt: By how much the line is off level or upright, 0..1; 1 from 10 degrees on.
        beside: Share of the line, 0..1, that lies beyond the product's hull; 0 where the background does not tell.
        inset: Distance from the picture's nearest edge, 0..1; 1 from 30 % of the picture on.
        confidence: How sure the recognizer is, 0..1.
    """

    contrast: float
    steepness: float
    one_color: float
    tilt: float
    beside: float
    inset: float
    confidence: float


WEIGHTS = Cues(contrast=0.6, steepness=3.6, one_color=4.7, tilt=-0.5, beside=1.3, inset=-2.6, confidence=2.1)
"""What a step of 1 in each cue adds to the log odds; fitted by `benchmarks/text_in_images.py --fit`."""
BIAS = -1.0


def overlay_score(cues: Cues) -> float:
    """Return how surely a line is laid over the picture, in 0..1: the logistic of the cues' weighted sum.

    >>> drawn = Cues(1.0, 0.4, 0.8, 0.0, 1.0, 0.1, 1.0)
    >>> printed = Cues(-0.8, -1.2, 0.1, 0.5, 0.0, 0.9, 0.8)
    >>> overlay_score(drawn) > 0.9 and overlay_score(printed) < 0.1
    True
    """
    values, weights = asdict(cues), asdict(WEIGHTS)
    return from_log_odds(BIAS + sum(weights[name] * value for name, value in values.items()))


def log_odds(score: float) -> float:
    """Return ln(p / (1 - p)); scores are kept a millionth away from 0 and 1."""
    safe = min(max(score, 1e-6), 1 - 1e-6)
    return math.log(safe / (1 - safe))


def from_log_odds(value: float) -> float:
    """Return the score in 0..1 of log odds."""
    return 1 / (1 + math.exp(-value))


def product_hull(
    foreground: Foreground | None, lines: Sequence[TextLine], size: tuple[int, int]
) -> NDArray[np.bool_] | None:
    """Return where the product is, (h, w) bool as large as the foreground's mask; None where the background hides it.

    The lines are taken out of the mask, as text over a plain background stands out from it, too; of the rest, the largest
    part and what its hull spans are the product. `size` is the picture's (width, height), in which the lines stand.
    """
    if foreground is None:
        return None
    mask = foreground.mask.copy()
    for line in lines:
        x, y, wide, high = line.box
        room = line.height / 4
        mask[_part(mask.shape, size, (x - room, y - room, wide + 2 * room, high + 2 * room))] = False
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    hull = np.zeros(mask.shape, np.uint8)
    if count > 1:
        largest = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
        cv2.fillConvexPoly(hull, cv2.convexHull(cv2.findNonZero(largest.astype(np.uint8))), 1)
    return hull.astype(bool)


def cues_of(pixels: NDArray[np.uint8], line: TextLine, hull: NDArray[np.bool_] | None) -> Cues:
    """Measure a line of an (H, W, 3) RGB picture; `hull` is that of `product_hull`."""
    height, width = pixels.shape[:2]
    contrast, steepness, one_color = _drawing(_straightened(pixels, line))
    x, y, wide, high = line.box
    inset = min(min(x, width - x - wide) / width, min(y, height - y - high) / height)
    return Cues(
        contrast=contrast,
        steepness=steepness,
        one_color=one_color,
        tilt=min(line.tilt / MOST_TILT, 1.0),
        beside=beside_product(line.box, hull, (width, height)),
        inset=min(max(inset / AT_EDGE, 0.0), 1.0),
        confidence=line.confidence,
    )


def beside_product(
    box: tuple[float, float, float, float], hull: NDArray[np.bool_] | None, size: tuple[int, int]
) -> float:
    """Return the share of a box, 0..1, that lies beyond the product's hull; 0 where the hull is not known."""
    return 0.0 if hull is None else 1.0 - float(hull[_part(hull.shape, size, box)].mean())


def _part(shape: tuple[int, ...], size: tuple[int, int], box: tuple[float, float, float, float]) -> tuple[slice, slice]:
    """Return the rows and columns that a box of a picture of `size` covers in a map of `shape`; at least one each."""
    down, across = shape[0] / size[1], shape[1] / size[0]
    x, y, wide, high = box
    top, left = min(max(int(y * down), 0), shape[0] - 1), min(max(int(x * across), 0), shape[1] - 1)
    bottom, right = math.ceil((y + high) * down), math.ceil((x + wide) * across)
    return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))


def _straightened(pixels: NDArray[np.uint8], line: TextLine) -> NDArray[np.float32]:
    """Return the line, turned level, as (h, w, 3) Lab: L in 0..100, a and b in about -128..127."""
    corners = np.array(line.corners, np.float32)
    high = max(4, round(line.height))
    wide = max(4, round(max(math.dist(corners[0], corners[1]), math.dist(corners[3], corners[2]))))
    target = np.array(((0, 0), (wide, 0), (wide, high), (0, high)), np.float32)
    matrix = cv2.getPerspectiveTransform(corners, target)
    patch = cv2.warpPerspective(pixels, matrix, (wide, high), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(patch.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def _drawing(lab: NDArray[np.float32]) -> tuple[float, float, float]:
    """Return contrast, steepness and one_color, as `Cues` has them, of lettering in an (h, w, 3) Lab patch."""
    strokes = _strokes(lab)
    steps = [np.linalg.norm(np.diff(lab, axis=axis), axis=2).ravel() for axis in (0, 1)]
    steepness = math.log2(float(np.quantile(np.concatenate(steps), STEEP)) / 40 + 0.05)
    ink, ground = lab[_core(strokes)], lab[_core(~strokes)]
    if not len(ink) or not len(ground):
        return math.log2(1 / 50), steepness, 0.0
    distance = float(np.linalg.norm(np.median(ink, axis=0) - np.median(ground, axis=0)))
    _, counts = np.unique(np.round(ink / ONE_COLOR), axis=0, return_counts=True)
    return math.log2(max(distance, 1.0) / 50), steepness, float(counts.max() / len(ink))


def _strokes(lab: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return where the strokes are, (h, w): of the two colors that the patch falls into, the one less at its edge."""
    colors = lab.reshape(-1, 3) - lab.reshape(-1, 3).mean(axis=0)
    _, axes = np.linalg.eigh(colors.T @ colors)  # the last axis is the one along which colors differ most
    along = colors @ axes[:, -1]
    low, high = np.quantile(along, (0.01, 0.99))
    levels = np.clip((along - low) / max(high - low, 1e-6) * 255, 0, 255).astype(np.uint8).reshape(lab.shape[:2])
    _, split = cv2.threshold(levels, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    first = split > 0
    edge = np.concatenate([first[0], first[-1], first[:, 0], first[:, -1]])
    return np.asarray(first if edge.mean() < 0.5 else ~first, np.bool_)


def _core(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Take the soft edge off a mask (h, w), unless that leaves next to nothing."""
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    return inner if inner.sum() >= SMALLEST_CORE else mask
