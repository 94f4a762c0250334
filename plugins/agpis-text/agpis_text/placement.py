"""Was a line of text laid over the picture, or is it printed on the product?

Type that was set on a computer is of one ink on an even ground, sharp, level and in strong contrast. What a camera saw on a
carton or a shirt is shaded, softened, tilted and dull. The SDK's p_nc says whether the picture carries an overlay at all.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

MOST_TILTED = 10.0
MOST_P_NC = 3.0
WEIGHTS = (-0.49, 0.07, 0.002, -0.25, 5.7, 1.4, 0.55)
BIAS = -1.75
"""A logistic regression on the cues, in their order; `benchmarks/text_in_images.py --fit` fits it."""


@dataclass(frozen=True)
class Cues:
    """What speaks for or against an overlay.

    `ink_scatter` and `ground_scatter` are how far the colours of letters and of what is behind them spread (median distance
    in 8-bit Lab, log(1 + x)), `contrast` the distance between both, `tilt` degrees from level, up to 10, `sharpness` the
    steepest edges as a share of the range of brightness per pixel, `width` the line's by the picture's, and `p_nc_logit` the
    log odds of the picture's p_nc, -3..3.
    """

    ink_scatter: float
    ground_scatter: float
    contrast: float
    tilt: float
    sharpness: float
    width: float
    p_nc_logit: float


def overlay_logit(cues: Cues) -> float:
    """Return the log odds that a line was laid over the picture."""
    return BIAS + sum(weight * cue for weight, cue in zip(WEIGHTS, astuple(cues), strict=True))


def probability(logit: float) -> float:
    """Return the probability in 0..1 of log odds.

    >>> probability(0.0)
    0.5
    """
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, logit))))


def cues_of(pixels: NDArray[np.uint8], corners: NDArray[np.float32], p_noncompliant: float) -> Cues:
    """Return the cues of a line in an (H, W, 3) RGB picture, whose corners (4, 2) run clockwise from the top left."""
    odds = min(max(p_noncompliant, 1e-6), 1 - 1e-6)
    line = _straightened(pixels, corners)  # (h, w, 3)
    lab = cv2.cvtColor(line, cv2.COLOR_RGB2LAB).astype(np.float32)
    ink = _ink(lab)
    ink_scatter, ground_scatter = _scatter(lab, ink), _scatter(lab, ~ink)
    contrast = float(np.linalg.norm(np.median(lab[ink], axis=0) - np.median(lab[~ink], axis=0)))
    across, down = corners[1] - corners[0]
    tilt = abs(math.degrees(math.atan2(down, across)))
    return Cues(
        ink_scatter=math.log1p(ink_scatter),
        ground_scatter=math.log1p(ground_scatter),
        contrast=contrast,
        tilt=min(tilt, abs(180 - tilt), MOST_TILTED),
        sharpness=_sharpness(line),
        width=line.shape[1] / pixels.shape[1],
        p_nc_logit=max(-MOST_P_NC, min(MOST_P_NC, math.log(odds / (1 - odds)))),
    )


def _straightened(pixels: NDArray[np.uint8], corners: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the line as a level picture (h, w, 3)."""
    width = max(8, round(float(np.linalg.norm(corners[1] - corners[0]))))
    height = max(8, round(float(np.linalg.norm(corners[2] - corners[1]))))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    turn = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    return cv2.warpPerspective(pixels, turn, (width, height), borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)


def _ink(lab: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which pixels (h, w) of a line are letters: the half, by colour, that its border has less of."""
    colours = lab.reshape(-1, 3) - lab.reshape(-1, 3).mean(axis=0)
    _, _, axes = np.linalg.svd(colours.T @ colours)
    along = (colours @ axes[0]).reshape(lab.shape[:2])  # along the line on which the colours spread most
    low, high = float(along.min()), float(along.max())
    scaled = ((along - low) / max(high - low, 1e-6) * 255).astype(np.uint8)
    _, upper = cv2.threshold(scaled, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    border = np.concatenate([upper[0], upper[-1], upper[:, 0], upper[:, -1]])
    ink = upper.astype(bool) if border.mean() < 0.5 else ~upper.astype(bool)
    if ink.all() or not ink.any():
        ink = np.zeros(ink.shape, dtype=bool)
        ink[0, 0] = True
    return ink


def _scatter(lab: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """Return the median distance of the colours under a mask from their median, away from its edge where it can be."""
    core = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    colours = lab[core if core.sum() >= 6 else mask]
    return float(np.median(np.linalg.norm(colours - np.median(colours, axis=0), axis=1)))


def _sharpness(line: NDArray[np.uint8]) -> float:
    grey = cv2.cvtColor(line, cv2.COLOR_RGB2GRAY).astype(np.float32)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3) / 8, cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3) / 8
    span = float(np.quantile(grey, 0.98) - np.quantile(grey, 0.02))
    return float(np.quantile(np.hypot(across, down), 0.95)) / max(span, 8.0)
