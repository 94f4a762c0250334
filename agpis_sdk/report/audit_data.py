"""An audit for programs: JSON, one object per product with a finding, and CSV, one row per finding."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import TextIO

from agpis_sdk.components import ComponentConfig
from agpis_sdk.records import GalleryAudit
from agpis_sdk.rules import Rule
from agpis_sdk.wording import json_printable, printable

COLUMNS = (
    "product_id", "title", "category", "seller", "severity", "code", "name", "images", "score", "message", "checker",
    "suppressed", "fingerprint", "remedy",
)  # fmt: skip
# What a spreadsheet takes for a formula where a cell begins with it; the last four are full-width = + - @.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class JsonReporter:
    """Writes one JSON array; products without findings are left out."""

    _stream: TextIO

    def __init__(self, config: ComponentConfig) -> None:
        del config
        self._separator = "\n"

    def start(self, stream: TextIO, products: str, rules: Sequence[Rule]) -> None:
        """Open the array."""
        del products, rules
        self._stream = stream
        stream.write("[")

    def add(self, audit: GalleryAudit) -> None:
        """Write one product; where its images lie is left out, as it differs from machine to machine."""
        if audit.findings or audit.error is not None:
            self._stream.write(f"{self._separator}{json_printable(audit.model_dump_json(exclude={'images'}))}")
            self._separator = ",\n"

    def finish(self) -> None:
        """Close the array."""
        self._stream.write("\n]\n")


class CsvReporter:
    """Writes a table; the images of a finding share one cell, separated by `|`, a faulty record has no code.

    A row is a line, and no cell is a formula: control characters are escaped, and what a spreadsheet would compute begins
    with an apostrophe. Texts as they are: `--format json`.
    """

    _stream: TextIO

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def start(self, stream: TextIO, products: str, rules: Sequence[Rule]) -> None:
        """Write the head of the table."""
        del products, rules
        self._stream = stream
        self._write(COLUMNS)

    def add(self, audit: GalleryAudit) -> None:
        """Write a row per finding."""
        product = (audit.product_id, audit.title, audit.category, audit.seller)
        if audit.error is not None:
            self._write((*product, "error", "", "", "", "", audit.error, "", "", "", ""))
        for finding in audit.findings:
            self._write(
                (
                    *product, finding.severity, finding.code, finding.name, "|".join(finding.images), finding.score,
                    finding.message, finding.checker, finding.suppressed or "", finding.fingerprint, finding.remedy,
                )
            )  # fmt: skip

    def finish(self) -> None:
        """Write nothing: a table has no foot."""

    def _write(self, row: Iterable[object]) -> None:
        cells = (_cell(value) if isinstance(value, str) else value for value in row)
        csv.writer(self._stream, lineterminator="\n").writerow(cells)


def _cell(text: str) -> str:
    return printable(f"'{text}" if text.startswith(FORMULA) else text)
