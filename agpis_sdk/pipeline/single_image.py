"""Single-image recognition (paper section 3.3.1): facts about every image, then the image checkers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agpis_sdk.components import DecodedImage
from agpis_sdk.config import NoncomplianceSection
from agpis_sdk.facts import View
from agpis_sdk.pipeline.backbone import compute_features
from agpis_sdk.pipeline.batch import Batch, engine_finding
from agpis_sdk.pipeline.findings import accept_judgment, images_known, keep_finding
from agpis_sdk.pipeline.guard import Component, Failure
from agpis_sdk.pipeline.run import Run, through_cache
from agpis_sdk.pipeline.unjudged import note_unjudged, note_unjudged_rule
from agpis_sdk.records import Unjudged
from agpis_sdk.specs import is_costly

IN_COMPANY = 2 / 3
"""What `noncompliance.doubt` counts beside a non-compliant image of the product: docs/benchmarks/unseen-shops.md."""


def check_images(run: Run, batch: Batch) -> None:
    """Compute the facts about every image and run the image checkers but the costly ones; mark violating images as removed."""
    if run.backbone is not None:
        images = [image for progress in batch.values() for image in progress.usable]
        note_failures(run, batch, _features(run, run.backbone, images))
    everything = [image for progress in batch.values() for image in progress.images.values()]
    for checker in run.image_checkers:
        if not is_costly(checker.owned.spec):
            _check(run, checker, batch, everything)
    for progress in batch.values():
        for image in progress.images.values():
            p_noncompliant = run.context.known(image, "p_noncompliant")
            if p_noncompliant is not None:
                progress.p_noncompliant[image.id] = float(p_noncompliant)
            view = run.context.known(image, "view")
            if isinstance(view, View):
                progress.views[image.id] = view


def check_images_at_cost(run: Run, batch: Batch, fewest: int = 1) -> None:
    """Run the costly image checkers on the images that are left, of products that have at least `fewest` of them."""
    for checker in run.image_checkers:
        if is_costly(checker.owned.spec):
            products = [progress for progress in batch.values() if progress.open and len(progress.usable) >= fewest]
            _check(run, checker, batch, [image for progress in products for image in progress.usable])


def remove_noncompliant(run: Run, batch: Batch) -> None:
    """Remove every image whose p_nc reaches the threshold (paper section 3.3.1), and note AGP906 on it; doubt those near it."""
    settings = run.config.noncompliance
    for progress in batch.values():
        # Rounded as it is written, so that a reader can repeat the comparison.
        known = {image_id: round(p_nc, 4) for image_id, p_nc in progress.p_noncompliant.items()}
        for image in progress.usable:
            p_nc = known.get(image.id)
            if p_nc is not None and p_nc >= settings.threshold:
                message = f"looks non-compliant: {p_nc:.0%} (p_nc), {settings.threshold:.0%} are too much"
                progress.findings.append(engine_finding(run.rules, "AGP906", (image.id,), message))
                progress.removed.add(image.id)
        progress.doubtful = _doubtful(known, settings)


def _doubtful(p_nc: Mapping[str, float], settings: NoncomplianceSection) -> set[str]:
    """Return the images of a product that may be non-compliant: sooner where another one surely is."""
    if settings.doubt >= 1:
        return set()
    in_company = max(p_nc.values(), default=0.0) >= settings.threshold
    limit = settings.doubt * (IN_COMPANY if in_company else 1)
    return {image_id for image_id, value in p_nc.items() if value >= limit}


def with_facts(run: Run, component: Component, batch: Batch, images: Sequence[DecodedImage]) -> list[DecodedImage]:
    """Return the images about which all facts are known that a component requires; note AGP903 on the others."""
    required = component.owned.spec.requires
    ready = []
    for image in images:
        if run.context.has_facts(image, required):
            ready.append(image)
        else:
            missing = [name for name in sorted(required) if run.context.known(image, name) is None]
            message = f"{component.label} was skipped: no {', '.join(missing)}"
            batch[image.product_id].findings.append(engine_finding(run.rules, "AGP903", (image.id,), message))
            note_unjudged(run, component, batch[image.product_id], (image.id,), message)
    return ready


def note_failures(run: Run, batch: Batch, failures: Sequence[Failure[DecodedImage]]) -> None:
    """Note AGP902 on every image on which a component failed."""
    for failure in failures:
        finding = engine_finding(run.rules, "AGP902", (failure.item.id,), failure.reason)
        batch[failure.item.product_id].findings.append(finding)


def _features(run: Run, backbone: Component, images: Sequence[DecodedImage]) -> list[Failure[DecodedImage]]:
    _, failures = through_cache(
        run, backbone, images, lambda unknown: ([], compute_features(backbone, unknown, run.context, run.guard))
    )
    return failures


def _check(run: Run, checker: Component, batch: Batch, images: Sequence[DecodedImage]) -> None:
    found, failures = through_cache(
        run,
        checker,
        with_facts(run, checker, batch, images),
        lambda ready: run.guard.call(
            checker,
            ready,
            lambda chunk, context: checker.instance.check_images(chunk, context),
            lambda chunk, result: accept_judgment(checker, images_known(chunk), result, run.rules),
        ),
    )
    for result in found:
        progress = batch[result.product_id]
        if isinstance(result, Unjudged):
            note_unjudged_rule(run, checker, progress, result)
        elif keep_finding(progress, result, run.thresholds, run.rules):
            progress.removed.update(result.images)
    note_failures(run, batch, failures)
    for failure in failures:
        image = failure.item
        note_unjudged(run, checker, batch[image.product_id], (image.id,), failure.reason)
