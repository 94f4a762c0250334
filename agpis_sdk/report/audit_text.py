"""An audit as a linter prints it: findings grouped by product, a line each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from agpis_sdk.components import ComponentConfig
from agpis_sdk.records import AuditFinding, GalleryAudit
from agpis_sdk.rules import Rule
from agpis_sdk.wording import printable

WIDEST = 60  # of the column of images; longer names push their line to the right alone


class TextReporter:
    """Writes products with findings only; what blocks is told apart by its severity.

    A product and a finding are a line each, whatever their ids and messages hold.
    """

    _stream: TextIO

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def start(self, stream: TextIO, products: str, rules: Sequence[Rule]) -> None:
        """Write nothing: text has no head."""
        del products, rules
        self._stream = stream

    def add(self, audit: GalleryAudit) -> None:
        """Write the product's id and title, and below it a line per finding."""
        if not audit.findings and audit.error is None:
            return
        lines = [f"{audit.product_id}  {audit.title}".rstrip()]
        if audit.error is not None:
            lines.append(f"  error: {audit.error}")
        width = min(WIDEST, max((len(_images(finding)) for finding in audit.findings), default=0))
        lines += [f"  {_images(finding):<{width}}  {_worded(finding)}" for finding in audit.findings]
        self._stream.write("\n".join(map(printable, lines)) + "\n\n")

    def finish(self) -> None:
        """Write nothing: text has no foot."""


def _images(finding: AuditFinding) -> str:
    if len(finding.images) > 2:
        return printable(f"{finding.images[0]} … {finding.images[-1]}")
    return printable(", ".join(finding.images)) or "(gallery)"


def _worded(finding: AuditFinding) -> str:
    words = f"{finding.severity:<7}  {finding.code} {finding.name}: {finding.message}"
    return words if finding.suppressed is None else f"{words} [suppressed: {finding.suppressed}]"
