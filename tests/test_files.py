"""A file is written whole or not at all (agpis_sdk/files.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from agpis_sdk.files import written_whole


def test_a_finished_file_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text("old", encoding="utf-8")

    with written_whole(path) as unfinished:
        unfinished.write_text("new", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "old"

    assert path.read_text(encoding="utf-8") == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_where_writing_fails_the_old_file_remains_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text("old", encoding="utf-8")

    def write_half() -> None:
        with written_whole(path) as unfinished:
            unfinished.write_text("ne", encoding="utf-8")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        write_half()

    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]
