"""The builder `search`: of all sequences, the one that the scorer finds most likely accepted."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence

from agpis_sdk.builtin.builders.color_agreement import ColorMismatch
from agpis_sdk.builtin.builders.config import SearchBuilderConfig
from agpis_sdk.components import Context, DecodedImage, ImageSequence, SequenceCandidates

Images = tuple[DecodedImage, ...]
LIKELY = 0.5  # probability of one color from which a sequence is scored in any case


class SearchBuilder:
    """Chooses the best of many sequences by p^t, where the paper scores one (its future work, section 5.1).

    All ordered choices while they are few; beyond that a beam search, which scores growing beginnings of a sequence.
    With `one_color`, p^t is multiplied by the probability that no two images show the product in different colors. A
    sequence that begins with an image only about as good as the primary one counts `alternative_weight`. Of equals the
    one that the shop lists first wins. Where even the best one mixes colors, the best shorter one of the color of its first
    image takes its place.
    """

    def __init__(self, config: SearchBuilderConfig) -> None:
        self._config = config

    def build(self, candidates: Sequence[SequenceCandidates], length: int, context: Context) -> Iterator[ImageSequence]:
        """Yield the best sequence of each product; all sequences of the batch are scored together."""
        mismatch = ColorMismatch(context, candidates) if self._config.one_color else None
        own = [self._tried(one, (one.primary,), length, context, mismatch) for one in candidates]
        best = _best_of_each(own, context, mismatch)
        weight = self._config.alternative_weight
        # As p^t is at most 1, what cannot win any more need not be scored.
        others = [
            [
                sequence
                for sequence in self._tried(one, one.primary_alternatives, length, context, mismatch)
                if weight * _one_color(sequence, mismatch) > score
            ]
            if weight > score
            else []
            for one, (score, _) in zip(candidates, best, strict=True)
        ]
        alternatives = iter(_best_of_each([sequences for sequences in others if sequences], context, mismatch))
        chosen = []
        for (score, sequence), tried in zip(best, others, strict=True):
            other_score, other = next(alternatives) if tried else (0.0, sequence)
            chosen.append(other if weight * other_score > score else sequence)
        yield from self._of_one_color(candidates, chosen, length, context, mismatch) if mismatch else chosen

    def _of_one_color(
        self,
        candidates: Sequence[SequenceCandidates],
        chosen: Sequence[ImageSequence],
        length: int,
        context: Context,
        mismatch: ColorMismatch,
    ) -> Iterator[ImageSequence]:
        """Yield the sequences, and in place of one of mixed colors the best one of the first image's color, if it is long enough."""
        mixed = [self._config.shorten and not mismatch.agree(sequence.images) for sequence in chosen]
        narrowed = [
            _of_color_of(sequence.images[0], one, mismatch)
            for one, sequence, is_mixed in zip(candidates, chosen, mixed, strict=True)
            if is_mixed
        ]
        tried = [
            self._tried(one, (one.primary,), min(length, 1 + len(one.others)), context, mismatch) for one in narrowed
        ]
        best = iter(_best_of_each(tried, context, mismatch))
        for sequence, is_mixed in zip(chosen, mixed, strict=True):
            shorter = mismatch.agreeing(next(best)[1].images) if is_mixed else sequence.images
            enough = len(shorter) >= context.sequence_fewest
            yield ImageSequence(product=sequence.product, images=shorter) if is_mixed and enough else sequence

    def _tried(
        self,
        candidate: SequenceCandidates,
        firsts: Sequence[DecodedImage],
        length: int,
        context: Context,
        mismatch: ColorMismatch | None,
    ) -> list[ImageSequence]:
        """Return the sequences to score that begin with one of some images: all, or the best of a beam search."""
        if len(firsts) * math.perm(len(candidate.others), length - 1) <= self._config.exhaustive_up_to:
            chosen = [
                (first, *others)
                for first in firsts
                for others in itertools.permutations(candidate.excluding(first), length - 1)
            ]
            return _sequences(candidate, chosen)
        beginnings: list[Images] = [(first,) for first in firsts]
        for _ in range(length - 2):
            grown = _sequences(candidate, _grown(beginnings, candidate))
            scores = _scores(grown, context, mismatch)
            # sorted() is stable: of equals the first listed stays. What is kept goes on in listed order, too.
            kept = sorted(range(len(grown)), key=lambda row: -scores[row])[: self._config.beam_width]
            beginnings = [grown[row].images for row in sorted(kept)]
        return _sequences(candidate, _grown(beginnings, candidate))


def _of_color_of(first: DecodedImage, candidate: SequenceCandidates, mismatch: ColorMismatch) -> SequenceCandidates:
    """Return a product's candidates that begin with an image and go on with those of its color."""
    others = tuple(other for other in candidate.excluding(first) if mismatch.agree((first, other)))
    return SequenceCandidates(product=candidate.product, primary=first, others=others)


def _sequences(candidate: SequenceCandidates, chosen: Iterable[Images]) -> list[ImageSequence]:
    return [ImageSequence(product=candidate.product, images=images) for images in chosen]


def _grown(beginnings: Sequence[Images], candidate: SequenceCandidates) -> Iterator[Images]:
    """Yield each beginning with each of the other images that it does not hold."""
    for images in beginnings:
        yield from ((*images, other) for other in candidate.excluding(images[0]) if other not in images)


def _best_of_each(
    groups: Sequence[Sequence[ImageSequence]], context: Context, mismatch: ColorMismatch | None
) -> list[tuple[float, ImageSequence]]:
    """Return the best sequence of each group with its score; all groups are scored together.

    First those that are likely of one color; of the others only those that could still win, as p^t is at most 1.
    """
    most = [[_one_color(sequence, mismatch) for sequence in group] for group in groups]
    scores = [[0.0] * len(group) for group in groups]
    bars = [min(LIKELY, max(chances)) for chances in most]
    first = [[row for row, chance in enumerate(own) if chance >= bar] for own, bar in zip(most, bars, strict=True)]
    _score_rows(groups, first, scores, context, mismatch)
    rest = [
        [row for row, chance in enumerate(own) if max(reached) <= chance < bar]
        for own, reached, bar in zip(most, scores, bars, strict=True)
    ]
    _score_rows(groups, rest, scores, context, mismatch)
    # max() keeps the first of equals.
    return [
        max(zip(own, group, strict=True), key=lambda pair: pair[0]) for own, group in zip(scores, groups, strict=True)
    ]


def _score_rows(
    groups: Sequence[Sequence[ImageSequence]],
    rows: Sequence[Sequence[int]],
    scores: Sequence[list[float]],
    context: Context,
    mismatch: ColorMismatch | None,
) -> None:
    """Score the given rows of each group in one call, and write down their scores."""
    chosen = [(number, row) for number, own in enumerate(rows) for row in own]
    found = _scores([groups[number][row] for number, row in chosen], context, mismatch)
    for (number, row), score in zip(chosen, found, strict=True):
        scores[number][row] = score


def _scores(sequences: Sequence[ImageSequence], context: Context, mismatch: ColorMismatch | None) -> list[float]:
    """Return p^t, and less of it the likelier a sequence is of several colors, which p^t overlooks."""
    probabilities = context.p_qualified(sequences) if sequences else []
    return [p * _one_color(sequence, mismatch) for p, sequence in zip(probabilities, sequences, strict=True)]


def _one_color(sequence: ImageSequence, mismatch: ColorMismatch | None) -> float:
    return 1.0 if mismatch is None else 1 - mismatch.worst(sequence.images)
