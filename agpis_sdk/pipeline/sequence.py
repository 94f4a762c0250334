"""The target sequence is built from the images that recognition left (end of paper section 3.3.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from functools import partial

from agpis_sdk.components import Context, ImageSequence, SequenceCandidates
from agpis_sdk.errors import ComponentError
from agpis_sdk.pipeline.batch import Batch, ProductState
from agpis_sdk.pipeline.guard import Component, Failure
from agpis_sdk.pipeline.run import Run


def build_sequences(run: Run, builder: Component, batch: Batch) -> dict[str, list[ImageSequence]]:
    """Return the sequences built for each product that is still open.

    They have `sequence.length` images, or all that are usable and in no doubt; a builder may leave images out down to
    `sequence.min_length`.
    """
    wanted = run.config.sequence.length
    candidates = [_candidates(progress, run.config.sequence.fewest) for progress in batch.values() if progress.open]
    lengths = {one.product.id: min(wanted, 1 + len(one.others)) for one in candidates}
    usable = {
        candidate.product.id: {image.id for image in (candidate.primary, *candidate.others)} for candidate in candidates
    }

    def accept(_: Sequence[SequenceCandidates], result: object) -> ImageSequence:
        if not isinstance(result, ImageSequence):
            raise ComponentError(f"yielded {type(result).__name__}, not an ImageSequence")
        if result.product.id not in usable:
            raise ComponentError(f"built a sequence for a product that it was not given: {result.product.id}")
        own, length = usable[result.product.id], lengths[result.product.id]
        count, fewest = len(result.ids), min(run.config.sequence.fewest, length)
        if not fewest <= count <= length or len(set(result.ids)) != count or not set(result.ids) <= own:
            needed = f"{length}" if fewest == length else f"{fewest} to {length}"
            raise ComponentError(f"built {list(result.ids)}: {needed} different usable images are needed")
        progress = batch[result.product.id]
        progress.detail = _why_short(progress, own, count, wanted, builder) or progress.detail
        if result.ids[0] not in {progress.primary, *progress.primary_alternatives}:
            raise ComponentError(f"built {list(result.ids)}: the primary image must come first")
        # The images themselves, not what a builder may have put in their place under their ids.
        return ImageSequence(product=progress.product, images=tuple(progress.images[one] for one in result.ids))

    sequences: list[ImageSequence] = []
    failures: list[Failure[SequenceCandidates]] = []
    for length in sorted(set(lengths.values())):
        found, failed = run.guard.call(
            builder,
            [one for one in candidates if lengths[one.product.id] == length],
            partial(_build, builder, length),
            accept,
        )
        sequences += found
        failures += failed
    built: dict[str, list[ImageSequence]] = {}
    for sequence in sequences:
        built.setdefault(sequence.product.id, []).append(sequence)
    reasons = {failure.item.product.id: failure.reason for failure in failures}
    for candidate in candidates:
        product_id = candidate.product.id
        if product_id not in built:
            reason = reasons.get(product_id, f"{builder.label} built no sequence")
            batch[product_id].end("failed", f"sequence builder {reason}")
    return built


def _build(
    builder: Component, length: int, chunk: Sequence[SequenceCandidates], context: Context
) -> Iterable[ImageSequence]:
    built: Iterable[ImageSequence] = builder.instance.build(chunk, length, context)
    return built


def _why_short(progress: ProductState, own: Set[str], count: int, wanted: int, builder: Component) -> str:
    """Return why a sequence is shorter than wanted and than the usable images allow; "" where it is not."""
    doubted = [image.id for image in progress.usable if image.id not in own]
    reasons = []
    if len(own) < wanted and doubted:
        reasons.append(f"left out in doubt (noncompliance.doubt): {', '.join(doubted)}")
    if count < min(wanted, len(own)):
        reasons.append(f"{builder.owned.spec.name} left out what does not go with the first")
    return f"{count} of {min(wanted, len(progress.usable))} images: {'; '.join(reasons)}" if reasons else ""


def _candidates(progress: ProductState, fewest: int) -> SequenceCandidates:
    usable = progress.candidates(fewest)
    primary = next(image for image in usable if image.id == progress.primary)
    others = tuple(image for image in usable if image is not primary)
    ids = {image.id for image in usable}
    return SequenceCandidates(
        product=progress.product,
        primary=primary,
        others=others,
        primary_alternatives=tuple(image for image in others if image.id in progress.primary_alternatives),
        findings=tuple(found for found in progress.findings if len(found.images) == 2 and ids.issuperset(found.images)),
    )
