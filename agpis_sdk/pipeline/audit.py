"""Galleries as they stand, in listed order: nothing is chosen, removed or built, everything is looked at.

Image checkers see all images, pair checkers all pairs, sequence checkers the gallery as listed. The scorer has no say:
it judges sequences of K^t images that a builder made, and its findings are about such a sequence.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from agpis_sdk.components import ImageSequence
from agpis_sdk.config import Config
from agpis_sdk.errors import RecordError
from agpis_sdk.media.products import CheckedProducts, RejectedRecord, checked
from agpis_sdk.pipeline.alternatives import Alternatives
from agpis_sdk.pipeline.batch import PendingBatch, ProductState, engine_finding, finish_decoding
from agpis_sdk.pipeline.image_pairs import check_pairs
from agpis_sdk.pipeline.interruption import Interruption
from agpis_sdk.pipeline.plan import make_audit_plan
from agpis_sdk.pipeline.run import assemble
from agpis_sdk.pipeline.scoring import check_sequences
from agpis_sdk.pipeline.single_image import check_images, check_images_at_cost
from agpis_sdk.pipeline.stream import observed_batches
from agpis_sdk.pipeline.summary import AuditSummary
from agpis_sdk.pipeline.suppressions import read_suppressions
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import AuditFinding, Finding, GalleryAudit, Product

SELLER = "seller"


class Audit:
    """`Audit().run(products)` yields what is wrong with each gallery as listed.

    Models are loaded when the audit is made. Raises `ConfigError` for settings that do not fit the plugins at hand.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        host: PluginHost | None = None,
        interruption: Interruption | None = None,
    ) -> None:
        self.config = config or Config()
        self.host = host or PluginHost.load(self.config.plugins, components=self.config.components)
        self.summary = AuditSummary()
        self._run = assemble(self.host, self.config, make_audit_plan(self.host, self.config), interruption)
        self.reported_rules = [rule for rule in self._run.rules if rule.code in self._run.thresholds]

    def run(
        self, products: CheckedProducts | Iterable[Product | Mapping[str, Any]], *, base: Path | None = None
    ) -> Generator[GalleryAudit, None, None]:
        """Yield one audit per record, in input order; relative uris are resolved against `base`."""
        self.summary = AuditSummary()
        with contextlib.closing(
            observed_batches(checked(products, base=base), self._run, self.host, self.summary)
        ) as batches:
            for pending in batches:
                for audit in self._judge_batch(pending):
                    self.summary.add(audit)
                    yield audit

    def _judge_batch(self, pending: PendingBatch) -> Iterator[GalleryAudit]:
        run = self._run
        batch = {progress.product.id: progress for progress in finish_decoding(pending, run.rules)}
        run.context.open_batch(progress.product for progress in batch.values())
        for check in (check_images, check_images_at_cost):
            check(run, batch)
            for progress in batch.values():
                # An audit takes the gallery as it is: a bad image is looked at by all, and has its place among the pairs.
                progress.removed.clear()
        check_pairs(run, batch)
        galleries = [gallery for progress in batch.values() for gallery in self._gallery(progress)]
        check_sequences(run, batch, galleries)
        for record in pending.records:
            if isinstance(record, RejectedRecord):
                yield GalleryAudit(product_id=record.product_id, error=str(record.error))
            else:
                yield self._finished(batch[record.id])

    def _gallery(self, progress: ProductState) -> Iterator[ImageSequence]:
        """Yield the gallery as listed; one with unreadable images cannot be judged as a whole, and is reported so."""
        unreadable = [image.id for image in progress.product.images if image.id not in progress.images]
        if not unreadable:
            yield ImageSequence(product=progress.product, images=tuple(progress.images.values()))
        elif self._run.sequence_checkers:
            message = f"the gallery was not judged as a whole, as it holds unreadable images: {', '.join(unreadable)}"
            finding = engine_finding(self._run.rules, "AGP903", tuple(unreadable), message)
            progress.findings.append(finding)

    def _finished(self, progress: ProductState) -> GalleryAudit:
        product = progress.product
        error = None
        try:
            suppressions = read_suppressions(product, self._run.rules)
        except RecordError as faulty:
            suppressions, error = (), str(faulty)
        positions = {image.id: position for position, image in enumerate(product.images)}
        findings = [
            AuditFinding(
                **dict(finding),
                severity=self._run.rules[finding.code].severity,
                fingerprint=fingerprint(product.id, finding),
                suppressed=next((one.reason for one in suppressions if one.covers(finding, self._run.rules)), None),
            )
            for finding in Alternatives(progress, self._run.rules, tuple(image.id for image in product.images)).told()
        ]
        return GalleryAudit(
            product_id=product.id,
            title=product.title,
            category=product.category,
            seller=str(product.attributes.get(SELLER) or ""),
            images=product.images,
            error=error,
            findings=tuple(sorted(findings, key=lambda finding: _place(finding, positions))),
        )


def fingerprint(product_id: str, finding: Finding) -> str:
    """Return what a finding is known by from one audit to the next: a SHA-256 of product, rule and images.

    The order of the images does not count, nor do the score and the words.
    """
    identity = json.dumps([product_id, finding.code, sorted(finding.images)], ensure_ascii=False)
    return hashlib.sha256(identity.encode()).hexdigest()


def _place(finding: Finding, positions: Mapping[str, int]) -> tuple[object, ...]:
    """Return a finding's sort key: by the gallery's order, then by rule."""
    return ([positions[image_id] for image_id in finding.images], finding.code, finding.checker, finding.message)
