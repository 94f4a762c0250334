"""Stage 2 (paper section 3.4): whole sequences are judged, and p^t decides between submit and hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agpis_sdk.components import Context, ImageSequence
from agpis_sdk.errors import ComponentError
from agpis_sdk.pipeline.batch import Batch, engine_finding
from agpis_sdk.pipeline.findings import accept_verdict, keep_finding
from agpis_sdk.pipeline.guard import Component, collect
from agpis_sdk.pipeline.run import Run
from agpis_sdk.pipeline.scorer import Key, key_of
from agpis_sdk.pipeline.unjudged import note_unjudged, note_unjudged_rule
from agpis_sdk.records import SequenceVerdict


def choose_sequences(run: Run, batch: Batch, built: Mapping[str, list[ImageSequence]]) -> None:
    """Choose the best of each product's sequences, judge it, and end the product.

    Without a scorer every sequence is submitted, as the paper began (section 5.1).
    """
    if run.scorer is None:
        for product_id, sequences in built.items():
            batch[product_id].sequence = sequences[0]
            batch[product_id].end("submit")
    else:
        _score(run, run.scorer, batch, built)
    chosen = [batch[product_id].sequence for product_id in built]
    check_sequences(run, batch, [sequence for sequence in chosen if sequence is not None])


def check_sequences(run: Run, batch: Batch, sequences: Sequence[ImageSequence]) -> None:
    """Run the sequence checkers, all but the scorer."""
    for checker in run.sequence_checkers:
        verdicts, reasons = _verdicts(run, checker, sequences, scorer=False)
        for sequence in sequences:
            progress = batch[sequence.product.id]
            key = key_of(sequence)
            if key in reasons:
                progress.findings.append(engine_finding(run.rules, "AGP902", sequence.ids, reasons[key]))
                note_unjudged(run, checker, progress, sequence.ids, reasons[key])
            for finding in verdicts[key].findings if key in verdicts else ():
                keep_finding(progress, finding, run.thresholds, run.rules)
            for unjudged in verdicts[key].unjudged if key in verdicts else ():
                note_unjudged_rule(run, checker, progress, unjudged)


def _score(run: Run, scorer: Component, batch: Batch, built: Mapping[str, list[ImageSequence]]) -> None:
    sequences = [sequence for candidates in built.values() for sequence in candidates]
    verdicts, reasons = _verdicts(run, scorer, sequences, scorer=True)
    for product_id, candidates in built.items():
        progress = batch[product_id]
        scored = [(sequence, verdicts[key_of(sequence)]) for sequence in candidates if key_of(sequence) in verdicts]
        if len(scored) < len(candidates):
            progress.sequence = candidates[0]
            failed = [reasons[key_of(one)] for one in candidates if key_of(one) in reasons]
            progress.end("failed", f"scorer {failed[0]}")
            continue
        sequence, verdict = max(scored, key=lambda pair: pair[1].p_qualified or 0.0)
        progress.sequence, progress.probability = sequence, verdict.p_qualified
        progress.feedback = verdict.feedback
        for finding in verdict.findings:
            keep_finding(progress, finding, run.thresholds, run.rules)
        accepted = round(verdict.p_qualified or 0.0, 4) >= run.config.sequence.threshold
        progress.end("submit" if accepted else "hold")


def _verdicts(
    run: Run, checker: Component, sequences: Sequence[ImageSequence], *, scorer: bool
) -> tuple[Mapping[Key, SequenceVerdict], Mapping[Key, str]]:
    """Return what a checker says of sequences, and the reasons why it says nothing of the others."""
    required = checker.owned.spec.requires
    ready = [one for one in sequences if all(run.context.has_facts(image, required) for image in one.images)]
    reasons = {key_of(one): f"{checker.label} was skipped: a fact is missing" for one in sequences if one not in ready}

    def judge(chunk: Sequence[ImageSequence], context: Context) -> list[SequenceVerdict]:
        verdicts = collect(
            chunk,
            lambda _: checker.instance.check_sequences(chunk, context),
            lambda _, result: accept_verdict(checker, chunk, result, run.rules, scorer=scorer),
        )
        # Silence is no verdict: a sequence that nobody judged would pass.
        missing = {key_of(one) for one in chunk} - {(one.product_id, one.sequence) for one in verdicts}
        if missing:
            raise ComponentError(f"gave no verdict on {', '.join(min(missing)[1])}")
        return verdicts

    verdicts, failures = run.guard.call(checker, ready, judge, lambda _, verdict: verdict)
    reasons |= {key_of(failure.item): failure.reason for failure in failures}
    return {(verdict.product_id, verdict.sequence): verdict for verdict in verdicts}, reasons
