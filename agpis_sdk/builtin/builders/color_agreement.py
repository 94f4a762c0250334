"""Color agreement of a sequence: do its images show the product in one color, by the histograms of their foregrounds?"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from agpis_sdk.components import Context, DecodedImage
from agpis_sdk.facts import ColorHistogram

SAME_COLORS, SLOPE = 1.5, 7.4
OTHER_COLOR = 0.5


class ColorMismatch:
    """How likely images show a product in different colors; every pair is compared once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[tuple[tuple[str, str], tuple[str, str]], float] = {}

    def worst(self, images: Sequence[DecodedImage]) -> float:
        """Return the largest probability among the pairs of some images, 0 where no pair has two histograms."""
        return max((self._of(one, other) for one, other in itertools.combinations(images, 2)), default=0.0)

    def agreeing(self, images: Sequence[DecodedImage]) -> tuple[DecodedImage, ...]:
        """Return the images, in order, without those that more likely than not are of another color than one before them."""
        kept: list[DecodedImage] = []
        for image in images:
            if all(self._of(image, other) < OTHER_COLOR for other in kept):
                kept.append(image)
        return tuple(kept)

    def _of(self, one: DecodedImage, other: DecodedImage) -> float:
        pair = (min(one.key, other.key), max(one.key, other.key))
        if pair not in self._known:
            histograms: list[ColorHistogram | None] = [
                self._context.fact(image, "color_histogram") for image in (one, other)
            ]
            known = [histogram for histogram in histograms if histogram is not None]
            self._known[pair] = color_mismatch(known[0].difference(known[1])) if len(known) == 2 else 0.0
        return self._known[pair]


def color_mismatch(difference: float) -> float:
    """Return the probability that two histograms of this difference are of different colors of a product.

    A logistic curve, fitted on half of the products of two shops with as many pairs of one color as of two; on the
    other half it finds 0.81 and 0.60 of the pairs of two colors, and wrongly 0.21 and 0.22 of those of one.
    """
    return 1 / (1 + math.exp(SAME_COLORS - SLOPE * difference))
