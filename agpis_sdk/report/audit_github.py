"""An audit as workflow commands, which GitHub shows as annotations of a run.

Escapes as in actions/toolkit, packages/core/src/command.ts; what would color or move the log is escaped as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from agpis_sdk.components import ComponentConfig
from agpis_sdk.records import AuditFinding, GalleryAudit
from agpis_sdk.report.finding_file import finding_file, relative
from agpis_sdk.rules import Rule
from agpis_sdk.wording import printable


class GithubReporter:
    """Writes `::error`, `::warning` and, for what is suppressed, `::notice` commands on the image files."""

    _stream: TextIO
    _products: str

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def start(self, stream: TextIO, products: str, rules: Sequence[Rule]) -> None:
        """Write nothing, but keep the products file: what is about no image is shown on it."""
        del rules
        self._stream, self._products = stream, products

    def add(self, audit: GalleryAudit) -> None:
        """Write a command per finding."""
        if audit.error is not None:
            self._write("error", relative(self._products), audit.product_id, audit.error)
        for finding in audit.findings:
            title = f"{finding.code} {finding.name} · {audit.product_id}"
            self._write(_command(finding), finding_file(audit, finding, self._products), title, _message(finding))

    def finish(self) -> None:
        """Write nothing: commands stand alone."""

    def _write(self, command: str, file: str, title: str, message: str) -> None:
        self._stream.write(f"::{command} file={_property(file)},title={_property(title)}::{_data(message)}\n")


def _command(finding: AuditFinding) -> str:
    return finding.severity if finding.suppressed is None else "notice"


def _message(finding: AuditFinding) -> str:
    about = f"{', '.join(finding.images)}: " if finding.images else ""
    reason = f" (suppressed: {finding.suppressed})" if finding.suppressed is not None else ""
    remedy = f"\n{finding.remedy}" if finding.remedy else ""
    return f"{about}{finding.message}{reason}{remedy}"


def _data(text: str) -> str:
    return printable(text, keep="\r\n").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
