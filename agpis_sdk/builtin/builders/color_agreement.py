"""Color agreement of a sequence: do its images show the product in one color?"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.components import Context, DecodedImage, SequenceCandidates
from agpis_sdk.facts import ColorHistogram
from agpis_sdk.records import CandidateImage

# Chosen with the shops of benchmarks/colors_unseen_shops.py in view, as are the limits of a gallery below.
OTHER_COLOR = 0.38
"""Two images from this probability on are taken for different colors: a mixed sequence is worse than a shorter one."""
COLOR_VARIANT, SAME_SHOT = "color-variant", 0.7
"""The rule that finds one shot in two colors, and the score from which it is believed: it sees a trim that histograms overlook."""
SURELY_OTHER = 0.6
"""Probability from which an image is a sample of another color, to which others are compared."""
CLOSER = 0.25
"""By how much, in log odds, an image must be closer to such a sample to be of its color."""
LIKE_ANOTHER = 0.7
"""Probability of two colors where one image is closer to a sample of another color."""
FEWEST, UNIFORM = 3, 0.76
"""What a probability counts in a gallery of so many images of which no two surely differ: a product of one color, most likely."""
COLOR_NAMES = frozenset({"color", "colour", "farbe", "couleur", "colore", "kleur", "kolor", "颜色"})
"""How catalogs call the attribute of an image, or the option of a variant, that names its color."""
FACTS = frozenset({"color_histogram", "product_embedding"})
"""The facts that tell how a product looks in an image."""
FARTHEST = 30.0
"""Distance in Lab, L halved, beyond which a color is moved no farther: another color is another color."""
UNLIKE = 0.5
"""Cosine similarity of products up to which pictures are too unlike for shares of colors to be compared."""
# Fitted by benchmarks/colors_unseen_shops.py on the pairs of all its shops.
SAME_COLORS, PER_LACKING, PER_RECOLORED = -2.2, 4.9, 19.2
CERTAIN = 1e-4  # odds of certainty are finite


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
    """How likely images show a product in different colors, given all its images; every pair is compared once.

    Where the catalog names the color of both images, its word decides. Elsewhere their colors do, the finding that they are one
    shot in two colors, and the other images: what is closer to an image of another color is likely of that color.
    """

    def __init__(self, context: Context, candidates: Iterable[SequenceCandidates]) -> None:
        self._context = context
        self._candidates = {one.product.id: one for one in candidates}
        self._known: dict[str, tuple[Mapping[str, int], NDArray[np.float64]]] = {}

    def worst(self, images: Sequence[DecodedImage]) -> float:
        """Return the largest probability among the pairs of some images of a product, 0 where no pair has two histograms."""
        if len(images) < 2:
            return 0.0
        rows, mismatch = self._of_product(images[0].product_id)
        return max(float(mismatch[rows[one.id], rows[other.id]]) for one, other in itertools.combinations(images, 2))

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

    def _of_product(self, product_id: str) -> tuple[Mapping[str, int], NDArray[np.float64]]:
        """Return the row of each image of a product, and the probabilities (n, n) that two show different colors."""
        if product_id not in self._known:
            candidate = self._candidates[product_id]
            images = sorted((candidate.primary, *candidate.others), key=lambda image: image.position)
            rows = {image.id: row for row, image in enumerate(images)}
            told = dict(_named(candidate, rows))
            known = compared_alone([self._appearance(image) for image in images], told)
            same_shots = {pair: score for pair, score in _same_shots(candidate, rows) if pair not in told}
            told |= {pair: float(np.fmax(known[pair], score)) for pair, score in same_shots.items()}
            is_told = np.zeros(known.shape, bool)
            for pair, score in told.items():
                known[pair] = known[pair[::-1]] = score
                is_told[pair] = is_told[pair[::-1]] = True
            compared = np.where(is_told, known, compared_in_gallery(known))
            self._known[product_id] = rows, np.nan_to_num(compared)
        return self._known[product_id]

    def _appearance(self, image: DecodedImage) -> Appearance | None:
        return Appearance.of({name: self._context.fact(image, name) for name in FACTS})


def compared_alone(appearances: Sequence[Appearance | None], told: Collection[tuple[int, int]]) -> NDArray[np.float64]:
    """Return the probabilities (n, n) that two images show different colors, by these two alone; NaN where it is unknown.

    Pairs of rows, the lower one first, of which it has been `told` are not compared.
    """
    alone = np.full((len(appearances), len(appearances)), np.nan)
    for (row, one), (column, other) in itertools.combinations(enumerate(appearances), 2):
        if one is not None and other is not None and (row, column) not in told:
            alone[row, column] = alone[column, row] = color_mismatch(one, other)
    return alone


def compared_in_gallery(known: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities (n, n) that two images show different colors, given those by each pair alone, NaN where unknown.

    A detail of gray jeans differs little from the front of blue ones, but less from the front of the gray ones: it is of their
    color. Two images of which neither differs from a third one can hardly differ: the probability is at most the sum.
    Where no two images surely differ, all of them do so less likely.
    """
    bounded = known.clip(CERTAIN, 1 - CERTAIN)
    odds = np.log(bounded / (1 - bounded))
    sums = np.where(np.isnan(known), np.inf, known)
    like_another = np.zeros(known.shape, bool)
    most = np.ones(known.shape)
    for row in range(len(known)):
        closer = odds[row][:, None] - odds[row] >= CLOSER  # (n, n): to the image of a column than to that of a row
        like_another[row] = (closer & (known >= SURELY_OTHER)).any(axis=1)
        most[row] = (sums[row][:, None] + sums).min(axis=0)
    compared = np.where(like_another | like_another.T, np.fmax(known, LIKE_ANOTHER), np.minimum(known, most))
    is_uniform = len(known) >= FEWEST and not (known >= SURELY_OTHER).any()
    return compared * UNIFORM if is_uniform else compared


def _same_shots(candidate: SequenceCandidates, rows: Mapping[str, int]) -> Iterator[tuple[tuple[int, int], float]]:
    """Yield the rows of two images that are one shot in two colors, the lower one first, and how sure that is."""
    for finding in candidate.findings:
        if finding.name == COLOR_VARIANT and finding.score >= SAME_SHOT:
            first, second = sorted(rows[name] for name in finding.images)
            yield (first, second), finding.score


def _named(candidate: SequenceCandidates, rows: Mapping[str, int]) -> Iterator[tuple[tuple[int, int], float]]:
    """Yield the rows of two images whose colors the catalog names, the lower one first: 1 where it names two, 0 where it names one."""
    colors = {image.id: named_color(image) for image in candidate.product.images}
    for one, other in itertools.combinations(rows, 2):
        if colors.get(one) and colors.get(other):
            yield (rows[one], rows[other]), float(colors[one] != colors[other])


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

    What it finds in shops left out: docs/benchmarks/unseen-shops.md.
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
