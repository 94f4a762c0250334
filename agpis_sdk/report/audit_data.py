"""An audit for programs: JSON, one object per product with a finding, and CSV, one row per finding."""

from __future__ import annotations

import csv
from typing import TextIO

from agpis_sdk.records import GalleryAudit
from agpis_sdk.report.audit_format import AuditedFile

COLUMNS = (
    "product_id", "title", "category", "seller", "severity", "code", "name", "images", "score", "message", "checker",
    "suppressed", "fingerprint",
)  # fmt: skip


class JsonFormat:
    """Writes one JSON array; products without findings are left out."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._separator = "\n"

    def start(self, audited: AuditedFile) -> None:
        """Open the array."""
        del audited
        self._stream.write("[")

    def add(self, audit: GalleryAudit) -> None:
        """Write one product; where its images lie is left out, as it differs from machine to machine."""
        if audit.findings or audit.error is not None:
            self._stream.write(f"{self._separator}{audit.model_dump_json(exclude={'images'})}")
            self._separator = ",\n"

    def finish(self) -> None:
        """Close the array."""
        self._stream.write("\n]\n")


class CsvFormat:
    """Writes a table; the images of a finding stand in one cell, separated by `|`, a faulty record has no code."""

    def __init__(self, stream: TextIO) -> None:
        self._writer = csv.writer(stream, lineterminator="\n")

    def start(self, audited: AuditedFile) -> None:
        """Write the head of the table."""
        del audited
        self._writer.writerow(COLUMNS)

    def add(self, audit: GalleryAudit) -> None:
        """Write a row per finding."""
        product = (audit.product_id, audit.title, audit.category, audit.seller)
        if audit.error is not None:
            self._writer.writerow((*product, "error", "", "", "", "", audit.error, "", "", ""))
        for finding in audit.findings:
            self._writer.writerow(
                (
                    *product, finding.severity, finding.code, finding.name, "|".join(finding.images), finding.score,
                    finding.message, finding.checker, finding.suppressed or "", finding.fingerprint,
                )
            )  # fmt: skip

    def finish(self) -> None:
        """Write nothing: a table has no foot."""
