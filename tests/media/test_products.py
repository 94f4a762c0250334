"""Product records in: a bad line is named and never ends the run (agpis_sdk/media/products.py)."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agpis_sdk.errors import InputFileError
from agpis_sdk.media.products import RejectedRecord, checked, read_products
from agpis_sdk.records import Product
from tests.pipeline.fakes import Stand
from tests.pipeline.fakes import product as gallery_product

GOOD = {"id": "P1", "images": ["a.jpg"]}


def ids(path: Path, **options: Any) -> list[str]:
    return [
        record.id if isinstance(record, Product) else record.product_id for record in read_products(path, **options)
    ]


def test_bad_lines_keep_their_place_among_the_good_ones(tmp_path: Path) -> None:
    path = tmp_path / "products.jsonl"
    path.write_text('{"id": "P1", "images": ["a.jpg"]}\nrubbish\n\n[]\n{"id": "P2", "images": ["a.jpg"]}\n')

    assert ids(path) == ["P1", "line-2", "line-4", "P2"]


def test_relative_uris_are_resolved_against_the_file(tmp_path: Path) -> None:
    path = tmp_path / "products.jsonl"
    path.write_text(
        json.dumps({"id": "P1", "images": ["photos/a.jpg", {"id": "b", "uri": "https://shop.example/b.jpg"}, ""]})
    )

    (record,) = read_products(path)

    assert isinstance(record, Product)
    assert [image.uri for image in record.images] == [str(tmp_path / "photos/a.jpg"), "https://shop.example/b.jpg", ""]


@pytest.mark.parametrize("name", ["p.jsonl", "p.ndjson", "P.JSONL", "p.NdJson"])
def test_json_lines_are_read_by_any_of_their_endings(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(json.dumps(GOOD))

    assert ids(tmp_path / name) == ["P1"]


@pytest.mark.parametrize("name", ["products.jsonl.gz", "products.NDJSON.GZ", "products.jsonl"])
def test_gzip_is_read_like_plain_text_whatever_the_file_is_called(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(json.dumps(GOOD).encode() + b"\nrubbish\n"))

    assert ids(tmp_path / name) == ["P1", "line-2"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]) -> None:
    stdin = io.BytesIO(pack(json.dumps(GOOD).encode()))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stdin))

    (record,) = read_products("-")

    assert isinstance(record, Product)
    assert not stdin.closed


def test_a_limit_stops_after_so_many_records(tmp_path: Path) -> None:
    path = tmp_path / "products.jsonl"
    path.write_text("".join(json.dumps({**GOOD, "id": f"P{number}"}) + "\n" for number in range(9)))

    assert ids(path, limit=3) == ["P0", "P1", "P2"]


def test_another_format_on_standard_input_comes_with_a_command_that_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"[" + json.dumps(GOOD).encode() + b"]")))

    with pytest.raises(InputFileError, match=r"standard input: is a JSON array \(jq -c '\.\[\]'\)"):
        list(read_products("-"))


class TestParquet:
    @pytest.fixture
    def write(self, tmp_path: Path) -> Callable[[list[dict[str, Any]]], Path]:
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        def save(rows: Any) -> Path:
            table = pyarrow.Table.from_pylist(rows) if isinstance(rows, list) else pyarrow.table(rows)
            parquet.write_table(table, tmp_path / "products.parquet")
            return tmp_path / "products.parquet"

        return save

    def test_rows_are_products(self, write: Callable[..., Path], tmp_path: Path) -> None:
        path = write(
            [{"id": "P1", "title": None, "images": ["a.jpg"]}, {"id": "P2", "title": "Bag", "images": ["b.jpg"]}]
        )

        first, second = read_products(path)

        assert isinstance(first, Product)
        assert isinstance(second, Product)
        assert (first.title, second.title) == ("", "Bag")
        assert first.images[0].uri == str(tmp_path / "a.jpg")

    def test_images_may_be_objects(self, write: Callable[..., Path]) -> None:
        (record,) = read_products(write([{"id": "P1", "images": [{"id": "front", "uri": "a.jpg"}]}]))

        assert isinstance(record, Product)
        assert record.images[0].id == "front"

    def test_a_column_of_maps_gives_the_attributes(self, write: Callable[..., Path]) -> None:
        pyarrow = pytest.importorskip("pyarrow")
        maps = pyarrow.array([[("color", "red")]], pyarrow.map_(pyarrow.string(), pyarrow.string()))

        (record,) = read_products(write({"id": ["P1"], "images": [["a.jpg"]], "attributes": maps}))

        assert isinstance(record, Product)
        assert record.attributes == {"color": "red"}

    def test_a_bad_row_is_named(self, write: Callable[..., Path]) -> None:
        _, second = read_products(write([{"id": "P1", "images": ["a.jpg"]}, {"id": "P2", "images": []}]))

        assert isinstance(second, RejectedRecord)
        assert str(second.error).startswith('[E300] row 2, product "P2": has no candidate images')

    def test_a_row_that_cannot_be_read_costs_that_row(self, write: Callable[..., Path]) -> None:
        pyarrow = pytest.importorskip("pyarrow")
        not_utf8 = pyarrow.Array.from_buffers(
            pyarrow.string(), 2, pyarrow.array([b"Bag", b"\xff\xfe"], pyarrow.binary()).buffers()
        )

        first, second = read_products(write({"id": ["P1", "P2"], "title": not_utf8, "images": [["a.jpg"], ["b.jpg"]]}))

        assert isinstance(first, Product)
        assert isinstance(second, RejectedRecord)
        assert str(second.error).startswith("[E300] row 2: cannot be read: ")

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            ({"sku": ["P1"], "images": [["a.jpg"]]}, r'has no column "id" \(known: images, sku\)'),
            ({"id": ["P1"], "imagse": [["a.jpg"]]}, r'has no column "images" \(did you mean "imagse"\?\)'),
            ({"id": [4711], "images": [["a.jpg"]]}, r'the column "id" is of type int64 \(cast it to string\)'),
            ({"id": ["P1"], "images": ["a.jpg"]}, r'the column "images" is of type string \(make it a list'),
        ],
    )
    def test_columns_that_hold_no_products_are_one_error(
        self, write: Callable[..., Path], columns: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(InputFileError, match=message):
            read_products(write(columns))

    def test_without_a_row_it_is_empty(self, write: Callable[..., Path]) -> None:
        pyarrow = pytest.importorskip("pyarrow")
        none = {"id": pyarrow.array([], pyarrow.string()), "images": pyarrow.array([], pyarrow.list_(pyarrow.string()))}

        with pytest.raises(InputFileError, match=r"products\.parquet: is empty"):
            read_products(write(none))

    def test_what_is_no_parquet_is_refused(self, tmp_path: Path) -> None:
        pytest.importorskip("pyarrow")
        path = tmp_path / "products.parquet"
        path.write_bytes(b"text")

        with pytest.raises(InputFileError, match="is no Parquet file"):
            list(read_products(path))

    def test_damage_in_the_middle_is_one_error(self, write: Callable[..., Path]) -> None:
        path = write([{"id": f"P{number}", "images": [f"{number}.jpg"]} for number in range(5000)])
        data = bytearray(path.read_bytes())
        data[100 : len(data) // 2] = bytes(len(data) // 2 - 100)
        path.write_bytes(data)

        with pytest.raises(InputFileError, match=r"products\.parquet: (is no Parquet file|cannot be read beyond row)"):
            list(read_products(path))

    def test_without_pyarrow_it_says_how_to_get_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        path = tmp_path / "products.parquet"
        path.write_bytes(b"")

        with pytest.raises(InputFileError, match=r"needs pyarrow \(pip install 'agpis-sdk\[parquet\]'\)"):
            list(read_products(path))


class TestAFileIsRefused:
    def test_when_it_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(InputFileError, match=r"gone\.jsonl: no such file \(check the path\)"):
            read_products(tmp_path / "gone.jsonl")

    def test_when_it_is_a_folder_with_a_file_of_products(self, tmp_path: Path) -> None:
        (tmp_path / "products.jsonl").touch()

        with pytest.raises(
            InputFileError, match=r"is a folder with a file of products in it: products.jsonl \(name that file: "
        ):
            read_products(tmp_path)

    @pytest.mark.parametrize("damage", [lambda data: data[:-12], lambda data: data[:30] + b"\0" * 40])
    def test_when_its_gzip_is_damaged(self, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
        path = tmp_path / "products.jsonl.gz"
        path.write_bytes(damage(gzip.compress(json.dumps(GOOD).encode() * 50)))

        with pytest.raises(InputFileError, match="cannot be read"):
            list(read_products(path))


def test_what_came_before_the_damage_still_comes_out(tmp_path: Path, gallery: Path) -> None:
    path = tmp_path / "products.jsonl.gz"
    lines = [json.dumps(gallery_product(gallery, "abc", f"P{number}")) for number in range(500)]
    path.write_bytes(gzip.compress("\n".join(lines).encode())[:-20])
    come_out: list[str] = []

    with pytest.raises(InputFileError):  # noqa: PT012 - it is raised on the way
        for outcome in Stand().pipeline().run(read_products(path)):
            come_out.append(outcome.product_id)

    assert come_out == [f"P{number}" for number in range(len(come_out))]
    assert len(come_out) > 300


class TestNotices:
    def test_name_the_fields_that_were_kept_once_with_their_count(self, tmp_path: Path) -> None:
        path = tmp_path / "products.jsonl"
        records = [{**GOOD, "id": f"P{number}", "color": "red", "tilte": "Bag"} for number in range(3)]
        path.write_text("\n".join(map(json.dumps, records)))

        products = read_products(path)
        list(products)

        (notice,) = products.notices
        assert notice == (
            "fields that the format does not know are kept in the product's attributes: "
            '"color" (3×), "tilte" (3×, did you mean "title"?)'
        )

    def test_name_a_field_of_an_image(self) -> None:
        products = checked([{"id": "P1", "images": [{"id": "a", "uri": "a.jpg", "alt": "front"}]}])
        list(products)

        assert products.notices == [
            'fields of images that the format does not know are kept in the image\'s attributes: "alt" (1×)'
        ]

    def test_stay_short_however_many_names_there_are(self) -> None:
        products = checked([{**GOOD, "id": f"P{number}", f"field {number}": 1} for number in range(1000)])
        list(products)

        (notice,) = products.notices
        assert len(notice) < 600
        assert notice.endswith(", …")

    def test_count_what_was_replaced_and_name_the_first(self) -> None:
        records = [
            {"id": "P1", "title": float("nan"), "images": ["a.jpg", None]},
            {"id": "P2", "attributes": {"price": float("inf")}, "images": ["a.jpg", ""]},
            {"id": "P3", "title": "cut \ud83d", "images": ["a.jpg"]},
        ]

        products = checked(records)
        first, second, _ = products

        assert isinstance(first, Product)
        assert isinstance(second, Product)
        assert (first.title, second.attributes) == ("", {"price": None})
        assert products.notices == [
            '2 entries of "images" that name no file, reported as AGP901: first record 1, product "P1", entry 2 is null',
            '2 values that are NaN or infinite, read as null: first record 1, product "P1", "title"',
            '1 record with half of a surrogate pair, read as U+FFFD: record 3, product "P3"',
        ]

    def test_there_are_none_where_all_is_as_written(self) -> None:
        products = checked([GOOD])
        list(products)

        assert products.notices == []
