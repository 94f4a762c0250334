"""The facts about an image that components exchange by name: the list of them, and the types that are more than arrays.

A component lists what it reads under `requires` and what it computes under `provides`; each fact is computed once per
image. Whoever provides a fact of the list keeps to its type. A plugin's own facts carry its prefix ("shiny.mask").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Fact:
    """A fact about an image: its name, its type with shape and range, and its meaning."""

    name: str
    type: str
    meaning: str


_LISTED = (
    Fact("embedding", "float32 (C,)", "The backbone's pooled feature of the letterboxed image."),
    Fact("stride32", "float32 (C, h, w)", "The backbone's deepest feature map, 32 input pixels a cell."),
    Fact("stride16", "float32 (C, h, w)", "The backbone's feature map of 16 input pixels a cell."),
    Fact("stride8", "float32 (C, h, w)", "The backbone's feature map of 8 input pixels a cell."),
    Fact("background", "Background", "How plain, white and colorful the picture's edge is."),
    Fact(
        "plain_foreground",
        "Foreground or None",
        "The product as color alone separates it from a plain background, without a model; None before any other.",
    ),
    Fact("foreground", "Foreground or None", "Where the product is, before any background; None where nothing is."),
    Fact(
        "composition",
        "float32 (F,)",
        "Numbers about where the product is, how it is cut and what surrounds it; private to `view` and `primary`.",
    ),
    Fact("product_embedding", "float32 (C,)", "The mean of stride32 over the product alone."),
    Fact("view", "View", "What the image shows: front, back, detail, worn by a model, in use, …; whole or cut."),
    Fact(
        "color_histogram",
        "ColorHistogram or None",
        "The product's colors and their shares; None where there is no foreground.",
    ),
    Fact(
        "p_noncompliant",
        "float in 0..1",
        "Probability that the image breaks a rule that removes it (p_nc); the engine reads it.",
    ),
    Fact(
        "noncompliance.kinds",
        "float32 (kinds,)",
        "Logits of the kinds of non-compliant content, in the order of the head; private to `noncompliance` and `muisc`.",
    ),
    Fact(
        "primary_reasons",
        "tuple of str",
        "What lowers p_primary, in words, the weightiest first; the engine reports it.",
    ),
    Fact(
        "duplicates.picture", "Picture", "Keypoints, regions and views that the pair checker compares; private to it."
    ),
)
FACTS: Final[Mapping[str, Fact]] = {fact.name: fact for fact in _LISTED}
"""Every fact that the SDK's own components provide or require, by name; any plugin may provide one in their place."""

VIEWS: Final = (
    "front", "back", "side", "angle", "detail", "lifestyle", "model", "packaging", "group", "text",
)  # fmt: skip
"""What an image can show of a product: seen from one of four directions, a part of it, in use, worn, its package, several, or a chart."""

FAR_COLOR = 15.0
"""Distance in Lab with L halved: two colors count as the same up to half of it, as different from 1.5 times of it."""


@dataclass(frozen=True, eq=False)
class Background:
    """The surroundings of the product: the fact "background", provided by the component `background`.

    `plainness` is the share of the ring along the picture's edge that one smooth surface of color explains, `whiteness`
    the share that is white, both in 0..1; `colors` is how far the ring's colors scatter (standard deviation of a and b
    in Lab, 0..128).
    """

    plainness: float
    whiteness: float
    colors: float


@dataclass(frozen=True, eq=False)
class Foreground:
    """The product in a picture: the facts "foreground", of the component `foreground`, and "plain_foreground", of `background`.

    The former is None on an empty picture, the latter also where the background is too busy for it. `mask` is (h, w) bool at a
    reduced size, `box` (x, y, width, height) in 0..1 of the picture and `fill` its area. `sides` are the shares of the
    picture's left, top, right and bottom side that the product covers, `touching` the largest of them. `offset` is how
    far the box's center is from the picture's, as a share of the side, whichever axis is further off.
    """

    mask: NDArray[np.bool_]
    box: tuple[float, float, float, float]
    fill: float
    sides: tuple[float, float, float, float]
    touching: float
    offset: float


@dataclass(frozen=True, eq=False)
class View:
    """What an image shows: the fact "view", provided by the component `view`.

    `probabilities` (len(VIEWS),) float32 add up to 1, in the order of `VIEWS`; `whole` is the probability in 0..1 that
    the whole product is in the frame.
    """

    probabilities: NDArray[np.float32]
    whole: float

    @property
    def name(self) -> str:
        """The most probable view."""
        return VIEWS[int(self.probabilities.argmax())]

    def probability(self, name: str) -> float:
        """Return the probability in 0..1 of a view; raises `ValueError` for an unknown name."""
        return float(self.probabilities[VIEWS.index(name)])


@dataclass(frozen=True, eq=False)
class ColorHistogram:
    """The colors of the foreground: the fact "color_histogram", provided by `foreground`, None where there is no foreground.

    The mask is the head's, which leaves out shadows, unless it shows nothing where the fact "foreground" does.

    `colors` is (n, 3) float32 in Lab, with L halved to 0..50, as light changes it more than dye does, and a and b in
    -128..127; `shares` (n,) float32 are how much of the foreground has each, adding up to 1.
    """

    colors: NDArray[np.float32]
    shares: NDArray[np.float32]

    def difference(self, other: ColorHistogram) -> float:
        """Return how much of the two foregrounds has colors that the other one lacks, 0..1: the mean of both ways."""
        return (self._lacked_by(other) + other._lacked_by(self)) / 2

    def _lacked_by(self, other: ColorHistogram) -> float:
        """Return the share whose nearest color in another histogram is far off; in between, a part of it."""
        squares = ((self.colors[:, None] - other.colors[None]) ** 2).sum(axis=2)  # (n, m)
        nearest = squares.min(axis=1) ** 0.5
        far = ((nearest - FAR_COLOR / 2) / FAR_COLOR).clip(0, 1)
        return float((far * self.shares).sum())
