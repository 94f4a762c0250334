"""Sequence builders: the primary image first, then K^t - 1 of the others."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence

from agpis_sdk.components import ComponentConfig, Context, ImageSequence, SequenceCandidates


class RandomBuilder:
    """Takes the other images at random, seeded per product (end of paper section 3.3.2)."""

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def build(self, candidates: Sequence[SequenceCandidates], length: int, context: Context) -> Iterator[ImageSequence]:
        """Yield one sequence a product; the draw depends on the seed and the product's id alone."""
        for candidate in candidates:
            digest = hashlib.sha256(f"{context.seed}:{candidate.product.id}".encode()).digest()
            draw = random.Random(int.from_bytes(digest[:8], "big"))  # noqa: S311 - no secret depends on it
            others = draw.sample(candidate.others, length - 1)
            yield ImageSequence(product=candidate.product, images=(candidate.primary, *others))


class ListedBuilder:
    """Takes the first of the other images, in the order in which the shop lists them."""

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def build(self, candidates: Sequence[SequenceCandidates], length: int, context: Context) -> Iterator[ImageSequence]:
        """Yield one sequence a product."""
        del context
        for candidate in candidates:
            images = (candidate.primary, *candidate.others[: length - 1])
            yield ImageSequence(product=candidate.product, images=images)
