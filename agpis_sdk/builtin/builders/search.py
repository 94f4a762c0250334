"""The builder `search`: of all sequences, the one that the scorer finds most likely accepted."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from agpis_sdk.builtin.builders.config import SearchBuilderConfig
from agpis_sdk.components import Context, DecodedImage, ImageSequence, SequenceCandidates

Images = tuple[DecodedImage, ...]


class SearchBuilder:
    """Lets stage 2 choose the best of many sequences, where the paper judges one (its future work, section 5.1).

    All ordered choices while they are few; beyond that a beam search, which scores growing beginnings of a sequence.
    Of equals the one that the shop lists first wins.
    """

    def __init__(self, config: SearchBuilderConfig) -> None:
        self._config = config

    def build(self, candidates: Sequence[SequenceCandidates], length: int, context: Context) -> Iterator[ImageSequence]:
        """Yield the best sequence of each product; all sequences of the batch are scored together."""
        tried = [
            list(_all_choices(candidate, length))
            if math.perm(len(candidate.others), length - 1) <= self._config.exhaustive_up_to
            else self._beam(candidate, length, context)
            for candidate in candidates
        ]
        scores = iter(context.p_qualified([sequence for sequences in tried for sequence in sequences]))
        for sequences in tried:
            scored = list(zip(sequences, itertools.islice(scores, len(sequences)), strict=True))
            # max() keeps the first of equals.
            yield max(scored, key=lambda pair: pair[1])[0]

    def _beam(self, candidate: SequenceCandidates, length: int, context: Context) -> list[ImageSequence]:
        """Return whole sequences that grew from the best beginnings; beginnings of one image are all the same."""
        beginnings: list[Images] = [(candidate.primary,)]
        for _ in range(length - 2):
            grown = [
                ImageSequence(product=candidate.product, images=images) for images in _grown(beginnings, candidate)
            ]
            scores = context.p_qualified(grown)
            # sorted() is stable: of equals the first listed stays. What is kept goes on in listed order, too.
            kept = sorted(range(len(grown)), key=lambda row: -scores[row])[: self._config.beam_width]
            beginnings = [grown[row].images for row in sorted(kept)]
        return [ImageSequence(product=candidate.product, images=images) for images in _grown(beginnings, candidate)]


def _all_choices(candidate: SequenceCandidates, length: int) -> Iterator[ImageSequence]:
    for others in itertools.permutations(candidate.others, length - 1):
        yield ImageSequence(product=candidate.product, images=(candidate.primary, *others))


def _grown(beginnings: Sequence[Images], candidate: SequenceCandidates) -> Iterator[Images]:
    """Yield each beginning with each of the other images that it does not hold."""
    for images in beginnings:
        held = {image.id for image in images}
        yield from ((*images, other) for other in candidate.others if other.id not in held)
