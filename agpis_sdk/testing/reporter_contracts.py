"""What reporters keep to: those that turn a run's outcomes into a file, and those that write an audit to a stream.

class TestJunit(AuditReporterContract):
    plugins = (agpis_shiny.plugin,)
    component = "junit"
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agpis_sdk.components import AuditReporter, DecodedImage, OutcomeReporter
from agpis_sdk.records import AuditFinding, CandidateImage, Finding, GalleryAudit, ImageOutcome, Outcome, Product
from agpis_sdk.testing.contracts import ComponentContract
from agpis_sdk.testing.images import make_image

Reported = tuple[Product | None, Outcome, Mapping[str, DecodedImage]]
SUMMARY: Mapping[str, Any] = {"seconds": 1.5, "images": 2, "threshold": 0.5}


class OutcomeReporterContract(ComponentContract):
    """A reporter of outcomes: one file, and only a whole one."""

    def outcomes(self) -> list[Reported]:
        """Return what to report: by default one product with a finding, and a record that was no product."""
        images = {fault: make_image(fault, position=position) for position, fault in enumerate(("plain", "blur"))}
        product = Product(
            id="P1", title="Bag", images=tuple(CandidateImage(id=name, uri=f"{name}.png") for name in images)
        )
        outcome = Outcome(
            product_id="P1",
            status="submit",
            sequence=("plain",),
            probability=0.8,
            images=(ImageOutcome(id="plain", state="primary"), ImageOutcome(id="blur", state="removed")),
            findings=(Finding(code="AGP103", images=("blur",), score=0.9, message="it is blurred"),),
        )
        return [(product, outcome, images), (None, Outcome(product_id="line 7", status="failed", reason="no JSON"), {})]

    def started(self, path: Path) -> OutcomeReporter:
        """Return the reporter, made anew, with a report begun at a path."""
        subject = self.fresh()
        reporter: OutcomeReporter = subject.instance
        reporter.start(path, "products.jsonl", list(subject.host.rules))
        return reporter

    def test_it_is_a_reporter_of_outcomes(self) -> None:
        assert isinstance(self.under_test().instance, OutcomeReporter)

    def test_its_file_appears_only_when_it_is_finished(self, tmp_path: Path) -> None:
        path = tmp_path / "report.out"
        reporter = self.started(path)
        for product, outcome, images in self.outcomes():
            reporter.add(product, outcome, images)
        before = path.exists()

        reporter.finish(SUMMARY)

        assert not before
        assert path.stat().st_size > 0

    def test_only_its_file_is_left(self, tmp_path: Path) -> None:
        self.started(tmp_path / "report.out").finish(SUMMARY)

        assert [path.name for path in tmp_path.iterdir()] == ["report.out"]

    def test_a_discarded_report_leaves_nothing(self, tmp_path: Path) -> None:
        reporter = self.started(tmp_path / "report.out")
        for product, outcome, images in self.outcomes():
            reporter.add(product, outcome, images)

        reporter.discard()

        assert list(tmp_path.iterdir()) == []


class AuditReporterContract(ComponentContract):
    """A reporter of audits: everything that it is given is written, and the same every time."""

    def audits(self) -> list[GalleryAudit]:
        """Return what to report: by default a gallery with findings, one without, and a record that was no product."""
        blurred = AuditFinding(
            code="AGP103", images=("a",), score=0.9, message="it is blurred", severity="error", fingerprint="f" * 64
        )
        on_purpose = blurred.model_copy(
            update={"message": "it is gray", "severity": "warning", "suppressed": "it is art"}
        )
        images = tuple(CandidateImage(id=name, uri=f"{name}.png") for name in "ab")
        return [
            GalleryAudit(product_id="P1", title="Bag", images=images, findings=(blurred, on_purpose)),
            GalleryAudit(product_id="P2", images=images),
            GalleryAudit(product_id="line-7", error="line 7 is no product"),
        ]

    def written(self, audits: Sequence[GalleryAudit]) -> str:
        """Return what the reporter, made anew, writes about some galleries."""
        subject, stream = self.fresh(), io.StringIO()
        reporter: AuditReporter = subject.instance
        reporter.start(stream, "products.jsonl", list(subject.host.rules))
        for audit in audits:
            reporter.add(audit)
        reporter.finish()
        return stream.getvalue()  # raises where the reporter has closed the stream

    def test_it_is_a_reporter_of_audits(self) -> None:
        assert isinstance(self.under_test().instance, AuditReporter)

    def test_every_finding_is_written(self) -> None:
        audits = self.audits()

        written = self.written(audits)

        lost = [finding.message for audit in audits for finding in audit.findings if finding.message not in written]
        assert not lost, f"not written: {lost}"

    def test_a_suppressed_finding_comes_with_its_reason(self) -> None:
        """They reach the reporter only with `--show-suppressed`, which promises the reason."""
        audits = self.audits()

        written = self.written(audits)

        reasons = [finding.suppressed for audit in audits for finding in audit.findings if finding.suppressed]
        assert all(reason in written for reason in reasons)

    def test_a_record_that_was_no_product_is_written(self) -> None:
        audits = self.audits()

        written = self.written(audits)

        assert all(audit.error in written for audit in audits if audit.error is not None)

    def test_it_writes_the_same_when_made_anew(self) -> None:
        assert self.written(self.audits()) == self.written(self.audits())

    def test_it_copes_with_an_audit_of_no_galleries(self) -> None:
        assert isinstance(self.written([]), str)
