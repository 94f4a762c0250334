"""Color agreement of a sequence: do its images show the product in one color?"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.components import Context, DecodedImage
from agpis_sdk.facts import ColorHistogram
from agpis_sdk.records import CandidateImage, Product

OTHER_COLOR = 0.42
"""Two images from this probability on are taken for different colors: a mixed sequence is worse than a shorter one."""
COLOR_NAMES = frozenset({"color", "colour", "farbe", "couleur", "colore", "kleur", "kolor", "颜色"})
"""How catalogs call the attribute of an image, or the option of a variant, that names its color."""
FACTS = frozenset({"color_histogram", "product_embedding"})
"""The facts that tell how a product looks in an image."""
FARTHEST = 30.0
"""Distance in Lab, L halved, beyond which a color is moved no farther: another color is another color."""
UNLIKE = 0.5
"""Cosine similarity of products up to which pictures are too unlike for shares of colors to be compared."""
# Fitted by benchmarks/colors_unseen_shops.py on the pairs of all its shops.
SAME_COLORS, PER_LACKING, PER_RECOLORED = -2.3, 5.2, 20.0


@dataclass(frozen=True, eq=False)
class Appearance:
    """How a product looks in an image: the colors of its foreground, and its embedding (C,)."""

    colors: ColorHistogram
    embedding: NDArray[np.float32]

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self | None:
        """Return how the product looks by the `FACTS` of an image; None where there is no foreground."""
        colors = facts["color_histogram"]
        return None if colors is None else cls(colors, facts["product_embedding"])

    def likeness(self, other: Appearance) -> float:
        """Return the cosine similarity of the two embeddings, -1..1."""
        norms = float(np.linalg.norm(self.embedding) * np.linalg.norm(other.embedding))
        return float(self.embedding @ other.embedding) / max(norms, 1e-9)


class ColorMismatch:
    """How likely images show a product in different colors; every pair is compared once.

    Where the catalog names the color of both images, its word decides.
    """

    def __init__(self, context: Context, products: Iterable[Product]) -> None:
        self._context = context
        self._named = {(product.id, image.id): named_color(image) for product in products for image in product.images}
        self._known: dict[tuple[tuple[str, str], tuple[str, str]], float] = {}

    def worst(self, images: Sequence[DecodedImage]) -> float:
        """Return the largest probability among the pairs of some images, 0 where no pair has two histograms."""
        return max((self._of(one, other) for one, other in itertools.combinations(images, 2)), default=0.0)

    def agree(self, images: Sequence[DecodedImage]) -> bool:
        """Return whether no two of some images are taken for different colors."""
        return self.worst(images) < OTHER_COLOR

    def agreeing(self, images: Sequence[DecodedImage]) -> tuple[DecodedImage, ...]:
        """Return the images, in order, without those that are taken for another color than one before them."""
        kept: list[DecodedImage] = []
        for image in images:
            if all(self.agree((image, other)) for other in kept):
                kept.append(image)
        return tuple(kept)

    def _of(self, one: DecodedImage, other: DecodedImage) -> float:
        pair = (min(one.key, other.key), max(one.key, other.key))
        if pair not in self._known:
            self._known[pair] = self._compared(one, other)
        return self._known[pair]

    def _compared(self, one: DecodedImage, other: DecodedImage) -> float:
        named, other_named = self._named.get(one.key), self._named.get(other.key)
        if named and other_named:
            return float(named != other_named)
        own, others = self._appearance(one), self._appearance(other)
        return color_mismatch(own, others) if own is not None and others is not None else 0.0

    def _appearance(self, image: DecodedImage) -> Appearance | None:
        return Appearance.of({name: self._context.fact(image, name) for name in FACTS})


def named_color(image: CandidateImage) -> str | None:
    """Return the color that the catalog gives an image, or the variant that it shows, in lower case; None where it gives none."""
    variant = image.attributes.get("variant")
    sources: list[Mapping[str, Any]] = [image.attributes, *([variant] if isinstance(variant, Mapping) else [])]
    for source in sources:
        for name, value in source.items():
            if name.strip().lower() in COLOR_NAMES and isinstance(value, str) and value.strip():
                return value.strip().lower()
    return None


def color_mismatch(one: Appearance, other: Appearance) -> float:
    """Return the probability in 0..1 that two images show a product in different colors.

    At `OTHER_COLOR`, in shops left out, it finds 0.79 of the pairs of two colors, and wrongly 0.14 of those of one
    (docs/benchmarks/unseen-shops.md).
    """
    lacking, recolored = color_differences(one, other)
    return 1 / (1 + math.exp(-(SAME_COLORS + PER_LACKING * lacking + PER_RECOLORED * recolored)))


def color_differences(one: Appearance, other: Appearance) -> tuple[float, float]:
    """Return two differences, each in 0..1: the share of colors that the other one lacks, and how far alike pictures are recolored.

    Front and back of a product may have its colors in other shares, so that only a lacking color tells. Where two
    pictures look alike but for their colors, their shares tell as well: a gray and a black one both have dark shadows.
    """
    alike = max(0.0, one.likeness(other) - UNLIKE)
    recolored = alike * color_distance(one.colors, other.colors) if alike else 0.0
    return one.colors.difference(other.colors), recolored


def color_distance(one: ColorHistogram, other: ColorHistogram) -> float:
    """Return how far the colors of one histogram must be moved to be the other's, 0..1: the earth mover's distance."""
    distances = np.linalg.norm(one.colors[:, None] - other.colors[None], axis=2)  # (n, m)
    cost = np.minimum(distances / FARTHEST, 1).astype(np.float32)
    moved, *_ = cv2.EMD(one.shares[:, None], other.shares[:, None], cv2.DIST_USER, cost)
    return float(moved)
