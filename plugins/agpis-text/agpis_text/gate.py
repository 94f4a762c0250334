"""A cheap look for lettering, so that only pictures that may hold text are read."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

SIDES = (384, 128)  # small lettering is found in the first, large in the second
BLOCK = 25  # pixels around, against whose mean a pixel is dark or light
CONTRAST = 40  # gray levels from that mean on
TALL = (5, 60)  # height of a letter in pixels
FULL = (0.2, 0.95)  # share of its box that a letter takes
TURNED = 0.8  # side of a letter by that of its box, where it stands askew


def lettering(pixels: NDArray[np.uint8]) -> int:
    """Return how many marks that look like letters stand in a row, at most, in an (H, W, 3) RGB picture.

    A mark is a connected part, darker or lighter than what is around it, of a letter's size and shape; marks stand in a
    row, level or upright, when they are about equally high, on one line and near each other.
    """
    longest = 0
    height, width = pixels.shape[:2]
    for side in SIDES:
        factor = min(1.0, side / max(height, width))
        size = (max(8, round(width * factor)), max(8, round(height * factor)))
        gray = cv2.cvtColor(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        apart = gray.astype(np.int16) - cv2.blur(gray, (BLOCK, BLOCK))
        for marks in (apart < -CONTRAST, apart > CONTRAST):
            for boxes in _letter_boxes(marks):
                longest = max(longest, _longest_row(boxes))
    return longest


def _letter_boxes(marks: NDArray[np.bool_]) -> Iterator[NDArray[np.float64]]:
    """Yield the boxes (n, 4) of the letter-like parts of an (h, w) mask, for each of four directions of a line.

    The picture is turned so that the line is level: by 0, 90, 45 and -45 degrees, as on a ribbon across a corner.
    """
    _, _, stats, _ = cv2.connectedComponentsWithStats(marks.astype(np.uint8), connectivity=8)
    boxes = stats[1:].astype(np.float64)
    full = boxes[:, 4] / (boxes[:, 2] * boxes[:, 3])
    boxes = boxes[(full >= FULL[0]) & (full <= FULL[1]), :4]
    yield _of_letters(boxes)
    yield _of_letters(boxes[:, [1, 0, 3, 2]])
    x, y = boxes[:, 0] + boxes[:, 2] / 2, boxes[:, 1] + boxes[:, 3] / 2
    side = (boxes[:, 2] + boxes[:, 3]) / 2 * TURNED
    for sign in (1, -1):
        across, down = (x + sign * y) / np.sqrt(2), (y - sign * x) / np.sqrt(2)
        yield _of_letters(np.stack([across - side / 2, down - side / 2, side, side], axis=1))


def _of_letters(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    wide, high = boxes[:, 2], boxes[:, 3]
    return boxes[(high >= TALL[0]) & (high <= TALL[1]) & (wide <= 5 * high) & (high <= 8 * wide)]


def _longest_row(boxes: NDArray[np.float64]) -> int:
    """Return how many of some boxes (n, 4) form the longest row from left to right."""
    boxes = boxes[np.argsort(boxes[:, 0], kind="stable")]
    left, top, wide, high = boxes.T
    if not len(boxes):
        return 0
    gap = left[None, :] - (left + wide)[:, None]
    larger, smaller = np.maximum(high[:, None], high), np.minimum(high[:, None], high)
    near = (gap > -0.3 * smaller) & (gap < 1.0 * larger)
    level = np.abs((top + high)[:, None] - (top + high)) < 0.25 * larger
    level |= np.abs((top + high / 2)[:, None] - (top + high / 2)) < 0.25 * larger
    follows = near & level & (smaller >= 0.5 * larger)
    rows = np.ones(len(boxes), np.int64)
    for index in range(1, len(boxes)):
        before = rows[:index][follows[:index, index]]
        rows[index] += before.max(initial=0)
    return int(rows.max())
