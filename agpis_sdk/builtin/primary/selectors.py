"""Primary selectors: the learned one, and the one that trusts the shop's order."""

from __future__ import annotations

from collections.abc import Sequence

from agpis_sdk.builtin.primary.config import LearnedPrimaryConfig
from agpis_sdk.builtin.primary.features import FACTS, features_in_gallery
from agpis_sdk.builtin.primary.model import SHIPPED, PrimaryHead
from agpis_sdk.components import ComponentConfig, Context, DecodedImage


class LearnedPrimarySelector:
    """Scores each image with a head trained on which image merchants and reviewers put first."""

    def __init__(self, config: LearnedPrimaryConfig) -> None:
        self._head = PrimaryHead.load(config.weights or SHIPPED)

    def score_primary(self, images: Sequence[DecodedImage], context: Context) -> list[float]:
        """Return p_primary of each image, and provide what lowers it in words."""
        scores = []
        for image in images:
            gallery = context.facts_of_product(image.product_id, "product_embedding")
            others = [embedding for image_id, embedding in gallery.items() if image_id != image.id]
            features = features_in_gallery({name: context.fact(image, name) for name in FACTS}, others)
            context.provide(image, "primary_reasons", self._head.reasons(features))
            scores.append(self._head.probability(features))
        return scores


class FirstListedSelector:
    """Takes the image that the shop lists first."""

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def score_primary(self, images: Sequence[DecodedImage], context: Context) -> list[float]:
        """Return 1 for the first listed image, and less for each later one, so that it steps in when needed."""
        del context
        return [1.0 / (1 + image.position) for image in images]
