"""A figure stands under its own heading."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "agpis_sdk").rglob("*.md"))]
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`|\\\|", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_row_of_a_table_has_as_many_cells_as_its_heading(page: Path) -> None:
    lines = CODE.sub("", page.read_text(encoding="utf-8")).splitlines()
    tables = [list(rows) for is_table, rows in groupby(lines, lambda line: line.lstrip().startswith("|")) if is_table]
    assert [row for table in tables for row in table if row.count("|") != table[0].count("|")] == []
