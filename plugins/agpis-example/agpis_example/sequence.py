"""A checker of whole sequences: it sees the images in the order in which a buyer will."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agpis_example.checker import largest_saturation
from agpis_example.config import GrayPictureConfig
from agpis_example.rules import GRAY_LEADS
from agpis_sdk import Context, Finding, ImageSequence, SequenceVerdict


class GrayLeadsChecker:
    """Finds sequences that begin with a colorless picture though a colored one follows (EXA301)."""

    def __init__(self, config: GrayPictureConfig) -> None:
        self._config = config

    def check_sequences(self, sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
        """Yield one verdict per sequence; without a `p_qualified`, as it is no scorer."""
        del context
        for sequence in sequences:
            findings = tuple(self._findings(sequence))
            yield SequenceVerdict(product_id=sequence.product.id, sequence=sequence.ids, findings=findings)

    def _findings(self, sequence: ImageSequence) -> Iterator[Finding]:
        limit = self._config.max_saturation
        first, *others = (largest_saturation(image.pixels) for image in sequence.images)
        if first <= limit and any(saturation > limit for saturation in others):
            message = "the first picture is colorless, a later one is not"
            yield Finding(code=GRAY_LEADS.code, images=sequence.ids, score=1.0, message=message)
