"""What an audit counts: findings by rule, by seller and by category, and what was not shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agpis_sdk.records import GalleryAudit
from agpis_sdk.report.console_table import console_table
from agpis_sdk.wording import printable

UNKNOWN = "–"


@dataclass
class Tally:
    """Findings of one rule, seller or category."""

    errors: int = 0
    warnings: int = 0
    products: int = 0

    @property
    def findings(self) -> int:
        """How many findings there are of either severity."""
        return self.errors + self.warnings


@dataclass
class AuditStatistics:
    """Counts the findings that stand; memory grows with rules, sellers and categories, not with products."""

    total: Tally = field(default_factory=Tally)
    by_rule: dict[str, Tally] = field(default_factory=dict)
    by_seller: dict[str, Tally] = field(default_factory=dict)
    by_category: dict[str, Tally] = field(default_factory=dict)
    suppressed: int = 0
    known: int = 0
    _names: dict[str, str] = field(default_factory=dict)

    def add(self, audit: GalleryAudit) -> None:
        """Count the findings of one gallery that stand; suppressed ones only as such."""
        severities = Counter[str]()
        by_rule: dict[str, Counter[str]] = {}
        for finding in audit.findings:
            if finding.suppressed is not None:
                self.suppressed += 1
                continue
            severities[finding.severity] += 1
            by_rule.setdefault(finding.code, Counter())[finding.severity] += 1
            self._names[finding.code] = finding.name
        for code, counts in by_rule.items():
            _count(self.by_rule.setdefault(code, Tally()), counts)
        if severities:
            _count(self.total, severities)
            _count(self.by_seller.setdefault(audit.seller or UNKNOWN, Tally()), severities)
            _count(self.by_category.setdefault(audit.category or UNKNOWN, Tally()), severities)

    def tables(self) -> Group:
        """Return the counts by rule, seller and category for a console; one that would say nothing is left out."""
        named = {f"{code} {self._names[code]}": tally for code, tally in self.by_rule.items()}
        parts: list[RenderableType] = [_table("Rule", named)]
        for title, tallies in (("Seller", self.by_seller), ("Category", self.by_category)):
            if set(tallies) - {UNKNOWN}:
                parts += [Text(), _table(title, tallies)]
        return Group(*parts)


def _count(tally: Tally, severities: Mapping[str, int]) -> None:
    tally.errors += severities.get("error", 0)
    tally.warnings += severities.get("warning", 0)
    tally.products += 1


def _table(title: str, tallies: Mapping[str, Tally]) -> Table:
    table = console_table()
    table.add_column(title, overflow="fold")
    for column in ("Errors", "Warnings", "Products"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, tally in sorted(tallies.items(), key=lambda item: (-item[1].findings, item[0])):
        table.add_row(Text(printable(name)), f"{tally.errors:,}", f"{tally.warnings:,}", f"{tally.products:,}")
    return table
