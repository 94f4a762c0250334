"""p^t for whoever needs it before stage 2: the scorer's quick answer, without feedback and findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from agpis_sdk.components import Context, ImageSequence, SequenceScorer
from agpis_sdk.errors import ComponentError
from agpis_sdk.pipeline.findings import accept_verdict
from agpis_sdk.pipeline.guard import Component, Guard

Key = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class QuickScorer:
    """Asks the configured scorer for p^t through the same guard as any component."""

    scorer: Component
    guard: Guard
    context: Context

    def p_qualified(self, sequences: Sequence[ImageSequence]) -> list[float]:
        """Return p^t of each sequence, in order; raises `ComponentError` naming the scorer where it gave none."""
        found, failures = self.guard.call(self.scorer, sequences, self._scored, self._accept)
        if failures:
            raise ComponentError(failures[0].reason)
        by_key = dict(found)
        missing = [sequence.ids for sequence in sequences if key_of(sequence) not in by_key]
        if missing:
            raise ComponentError(f"{self.scorer.label} gave no p_qualified for {', '.join(missing[0])}")
        return [by_key[key_of(sequence)] for sequence in sequences]

    def _scored(self, sequences: Sequence[ImageSequence], context: Context) -> Iterable[Any]:
        instance = self.scorer.instance
        if isinstance(instance, SequenceScorer):
            return list(zip(sequences, instance.score_sequences(sequences, context), strict=True))
        verdicts: Iterable[Any] = instance.check_sequences(sequences, context)
        return verdicts

    def _accept(self, sequences: Sequence[ImageSequence], result: Any) -> tuple[Key, float]:
        if isinstance(result, tuple):
            sequence, probability = result
            if not 0.0 <= probability <= 1.0:
                raise ComponentError(f"gave p_qualified {probability!r}, which is not in 0..1")
            return key_of(sequence), float(probability)
        verdict = accept_verdict(self.scorer, sequences, result, self.context.rules, scorer=True)
        return (verdict.product_id, verdict.sequence), float(verdict.p_qualified or 0.0)


def key_of(sequence: ImageSequence) -> Key:
    """Return what identifies a sequence in a micro-batch: its product's id and its images' ids."""
    return (sequence.product.id, sequence.ids)
