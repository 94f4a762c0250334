"""What a training reports, as a table for people: the figures that stand by themselves, and how many are in each group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from agpis_sdk.report.console_table import console_table

SMALL = 6  # entries of a group that are listed


def figures_table(figures: Mapping[str, Any]) -> Table:
    """Return a row for every figure, and one for every group of small size; larger groups and lists are only counted."""
    table = console_table()
    table.add_column("figure", no_wrap=True)
    table.add_column("value", justify="right")
    for name, value in figures.items():
        if not isinstance(value, Mapping):
            table.add_row(name, _worded(value))
        elif len(value) <= SMALL and not any(isinstance(one, Mapping | list) for one in value.values()):
            for below, one in value.items():
                table.add_row(f"{name} {below}", _worded(one))
        else:
            table.add_row(name, f"({len(value)} entries)")
    return table


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
