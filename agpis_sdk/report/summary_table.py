"""What `agpis run` prints to stderr at its end: counts by status with reasons, the most frequent rules, the speed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agpis_sdk.report.console_table import console_table
from agpis_sdk.report.phrases import STATUS_WORDS, STATUSES, reason_in_words
from agpis_sdk.wording import counted, duration, percent, printable, rate

_STYLES = {"submit": "green", "hold": "yellow", "none": "bright_black", "failed": "red"}
_BAR_CELLS = 12
MOST_COMPONENTS = 3  # so that they fit a line of a terminal


def summary_table(
    counts: Mapping[str, int],
    rules: Mapping[str, int],
    seconds: float,
    *,
    images: int = 0,
    reasons: Mapping[str, Mapping[str, int]] | None = None,
    names: Mapping[str, str] | None = None,
    components: Mapping[str, float] | None = None,
    top: int = 8,
) -> Group:
    """Return a run's summary for a console.

    Args:
        counts: Products by status.
        rules: Findings by rule code.
        seconds: How long the run took; 0 leaves the speed out.
        images: How many images were read.
        reasons: For a status, products by reason.
        names: Rule names by code.
        components: Seconds by component.
        top: How many rules are shown.
    """
    products = sum(counts.values())
    parts: list[RenderableType] = [_status_table(counts, products, reasons or {})]
    if rules:
        parts += [Text(), _rule_table(rules, names or {}, top)]
    parts += [Text(), _speed(products, images, seconds)]
    if components:
        parts.append(_slowest(components))
    return Group(*parts)


def _status_table(counts: Mapping[str, int], products: int, reasons: Mapping[str, Mapping[str, int]]) -> Table:
    explained = any(reasons.values())
    table = _table("Status", "Products", "Share", *(["Why"] if explained else []))
    for status in STATUSES:
        count = counts.get(status, 0)
        table.add_row(
            Text(STATUS_WORDS[status][0], style=_STYLES[status] if count else "dim"),
            Text(f"{count:,}", style="bold" if count else "dim"),
            Text(percent(count / products) if products else "–", style="" if count else "dim"),
            *([_why(reasons.get(status, {}))] if explained else []),
        )
    return table


def _why(reasons: Mapping[str, int]) -> Text:
    lines = [f"{count:,} × {printable(reason_in_words(reason))}" for reason, count in _most_frequent(reasons.items())]
    return Text("\n".join(lines), style="dim")


def _rule_table(rules: Mapping[str, int], names: Mapping[str, str], top: int) -> Table:
    ordered = _most_frequent(rules.items())
    table = _table("Rule", "Findings", "", "Name")
    for code, count in ordered[:top]:
        cells = max(1, round(_BAR_CELLS * count / ordered[0][1]))
        table.add_row(
            Text(code), Text(f"{count:,}", style="bold"), Text("━" * cells, style="blue"), Text(names.get(code, ""))
        )
    if len(ordered) > top:
        rest = ordered[top:]
        findings = sum(count for _, count in rest)
        table.add_row("", Text(f"{findings:,}", style="dim"), "", Text(counted(len(rest), "more rule"), style="dim"))
    return table


def _speed(products: int, images: int, seconds: float) -> Text:
    sizes = [(products, "product")] + ([(images, "image")] if images else [])
    line = ", ".join(counted(count, noun) for count, noun in sizes)
    if seconds <= 0:
        return Text(line)
    speeds = ", ".join(f"{rate(count / seconds)} {noun}s/s" for count, noun in sizes)
    return Text.assemble(line, f" in {duration(seconds)}", (f"  ({speeds})", "dim"))


def _slowest(components: Mapping[str, float]) -> Text:
    """Return where most of the time went, as shares of what all components took."""
    total = sum(components.values()) or 1.0
    ordered = sorted(components.items(), key=lambda item: (-item[1], item[0]))[:MOST_COMPONENTS]
    shares = ", ".join(f"{label.split(' ')[0]} {percent(seconds / total)}" for label, seconds in ordered)
    return Text(f"time of components: {shares}", style="dim")


def _table(first: str, number: str, third: str, *last: str) -> Table:
    table = console_table()
    table.add_column(first, no_wrap=True)
    table.add_column(number, justify="right", no_wrap=True)
    table.add_column(third, no_wrap=True, justify="right" if third else "left")
    for name in last:
        table.add_column(name, overflow="fold")
    return table


def _most_frequent(items: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(items, key=lambda item: (-item[1], item[0]))
