"""Copies go where they are asked for, and never over anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from agpis_sdk.errors import OutputError
from agpis_sdk.remedies.places import copy_place, safe_name, write_new


def test_a_copy_in_a_folder_is_named_by_product_and_image(tmp_path: Path) -> None:
    assert copy_place("MH01", "back", "x/y.png", ".jpg", tmp_path) == tmp_path / "MH01" / "back.jpg"


def test_without_a_folder_a_copy_is_beside_its_original() -> None:
    assert copy_place("MH01", "back", "shop/back.png", ".jpg", None) == Path("shop/back.fixed.jpg")


def test_an_original_on_the_web_needs_a_folder() -> None:
    with pytest.raises(OutputError, match="name a folder"):
        copy_place("MH01", "back", "https://shop.example/back.png", ".jpg", None)


@pytest.mark.parametrize(
    "hostile", ["../../etc/passwd", "/etc/passwd", "..", ".", "", "a\0b", "C:\\x", "x" * 5000, ".hidden"]
)
def test_no_id_leads_out_of_the_folder(tmp_path: Path, hostile: str) -> None:
    place = copy_place(hostile, hostile, "a.jpg", ".jpg", tmp_path).resolve()
    assert place.parent.parent == tmp_path.resolve()
    assert len(safe_name(hostile)) <= 100


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    place = tmp_path / "a.jpg"
    place.write_bytes(b"original")
    with pytest.raises(OutputError, match="is there already"):
        write_new(place, b"copy")
    assert place.read_bytes() == b"original"
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_a_copy_is_written_whole(tmp_path: Path) -> None:
    write_new(tmp_path / "new" / "a.jpg", b"copy")
    assert (tmp_path / "new" / "a.jpg").read_bytes() == b"copy"
