"""Stage 2: sequences are judged, the scorer gives p^t, and the product is submitted or held (paper section 3.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agpis_sdk.components import ImageSequence
from agpis_sdk.config import Config
from agpis_sdk.pipeline.batch import ProductInProgress, engine_finding
from agpis_sdk.pipeline.context import RunContext
from agpis_sdk.pipeline.findings import accept_verdict, keep_finding
from agpis_sdk.pipeline.invoke import Component, Invoker
from agpis_sdk.records import SequenceVerdict
from agpis_sdk.rules import RuleSet

Batch = Mapping[str, ProductInProgress]
Verdicts = Mapping[tuple[str, tuple[str, ...]], SequenceVerdict]


@dataclass(frozen=True)
class Stage2:
    """The components and settings of stage 2; without a scorer every sequence is submitted, as the paper began."""

    config: Config
    rules: RuleSet
    thresholds: Mapping[str, float]
    context: RunContext
    invoker: Invoker
    checkers: Sequence[Component]
    scorer: Component | None

    def run(self, batch: Batch, built: Mapping[str, list[ImageSequence]]) -> None:
        """Choose each product's best sequence, judge it, and end the product."""
        if self.scorer is None:
            for product_id, sequences in built.items():
                batch[product_id].sequence = sequences[0]
                batch[product_id].end("submit")
        else:
            self._score(self.scorer, batch, built)
        chosen = [batch[product_id].sequence for product_id in built]
        self.judge(batch, [sequence for sequence in chosen if sequence is not None])

    def judge(self, batch: Batch, sequences: Sequence[ImageSequence]) -> None:
        """Run the sequence checkers, all but the scorer."""
        for checker in self.checkers:
            self._judge(checker, batch, sequences)

    def _score(self, scorer: Component, batch: Batch, built: Mapping[str, list[ImageSequence]]) -> None:
        sequences = [sequence for candidates in built.values() for sequence in candidates]
        verdicts, reasons = self._verdicts(scorer, sequences, scorer=True)
        for product_id, candidates in built.items():
            progress = batch[product_id]
            scored = [(sequence, verdicts[_key(sequence)]) for sequence in candidates if _key(sequence) in verdicts]
            if len(scored) < len(candidates):
                progress.sequence = candidates[0]
                reason = next(
                    (reasons[_key(s)] for s in candidates if _key(s) in reasons), f"{scorer.blame} gave no verdict"
                )
                progress.end("failed", f"scorer {reason}")
                continue
            sequence, verdict = max(scored, key=lambda pair: pair[1].p_qualified or 0.0)
            progress.sequence, progress.probability = sequence, verdict.p_qualified
            progress.feedback = verdict.feedback
            for finding in verdict.findings:
                keep_finding(progress, finding, self.thresholds, self.rules)
            accepted = round(verdict.p_qualified or 0.0, 4) >= self.config.sequence.threshold
            progress.end("submit" if accepted else "hold")

    def _judge(self, checker: Component, batch: Batch, sequences: Sequence[ImageSequence]) -> None:
        verdicts, reasons = self._verdicts(checker, sequences, scorer=False)
        for sequence in sequences:
            progress = batch[sequence.product.id]
            key = _key(sequence)
            if key in reasons:
                progress.findings.append(engine_finding(self.rules, "AGP902", sequence.ids, reasons[key]))
            for finding in verdicts[key].findings if key in verdicts else ():
                keep_finding(progress, finding, self.thresholds, self.rules)

    def _verdicts(
        self, checker: Component, sequences: Sequence[ImageSequence], *, scorer: bool
    ) -> tuple[Verdicts, dict[tuple[str, tuple[str, ...]], str]]:
        required = checker.owned.spec.requires
        ready = [s for s in sequences if all(self.context.has_facts(image, required) for image in s.images)]
        reasons = {_key(s): f"{checker.blame} was skipped: a fact is missing" for s in sequences if s not in ready}
        verdicts, failures = self.invoker.call(
            checker,
            ready,
            lambda chunk, context: checker.instance.check_sequences(chunk, context),
            lambda chunk, result: accept_verdict(checker, chunk, result, self.rules, scorer=scorer),
        )
        reasons |= {_key(failure.item): failure.reason for failure in failures}
        return {(verdict.product_id, verdict.sequence): verdict for verdict in verdicts}, reasons


def _key(sequence: ImageSequence) -> tuple[str, tuple[str, ...]]:
    return (sequence.product.id, sequence.ids)
