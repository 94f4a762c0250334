"""A sequence builder: which images follow the first, in which order? Chosen with `sequence.builder = "alike-shapes"`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agpis_sdk import ComponentConfig, Context, DecodedImage, ImageSequence, SequenceCandidates


class AlikeShapesBuilder:
    """Takes the images whose shape is nearest to that of the first, so that no tile of the gallery jumps."""

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def build(self, candidates: Sequence[SequenceCandidates], length: int, context: Context) -> Iterator[ImageSequence]:
        """Yield a sequence of `length` images per product; there are always enough others."""
        del context
        for one in candidates:
            # Sorting keeps the listed order among equals: the same input gives the same sequence.
            others = sorted(one.others, key=lambda image: abs(_ratio(image) - _ratio(one.primary)))
            yield ImageSequence(product=one.product, images=(one.primary, *others[: length - 1]))


def _ratio(image: DecodedImage) -> float:
    return image.original_width / image.original_height
