"""Primary selectors: the learned one, and the one that trusts the shop's order."""

from __future__ import annotations

from collections.abc import Sequence

from agpis_sdk.builtin.primary.config import LearnedPrimaryConfig
from agpis_sdk.builtin.primary.handcrafted_features import image_traits
from agpis_sdk.builtin.primary.model import SHIPPED, PrimaryHead
from agpis_sdk.components import ComponentConfig, Context, DecodedImage
from agpis_sdk.errors import WeightsError


class LearnedPrimarySelector:
    """Scores each image with a head trained on which image merchants and reviewers put first."""

    def __init__(self, config: LearnedPrimaryConfig) -> None:
        self._path = config.weights or SHIPPED
        self._head = PrimaryHead.load(self._path)

    def score_primary(self, images: Sequence[DecodedImage], context: Context) -> list[float]:
        """Return p_primary of each image, and provide what lowers it in words."""
        scores = []
        for image in images:
            embedding = context.fact(image, "embedding")
            if embedding.shape != self._head.weight.shape:
                raise WeightsError(
                    f"trained on {self._head.weight.size} channels, the backbone gives {embedding.size}",
                    item=str(self._path),
                    remedy="set components.learned.weights to weights trained on this backbone",
                )
            traits = image_traits(image.pixels, context.fact(image, "background"), context.fact(image, "foreground"))
            context.provide(image, "primary_reasons", self._head.reasons(embedding, traits))
            scores.append(self._head.probability(embedding, traits))
        return scores


class FirstListedSelector:
    """Takes the image that the shop lists first."""

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def score_primary(self, images: Sequence[DecodedImage], context: Context) -> list[float]:
        """Return 1 for the first listed image, and less for each later one, so that it steps in when needed."""
        del context
        return [1.0 / (1 + image.position) for image in images]
