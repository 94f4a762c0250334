"""Stage 1: single-image and image-pair recognition, then the target sequence is built (paper section 3.3)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agpis_sdk.components import DecodedImage, ImagePair, ImageSequence, SequenceCandidates
from agpis_sdk.config import Config
from agpis_sdk.errors import ComponentError
from agpis_sdk.pipeline.batch import ProductInProgress, engine_finding
from agpis_sdk.pipeline.context import RunContext
from agpis_sdk.pipeline.features import compute_features
from agpis_sdk.pipeline.findings import accept_finding, images_known, keep_finding, pairs_known
from agpis_sdk.pipeline.invoke import Component, Failure, Invoker
from agpis_sdk.rules import RuleSet

Batch = Mapping[str, ProductInProgress]


@dataclass(frozen=True)
class Recognition:
    """What finds violations in images and pairs: stage 1 builds on it, and an audit uses it as it is."""

    config: Config
    rules: RuleSet
    thresholds: Mapping[str, float]
    context: RunContext
    invoker: Invoker
    backbone: Component | None
    image_checkers: Sequence[Component]
    pair_checkers: Sequence[Component]

    def check_images(self, batch: Batch) -> None:
        """Compute the facts about every image, and run the image checkers; violating images are marked as removed."""
        self._compute_features(batch)
        for checker in self.image_checkers:
            self._check_images(checker, batch)
        self._note_p_noncompliant(batch)

    def check_pairs(self, batch: Batch) -> None:
        """Run the pair checkers on all pairs of a product's images that have not been removed."""
        for checker in self.pair_checkers:
            self._check_pairs(checker, batch)

    # ── single-image recognition (3.3.1) ─────────────────────────────────────────────────────────────────────────

    def _compute_features(self, batch: Batch) -> None:
        """Run the backbone once over every image; its facts serve all components."""
        if self.backbone is None:
            return
        images = [image for progress in batch.values() for image in progress.usable]
        self._note_image_failures(batch, compute_features(self.backbone, images, self.context, self.invoker))

    def _check_images(self, checker: Component, batch: Batch) -> None:
        images = self._with_facts(
            checker, batch, [image for progress in batch.values() for image in progress.images.values()]
        )
        found, failures = self.invoker.call(
            checker,
            images,
            lambda chunk, context: checker.instance.check_images(chunk, context),
            lambda chunk, result: accept_finding(checker, images_known(chunk), result, self.rules),
        )
        for finding in found:
            progress = batch[finding.product_id]
            if keep_finding(progress, finding, self.thresholds, self.rules):
                progress.removed.update(finding.images)
        self._note_image_failures(batch, failures)

    def _note_p_noncompliant(self, batch: Batch) -> None:
        for progress in batch.values():
            for image in progress.images.values():
                p_noncompliant = self.context.known(image, "p_noncompliant")
                if p_noncompliant is not None:
                    progress.p_noncompliant[image.id] = float(p_noncompliant)

    # ── image-pair recognition (3.3.2) ───────────────────────────────────────────────────────────────────────────

    def _check_pairs(self, checker: Component, batch: Batch) -> None:
        open_products = [progress for progress in batch.values() if progress.open]
        ready = {
            image.key
            for image in self._with_facts(
                checker, batch, [image for progress in open_products for image in progress.usable]
            )
        }
        pairs = [
            ImagePair(first, second)
            for progress in open_products
            for first, second in itertools.combinations(progress.usable, 2)
            if first.key in ready and second.key in ready
        ]
        found, failures = self.invoker.call(
            checker,
            pairs,
            lambda chunk, context: checker.instance.check_pairs(chunk, context),
            lambda chunk, result: accept_finding(checker, pairs_known(chunk), result, self.rules),
        )
        for finding in found:
            keep_finding(batch[finding.product_id], finding, self.thresholds, self.rules)
        for failure in failures:
            pair = failure.item
            broken = engine_finding(self.rules, "AGP902", (pair.first.id, pair.second.id), failure.reason)
            batch[pair.first.product_id].findings.append(broken)

    # ── shared ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _with_facts(self, component: Component, batch: Batch, images: Sequence[DecodedImage]) -> list[DecodedImage]:
        """Return the images about which all required facts are known; the others get a finding AGP903."""
        required = component.owned.spec.requires
        ready = []
        for image in images:
            if self.context.has_facts(image, required):
                ready.append(image)
            else:
                missing = [name for name in sorted(required) if self.context.known(image, name) is None]
                message = f"{component.blame} was skipped: no {', '.join(missing)}"
                batch[image.product_id].findings.append(engine_finding(self.rules, "AGP903", (image.id,), message))
        return ready

    def _note_image_failures(self, batch: Batch, failures: Sequence[Failure[DecodedImage]]) -> None:
        for failure in failures:
            finding = engine_finding(self.rules, "AGP902", (failure.item.id,), failure.reason)
            batch[failure.item.product_id].findings.append(finding)


@dataclass(frozen=True)
class Stage1(Recognition):
    """The components and settings of stage 1."""

    selector: Component
    builder: Component

    def run(self, batch: Batch) -> dict[str, list[ImageSequence]]:
        """Take a micro-batch through stage 1; return the sequences built for each product that is still open."""
        self.check_images(batch)
        self._select_primary(batch)
        self.check_pairs(batch)
        self._remove_from_pairs(batch)
        return self._build(batch)

    # ── the primary image (3.3.1) ────────────────────────────────────────────────────────────────────────────────

    def _select_primary(self, batch: Batch) -> None:
        """Score every image with p_primary; of those not removed, the largest at or above the threshold wins.

        Of images about as good the first listed wins: which of them is better cannot be told from p_primary, and a shop
        lists the variant first of which it has most images.
        """
        self._score_primary(batch)
        length = self.config.sequence.length
        for progress in [progress for progress in batch.values() if progress.open]:
            usable = progress.usable
            if len(usable) < length:
                progress.end("none", "too-few-images", self._too_few(progress, "single-image recognition"))
                continue
            best = max(usable, key=lambda image: (progress.p_primary[image.id], -image.position))
            largest, primary = progress.p_primary[best.id], self.config.primary
            if largest < primary.threshold:
                why = f'best is "{best.id}" with p_primary {largest:.2f} < {primary.threshold:g}'
                progress.end("none", "no-primary", why)
            else:
                near = [image for image in usable if self._about_as_good(image, best, progress.p_primary)]
                progress.primary = min(near, key=lambda image: image.position).id
                progress.also_primary = {image.id for image in near} - {progress.primary}

    def _about_as_good(self, image: DecodedImage, best: DecodedImage, p_primary: Mapping[str, float]) -> bool:
        """Tell whether an image is within the margin of the best one, reaches the threshold, and is no small copy."""
        primary = self.config.primary
        pixels = image.original_width * image.original_height
        large = 2 * pixels > best.original_width * best.original_height
        enough = max(primary.threshold, p_primary[best.id] * (1 - primary.margin))
        return large and p_primary[image.id] >= enough

    def _score_primary(self, batch: Batch) -> None:
        selector = self.selector
        images = self._with_facts(
            selector, batch, [image for progress in batch.values() for image in progress.images.values()]
        )

        def run(chunk: Sequence[DecodedImage], context: RunContext) -> list[tuple[DecodedImage, float]]:
            scores = list(selector.instance.score_primary(chunk, context))
            if len(scores) != len(chunk):
                raise ComponentError(f"gave {len(scores)} scores for {len(chunk)} images")
            return list(zip(chunk, scores, strict=True))

        def accept(_: Sequence[DecodedImage], result: tuple[DecodedImage, float]) -> tuple[DecodedImage, float]:
            if not 0.0 <= float(result[1]) <= 1.0:
                raise ComponentError(f"gave p_primary {result[1]!r}, which is not in 0..1")
            return result

        scored, failures = self.invoker.call(selector, images, run, accept)
        for image, score in scored:
            batch[image.product_id].p_primary[image.id] = float(score)
            reasons = self.context.known(image, "primary_reasons") or ()
            batch[image.product_id].primary_reasons[image.id] = tuple(str(reason) for reason in reasons)
        self._note_image_failures(batch, failures)
        for progress in batch.values():
            missing = [image.id for image in progress.usable if image.id not in progress.p_primary]
            # No image can win against one that was not scored: that would be a silent substitute (law 7).
            if missing and len(progress.usable) >= self.config.sequence.length:
                progress.end("failed", f"primary selector {selector.blame} gave no score for: {', '.join(missing)}")

    # ── of a pair, one goes (3.3.2) ──────────────────────────────────────────────────────────────────────────────

    def _remove_from_pairs(self, batch: Batch) -> None:
        """Of each violating pair keep the primary image, else the one with the smaller p_nc; the surest pair first."""
        for progress in [progress for progress in batch.values() if progress.open]:
            violating = [
                finding
                for finding in progress.findings
                if len(finding.images) == 2
                and self.rules[finding.code].category == "image-pair"
                and self.rules[finding.code].severity == "error"
            ]
            for finding in sorted(violating, key=lambda finding: (-finding.score, finding.images, finding.code)):
                if progress.removed.isdisjoint(finding.images):
                    progress.removed.add(_loser(progress, finding.images))
            if len(progress.usable) < self.config.sequence.length:
                progress.end("none", "too-few-images", self._too_few(progress, "image-pair recognition"))

    # ── the target sequence ──────────────────────────────────────────────────────────────────────────────────────

    def _build(self, batch: Batch) -> dict[str, list[ImageSequence]]:
        builder = self.builder
        candidates = [_candidates(progress) for progress in batch.values() if progress.open]
        length = self.config.sequence.length
        usable = {
            candidate.product.id: {image.id for image in (candidate.primary, *candidate.others)}
            for candidate in candidates
        }

        def accept(_: Sequence[SequenceCandidates], result: object) -> ImageSequence:
            if not isinstance(result, ImageSequence):
                raise ComponentError(f"yielded {type(result).__name__}, not an ImageSequence")
            own = usable.get(result.product.id, set())
            if len(set(result.ids)) != length or len(result.ids) != length or not set(result.ids) <= own:
                raise ComponentError(f"built {list(result.ids)}: {length} different usable images are needed")
            progress = batch[result.product.id]
            if result.ids[0] not in {progress.primary, *progress.also_primary}:
                raise ComponentError(f"built {list(result.ids)}: the primary image must come first")
            return result

        sequences, failures = self.invoker.call(
            builder, candidates, lambda chunk, context: builder.instance.build(chunk, length, context), accept
        )
        built: dict[str, list[ImageSequence]] = {}
        for sequence in sequences:
            built.setdefault(sequence.product.id, []).append(sequence)
        reasons = {failure.item.product.id: failure.reason for failure in failures}
        for candidate in candidates:
            product_id = candidate.product.id
            if product_id not in built:
                reason = reasons.get(product_id, f"{builder.blame} built no sequence")
                batch[product_id].end("failed", f"sequence builder {reason}")
        return built

    def _too_few(self, progress: ProductInProgress, stage: str) -> str:
        listed = len(progress.product.images)
        return f"{len(progress.usable)} of {listed} images left after {stage}; {self.config.sequence.length} are needed"


def _loser(progress: ProductInProgress, pair: tuple[str, ...]) -> str:
    """Return which image of a violating pair goes; one without p_nc loses, and so does the later of two equals."""
    positions = {image_id: position for position, image_id in enumerate(progress.images)}
    return max(
        pair,
        key=lambda image_id: (
            image_id != progress.primary,
            progress.p_noncompliant.get(image_id, 1.0),
            positions[image_id],
        ),
    )


def _candidates(progress: ProductInProgress) -> SequenceCandidates:
    usable = progress.usable
    primary = next(image for image in usable if image.id == progress.primary)
    others = tuple(image for image in usable if image is not primary)
    return SequenceCandidates(
        product=progress.product,
        primary=primary,
        others=others,
        also_primary=tuple(image for image in others if image.id in progress.also_primary),
    )
