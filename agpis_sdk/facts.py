"""The facts of an image that built-in components provide for anyone who requires them, where they are more than arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FAR_COLOR = 15.0
"""In Lab with L halved: from half of it on colors are told apart, and from one and a half of it on they are others."""


@dataclass(frozen=True, eq=False)
class Background:
    """What surrounds the product: the fact "background", provided by `image-quality`.

    `plainness` is the share of the ring along the picture's edge that one smooth surface of color explains, `whiteness`
    the share that is white, both in 0..1; `colors` is how far the ring's colors scatter (standard deviation of a and b
    in Lab, 0..128).
    """

    plainness: float
    whiteness: float
    colors: float


@dataclass(frozen=True, eq=False)
class Foreground:
    """The product as it stands out from a plain background: the fact "foreground", provided by `image-quality`.

    The fact is None where nothing stands out, and where the background is too busy to tell. `mask` is (h, w) bool at a
    reduced size, `box` (x, y, width, height) in 0..1 of the picture and `fill` its area. `sides` are the shares of the
    picture's left, top, right and bottom side that the product covers, `touching` the largest of them. `offset` is how
    far the box's middle lies from the picture's, by side, `symmetry` the correlation of the box with its mirror image in
    -1..1, and `parts` the number of its large pieces.
    """

    mask: NDArray[np.bool_]
    box: tuple[float, float, float, float]
    fill: float
    sides: tuple[float, float, float, float]
    touching: float
    offset: float
    symmetry: float
    parts: int


@dataclass(frozen=True, eq=False)
class Palette:
    """The colors of the foreground: the fact "palette", provided by `image-quality`, None where there is no foreground.

    `colors` is (n, 3) float32 in Lab, with L halved to 0..50, as light changes it more than dye does, and a and b in
    -128..127; `shares` (n,) float32 are how much of the foreground has each, adding up to 1.
    """

    colors: NDArray[np.float32]
    shares: NDArray[np.float32]

    def difference(self, other: Palette) -> float:
        """Return how much of the two foregrounds has colors that the other one lacks, 0..1: the mean of both ways."""
        return (self._lacked_by(other) + other._lacked_by(self)) / 2

    def _lacked_by(self, other: Palette) -> float:
        """Return the share whose nearest color in another palette is far off; in between, a part of it."""
        squares = ((self.colors[:, None] - other.colors[None]) ** 2).sum(axis=2)  # (n, m)
        nearest = squares.min(axis=1) ** 0.5
        far = ((nearest - FAR_COLOR / 2) / FAR_COLOR).clip(0, 1)
        return float((far * self.shares).sum())
