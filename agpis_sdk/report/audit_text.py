"""An audit as a linter prints it: findings grouped by product, a line each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.text import Text

from agpis_sdk.components import ComponentConfig
from agpis_sdk.records import AuditFinding, GalleryAudit
from agpis_sdk.rules import Rule
from agpis_sdk.wording import printable

STYLES = {"error": "bold red", "warning": "yellow"}
WIDEST = 60  # of the column of images; longer names push their line to the right alone


class TextReporter:
    """Writes products with findings only; what blocks is told apart by its severity.

    A product and a finding are a line each, whatever their ids and messages hold.
    """

    _console: Console

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def start(self, stream: TextIO, products: str, rules: Sequence[Rule]) -> None:
        """Write nothing: text has no head."""
        del products, rules
        # Plain where the stream is no terminal, or NO_COLOR is set.
        self._console = Console(file=stream, highlight=False, soft_wrap=True)

    def add(self, audit: GalleryAudit) -> None:
        """Write the product's id and title, and below it a line per finding."""
        if not audit.findings and audit.error is None:
            return
        self._print(Text(printable(audit.product_id), style="bold"), f"  {audit.title}".rstrip())
        if audit.error is not None:
            self._print("  ", Text("error", style=STYLES["error"]), f": {audit.error}")
        width = min(WIDEST, max((len(_images(finding)) for finding in audit.findings), default=0))
        for finding in audit.findings:
            severity = Text(f"{finding.severity:<7}", style=STYLES[finding.severity])
            rule = Text(f"{finding.code} {finding.name}", style="cyan")
            self._print(f"  {_images(finding):<{width}}  ", severity, "  ", rule, _worded(finding))
        self._print()

    def _print(self, *parts: str | Text) -> None:
        self._console.print(Text.assemble(*(part if isinstance(part, Text) else printable(part) for part in parts)))

    def finish(self) -> None:
        """Write nothing: text has no foot."""


def _images(finding: AuditFinding) -> str:
    if len(finding.images) > 2:
        return printable(f"{finding.images[0]} … {finding.images[-1]}")
    return printable(", ".join(finding.images)) or "(gallery)"


def _worded(finding: AuditFinding) -> str:
    words = f": {finding.message}{f' → {finding.remedy}' if finding.remedy else ''}"
    return words if finding.suppressed is None else f"{words} [suppressed: {finding.suppressed}]"
