"""Image-pair recognition (paper section 3.3.2): duplicates are found, and one image of each violating pair goes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from agpis_sdk.components import DecodedImage, ImagePair
from agpis_sdk.pipeline.alternatives import image_to_drop
from agpis_sdk.pipeline.batch import Batch, ProductState, engine_finding, too_few
from agpis_sdk.pipeline.findings import accept_judgment, keep_finding, pairs_known
from agpis_sdk.pipeline.guard import Component
from agpis_sdk.pipeline.run import Run, through_cache
from agpis_sdk.pipeline.single_image import with_facts
from agpis_sdk.pipeline.unjudged import note_unjudged, note_unjudged_rule
from agpis_sdk.records import Unjudged

ALIKE = 0.02
"""Up to this difference of p_primary two copies are equally good as the primary image."""
CLEARLY_LARGER = 1.2
"""By this factor in pixels one copy is clearly larger than the other."""


def check_pairs(run: Run, batch: Batch) -> None:
    """Run the pair checkers on all pairs of a product's images that have not been removed."""
    for checker in run.pair_checkers:
        _check(run, checker, batch)


def remove_from_pairs(run: Run, batch: Batch) -> None:
    """Of each violating pair keep the primary image, else the one with the smaller p_nc; the surest pair first.

    Of two copies that are equally good as the primary image the clearly larger one is it, whichever is listed first.
    """
    for progress in [progress for progress in batch.values() if progress.open]:
        violating = [
            finding
            for finding in progress.findings
            if len(finding.images) == 2
            and run.rules[finding.code].category == "image-pair"
            and run.rules[finding.code].severity == "error"
        ]
        for finding in sorted(violating, key=lambda finding: (-finding.score, finding.images, finding.code)):
            if progress.removed.isdisjoint(finding.images):
                _prefer_larger(progress, finding.images)
                progress.removed.add(image_to_drop(progress, finding.images, (progress.primary,)))
        fewest, length = run.config.sequence.fewest, run.config.sequence.length
        if len(progress.usable) < fewest:
            progress.end("none", "too-few-images", too_few(progress, "image-pair recognition", fewest))
        elif len(progress.usable) < length:
            progress.detail = too_few(progress, "image-pair recognition", length)


def _prefer_larger(progress: ProductState, copies: Sequence[str]) -> None:
    """Make the other one of two copies the primary image where the primary is the smaller one, and no better."""
    primary = progress.primary
    if primary is None or primary not in copies:
        return
    for other in progress.primary_alternatives & set(copies):
        alike = abs(progress.p_primary[other] - progress.p_primary[primary]) <= ALIKE
        if alike and _pixels(progress.images[other]) >= CLEARLY_LARGER * _pixels(progress.images[primary]):
            progress.primary = other
            progress.primary_alternatives = progress.primary_alternatives - {other} | {primary}


def _pixels(image: DecodedImage) -> int:
    return image.original_width * image.original_height


def _check(run: Run, checker: Component, batch: Batch) -> None:
    open_products = [progress for progress in batch.values() if progress.open]
    usable = [image for progress in open_products for image in progress.usable]
    ready = {image.key for image in with_facts(run, checker, batch, usable)}
    pairs = [
        ImagePair(first, second)
        for progress in open_products
        for first, second in itertools.combinations(progress.usable, 2)
        if first.key in ready and second.key in ready
    ]
    found, failures = through_cache(
        run,
        checker,
        pairs,
        lambda unknown: run.guard.call(
            checker,
            unknown,
            lambda chunk, context: checker.instance.check_pairs(chunk, context),
            lambda chunk, result: accept_judgment(checker, pairs_known(chunk), result, run.rules),
        ),
    )
    for result in found:
        if isinstance(result, Unjudged):
            note_unjudged_rule(run, checker, batch[result.product_id], result)
        else:
            keep_finding(batch[result.product_id], result, run.thresholds, run.rules)
    for failure in failures:
        pair = failure.item
        broken = engine_finding(run.rules, "AGP902", (pair.first.id, pair.second.id), failure.reason)
        progress = batch[pair.first.product_id]
        progress.findings.append(broken)
        note_unjudged(run, checker, progress, (pair.first.id, pair.second.id), failure.reason)
