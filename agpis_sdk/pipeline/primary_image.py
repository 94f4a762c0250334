"""The choice of the primary image, the first of the sequence (paper section 3.3.1, Eq. 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agpis_sdk.components import Context, DecodedImage
from agpis_sdk.config import PrimarySection
from agpis_sdk.errors import ComponentError
from agpis_sdk.pipeline.alternatives import FIRST_VIEWS
from agpis_sdk.pipeline.batch import Batch, ProductState, too_few
from agpis_sdk.pipeline.guard import Component
from agpis_sdk.pipeline.run import Run
from agpis_sdk.pipeline.single_image import note_failures, with_facts


def select_primary(run: Run, selector: Component, batch: Batch) -> None:
    """Score every image with p_primary; of those not removed, the largest at or above the threshold wins.

    Among images that are about as good, the first listed wins that shows the product as a first image does: p_primary
    cannot decide between them, and a shop lists first the variant of which it has most images.
    """
    _score(run, selector, batch)
    settings, sequence = run.config.primary, run.config.sequence
    for progress in [progress for progress in batch.values() if progress.open]:
        usable = progress.usable
        if len(usable) < sequence.fewest:
            progress.end("none", "too-few-images", too_few(progress, "single-image recognition", sequence.fewest))
            continue
        candidates = progress.candidates(sequence.fewest)
        best = max(candidates, key=lambda image: (progress.p_primary[image.id], -image.position))
        largest = progress.p_primary[best.id]
        if largest < settings.threshold:
            why = f'best is "{best.id}" with p_primary {largest:.2f} < {settings.threshold:g}'
            progress.end("none", "no-primary", why)
        else:
            near = [image for image in candidates if _about_as_good(image, best, progress.p_primary, settings)]
            progress.primary = min(near, key=lambda image: (not _may_come_first(image, progress), image.position)).id
            progress.primary_alternatives = {image.id for image in near} - {progress.primary}


def _about_as_good(
    image: DecodedImage, best: DecodedImage, p_primary: Mapping[str, float], settings: PrimarySection
) -> bool:
    """Return whether an image is within the margin of the best one, reaches the threshold, and is no smaller copy."""
    pixels = image.original_width * image.original_height
    large = 2 * pixels > best.original_width * best.original_height
    enough = max(settings.threshold, p_primary[best.id] * (1 - settings.margin))
    return large and p_primary[image.id] >= enough


def _may_come_first(image: DecodedImage, progress: ProductState) -> bool:
    """Return whether an image shows what a first one may, or nobody knows."""
    view = progress.views.get(image.id)
    return view is None or view.name in FIRST_VIEWS


def _score(run: Run, selector: Component, batch: Batch) -> None:
    def score(chunk: Sequence[DecodedImage], context: Context) -> list[tuple[DecodedImage, float]]:
        scores = list(selector.instance.score_primary(chunk, context))
        if len(scores) != len(chunk):
            raise ComponentError(f"gave {len(scores)} scores for {len(chunk)} images")
        return list(zip(chunk, scores, strict=True))

    def accept(_: Sequence[DecodedImage], result: tuple[DecodedImage, float]) -> tuple[DecodedImage, float]:
        if not 0.0 <= float(result[1]) <= 1.0:
            raise ComponentError(f"gave p_primary {result[1]!r}, which is not in 0..1")
        return result

    everything = [image for progress in batch.values() for image in progress.images.values()]
    scored, failures = run.guard.call(selector, with_facts(run, selector, batch, everything), score, accept)
    for image, p_primary in scored:
        batch[image.product_id].p_primary[image.id] = float(p_primary)
        reasons = run.context.known(image, "primary_reasons") or ()
        batch[image.product_id].primary_reasons[image.id] = tuple(str(reason) for reason in reasons)
    note_failures(run, batch, failures)
    for progress in batch.values():
        missing = [image.id for image in progress.usable if image.id not in progress.p_primary]
        # No image can win against one that was not scored: that would be a silent substitute (law 7).
        if missing and len(progress.usable) >= run.config.sequence.fewest:
            progress.end("failed", f"primary selector {selector.label} gave no score for: {', '.join(missing)}")
