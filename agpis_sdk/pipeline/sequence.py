"""The target sequence is built from the images that recognition left (end of paper section 3.3.2)."""

from __future__ import annotations

from collections.abc import Sequence

from agpis_sdk.components import ImageSequence, SequenceCandidates
from agpis_sdk.errors import ComponentError
from agpis_sdk.pipeline.batch import Batch, ProductState
from agpis_sdk.pipeline.guard import Component
from agpis_sdk.pipeline.run import Run


def build_sequences(run: Run, builder: Component, batch: Batch) -> dict[str, list[ImageSequence]]:
    """Return the sequences built for each product that is still open."""
    length = run.config.sequence.length
    candidates = [_candidates(progress) for progress in batch.values() if progress.open]
    usable = {
        candidate.product.id: {image.id for image in (candidate.primary, *candidate.others)} for candidate in candidates
    }

    def accept(_: Sequence[SequenceCandidates], result: object) -> ImageSequence:
        if not isinstance(result, ImageSequence):
            raise ComponentError(f"yielded {type(result).__name__}, not an ImageSequence")
        own = usable.get(result.product.id, set())
        if len(set(result.ids)) != length or len(result.ids) != length or not set(result.ids) <= own:
            raise ComponentError(f"built {list(result.ids)}: {length} different usable images are needed")
        progress = batch[result.product.id]
        if result.ids[0] not in {progress.primary, *progress.primary_alternatives}:
            raise ComponentError(f"built {list(result.ids)}: the primary image must come first")
        return result

    sequences, failures = run.guard.call(
        builder, candidates, lambda chunk, context: builder.instance.build(chunk, length, context), accept
    )
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


def _candidates(progress: ProductState) -> SequenceCandidates:
    usable = progress.usable
    primary = next(image for image in usable if image.id == progress.primary)
    others = tuple(image for image in usable if image is not primary)
    return SequenceCandidates(
        product=progress.product,
        primary=primary,
        others=others,
        primary_alternatives=tuple(image for image in others if image.id in progress.primary_alternatives),
    )
