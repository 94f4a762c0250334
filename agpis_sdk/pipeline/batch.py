"""One micro-batch: products side by side, and the one place where a product's state changes on its way through."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import partial

from agpis_sdk.components import DecodedImage, ImageSequence
from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError, ImageTooLargeError
from agpis_sdk.facts import View
from agpis_sdk.media.decode import decode_image
from agpis_sdk.media.products import RejectedRecord
from agpis_sdk.media.sources import masked, read_image_bytes, without_secrets
from agpis_sdk.pipeline.result_cache.results import ResultCache
from agpis_sdk.pipeline.suppressions import Suppression
from agpis_sdk.pipeline.trace import Trace
from agpis_sdk.records import CandidateImage, Finding, ImageOutcome, ImageState, Outcome, Product, Status
from agpis_sdk.rules import RuleSet


@dataclass
class ProductState:
    """A product on its way through the pipeline; `status` is set as soon as its end is known.

    `doubtful` images take part only where too few others are left.
    `unjudged` are the images that a checker of an error rule could not judge, one by one, in pairs or as a sequence, and
    why.
    """

    product: Product
    images: dict[str, DecodedImage] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    removed: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)
    suppressions: Sequence[Suppression] = ()
    p_primary: dict[str, float] = field(default_factory=dict)
    primary_reasons: dict[str, tuple[str, ...]] = field(default_factory=dict)
    p_noncompliant: dict[str, float] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    primary: str | None = None
    primary_alternatives: set[str] = field(default_factory=set)
    sequence: ImageSequence | None = None
    probability: float | None = None
    feedback: str | None = None
    status: Status | None = None
    reason: str | None = None
    detail: str | None = None
    unjudged: list[tuple[tuple[str, ...], str]] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether the product's end is not known yet."""
        return self.status is None

    @property
    def usable(self) -> list[DecodedImage]:
        """The readable images that have not been removed, in listed order."""
        return [image for image_id, image in self.images.items() if image_id not in self.removed]

    def candidates(self, fewest: int) -> list[DecodedImage]:
        """Return the usable images that a sequence is made of: those in no doubt, or all where these are fewer than `fewest`."""
        sure = [image for image in self.usable if image.id not in self.doubtful]
        return sure if len(sure) >= fewest else self.usable

    def end(self, status: Status, reason: str | None = None, detail: str | None = None) -> None:
        """Set how the product ends."""
        self.status, self.reason, self.detail = status, reason, detail or self.detail

    def outcome(self) -> Outcome:
        """Return the finished record; probabilities are rounded to 4 digits, findings sorted."""
        chosen = self.sequence.ids if self.sequence else ()
        return Outcome(
            product_id=self.product.id,
            status=self.status or "failed",
            reason=self.reason,
            detail=self.detail,
            sequence=chosen,
            probability=_rounded(self.probability),
            feedback=self.feedback,
            images=tuple(self._image_outcome(image, chosen) for image in self.product.images),
            findings=tuple(sorted(self.findings, key=lambda finding: (finding.code, finding.images, finding.checker))),
        )

    def _image_outcome(self, image: CandidateImage, chosen: tuple[str, ...]) -> ImageOutcome:
        state: ImageState = "kept"
        if image.id not in self.images:
            state = "unreadable"
        elif image.id in self.removed:
            state = "removed"
        elif chosen and image.id == chosen[0]:
            state = "primary"
        elif image.id in chosen:
            state = "selected"
        view = self.views.get(image.id)
        return ImageOutcome(
            id=image.id,
            state=state,
            uri=without_secrets(image.uri) or None,
            p_primary=_rounded(self.p_primary.get(image.id)),
            p_noncompliant=_rounded(self.p_noncompliant.get(image.id)),
            primary_reasons=self.primary_reasons.get(image.id, ()),
            view=view.name if view else None,
            p_view=_rounded(view.probability(view.name)) if view else None,
        )


Batch = Mapping[str, ProductState]


@dataclass(frozen=True)
class PendingBatch:
    """Records of a micro-batch whose images are being read and decoded in threads."""

    records: list[Product | RejectedRecord]
    decoded: Mapping[str, list[Future[DecodedImage | ImageReadError]]]
    cache: ResultCache | None = None


def start_decoding(
    records: list[Product | RejectedRecord],
    executor: Executor,
    limits: MediaSection,
    cache: ResultCache | None = None,
    trace: Trace | None = None,
) -> PendingBatch:
    """Begin to read and decode the images of a micro-batch; those about which the cache knows all are only read."""
    decoded = {
        product.id: [
            executor.submit(_decode_one, product.id, image, position, limits, cache, trace)
            for position, image in enumerate(product.images[: limits.max_images])
        ]
        for product in records
        if isinstance(product, Product)
    }
    return PendingBatch(records, decoded, cache)


def finish_decoding(pending: PendingBatch, rule_set: RuleSet) -> list[ProductState]:
    """Wait for the images of a micro-batch; one that cannot be read becomes a finding, never a substitute."""
    batch = []
    for product in pending.records:
        if isinstance(product, RejectedRecord):
            continue
        progress = ProductState(product)
        looked_at = pending.decoded[product.id]
        beyond = tuple(image.id for image in product.images[len(looked_at) :])
        if beyond:
            message = (
                f"{len(product.images)} images are listed; the first {len(looked_at)} were looked at (media.max_images)"
            )
            progress.findings.append(engine_finding(rule_set, "AGP907", beyond, message))
        for image, future in zip(product.images, looked_at, strict=False):
            decoded = future.result()
            if isinstance(decoded, ImageReadError):
                code = "AGP904" if isinstance(decoded, ImageTooLargeError) else "AGP901"
                progress.findings.append(engine_finding(rule_set, code, (image.id,), _message(image, decoded)))
                continue
            progress.images[image.id] = decoded
            if decoded.frame_count > 1:
                message = f"{decoded.frame_count} frames; only the first was looked at"
                progress.findings.append(engine_finding(rule_set, "AGP905", (image.id,), message))
        batch.append(progress)
    if pending.cache is not None:
        pending.cache.take_in(image for progress in batch for image in progress.images.values())
    return batch


def engine_finding(rule_set: RuleSet, code: str, images: tuple[str, ...], message: str) -> Finding:
    """Build a finding of the engine itself."""
    rule = rule_set[code]
    return Finding(
        code=code, name=rule.name, images=images, score=1.0, message=message, remedy=rule.remedy, checker="engine"
    )


def too_few(progress: ProductState, stage: str, length: int) -> str:
    """Return how many usable images a stage has left a product, of the `length` that are needed."""
    listed = len(progress.product.images)
    return f"{len(progress.usable)} of {listed} images left after {stage}; {length} are needed"


def rejected_outcome(record: RejectedRecord) -> Outcome:
    """Return the outcome of a record that is no product."""
    return Outcome(product_id=record.product_id, status="failed", reason=str(record.error))


def _decode_one(
    product_id: str,
    image: CandidateImage,
    position: int,
    limits: MediaSection,
    cache: ResultCache | None,
    trace: Trace | None,
) -> DecodedImage | ImageReadError:
    started = time.perf_counter()
    try:
        data = read_image_bytes(image.uri, limits)
        decode = partial(
            decode_image,
            data,
            product_id=product_id,
            image_id=image.id,
            position=position,
            limits=limits,
            uri=image.uri,
        )
        place = {"product_id": product_id, "id": image.id, "position": position}
        undecoded = cache.undecoded(data, image.uri, place, decode) if cache is not None else None
        return undecoded if undecoded is not None else decode()
    except ImageReadError as error:
        return error
    finally:
        if trace is not None:
            trace.span("decode", started, product=product_id, image=image.id)


def _message(image: CandidateImage, error: ImageReadError) -> str:
    remedy = f" ({error.remedy})" if error.remedy else ""
    return f"{error.item or masked(image.uri)}: {error.what}{remedy}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
