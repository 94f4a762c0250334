"""A line of text as it was read off a picture: what the fact "text.lines" is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass

Point = tuple[float, float]
FACT = "text.lines"


@dataclass(frozen=True)
class TextLine:
    """One line of text: what it says, how sure the recognizer is (0..1), and where it stands.

    `corners` are top left, top right, bottom right and bottom left of the lettering, in pixels of `DecodedImage.pixels`.
    """

    text: str
    confidence: float
    corners: tuple[Point, Point, Point, Point]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The upright box around it: left, top, width and height."""
        xs, ys = zip(*self.corners, strict=True)
        return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)

    @property
    def height(self) -> float:
        """How high the lettering is, measured across its own direction, in pixels."""
        (_, first, second, _), (start, _, _, end) = self.corners, self.corners
        return (math.dist(first, second) + math.dist(start, end)) / 2

    @property
    def tilt(self) -> float:
        """By how many degrees its base line, at most 45 of them, is off the level or the plumb line."""
        _, _, right, left = self.corners
        angle = math.degrees(math.atan2(right[1] - left[1], right[0] - left[0])) % 90
        return min(angle, 90 - angle)
