"""Primary selectors: the learned one, and the one that trusts the shop's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agpis_sdk.builtin.primary.config import LearnedPrimaryConfig
from agpis_sdk.builtin.primary.handcrafted_features import extract_features
from agpis_sdk.builtin.primary.model import SHIPPED, PrimaryHead
from agpis_sdk.builtin.weights import check_shapes
from agpis_sdk.components import ComponentConfig, Context, DecodedImage


class LearnedPrimarySelector:
    """Scores each image with a head trained on which image merchants and reviewers put first."""

    def __init__(self, config: LearnedPrimaryConfig) -> None:
        self._path = config.weights or SHIPPED
        self._head = PrimaryHead.load(self._path)

    def check_backbone(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Raise `WeightsError` where the head was trained on embeddings of another size."""
        expected = {"embedding": self._head.weight.shape}
        check_shapes(expected, shapes, item=str(self._path), setting="components.primary.weights")

    def score_primary(self, images: Sequence[DecodedImage], context: Context) -> list[float]:
        """Return p_primary of each image, and provide what lowers it in words."""
        scores = []
        for image in images:
            embedding = context.fact(image, "embedding")
            features = extract_features(
                image.pixels, context.fact(image, "background"), context.fact(image, "foreground")
            )
            context.provide(image, "primary_reasons", self._head.reasons(embedding, features))
            scores.append(self._head.probability(embedding, features))
        return scores


class FirstListedSelector:
    """Takes the image that the shop lists first."""

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def score_primary(self, images: Sequence[DecodedImage], context: Context) -> list[float]:
        """Return 1 for the first listed image, and less for each later one, so that it steps in when needed."""
        del context
        return [1.0 / (1 + image.position) for image in images]
