"""What a training reports, as a table for people: every figure, and how many are in long groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from agpis_sdk.report.console_table import console_table

MOST_ENTRIES = (20, 6)
"""So many entries of a group are listed: of one at the top, and of one within it. Longer ones are only counted."""


def figures_table(figures: Mapping[str, Any]) -> Table:
    """Return a row for every figure, those of groups and of groups in groups included; long groups and lists are counted."""
    table = console_table()
    table.add_column("figure", no_wrap=True)
    table.add_column("value", justify="right")
    for name, value in figures.items():
        for row in _rows(name, value, MOST_ENTRIES):
            table.add_row(*row)
    return table


def _rows(name: str, value: Any, most: Sequence[int]) -> Iterator[tuple[str, str]]:
    if not isinstance(value, Mapping):
        yield name, _worded(value)
    elif most and len(value) <= most[0]:
        for below, one in value.items():
            yield from _rows(f"{name} {below}", one, most[1:])
    else:
        yield name, f"({len(value)} entries)"


def _worded(value: Any) -> str:
    """Return a value as people read it: four digits behind the point, lists counted.

    >>> _worded(0.123456), _worded(12), _worded([1, 2]), _worded(None)
    ('0.1235', '12', '(2 entries)', '')
    """
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1 else f"{value:,.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    return f"({len(value)} entries)" if isinstance(value, list | tuple) else str(value)
