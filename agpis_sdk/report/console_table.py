"""The look of every table that a command prints."""

from __future__ import annotations

from rich import box
from rich.table import Table


def console_table() -> Table:
    """Return an empty table in the style that all commands share; its columns are yet to be added."""
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
