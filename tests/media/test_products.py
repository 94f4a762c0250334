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
from hypothesis import given
from hypothesis import strategies as st

from agpis_sdk.errors import InputFileError
from agpis_sdk.media.products import RejectedRecord, parse_lines, read_products
from agpis_sdk.records import Product
from tests.pipeline.fakes import Stand
from tests.pipeline.fakes import product as gallery_product

GOOD = {"id": "P1", "images": ["a.jpg"]}


def rejected(line: object) -> str:
    """Return why one line is refused."""
    data = line if isinstance(line, bytes) else json.dumps(line).encode()
    (record,) = parse_lines([data], base=None)
    assert isinstance(record, RejectedRecord)
    return str(record.error)


def ids(path: Path, **options: Any) -> list[str]:
    return [
        record.id if isinstance(record, Product) else record.product_id for record in read_products(path, **options)
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"id": "P1",', "[E300] line 1: invalid JSON at column 13: "),
        (b"\xff\xfe\xfa{}", "[E300] line 1: invalid JSON: not UTF-8 (one JSON object a line)"),
        (b"[" * 100_000, "[E300] line 1: invalid JSON: "),
        (b'{"id": ' + b"1" * 5000 + b"}", "[E300] line 1: invalid JSON: "),
        (b"[1, 2]", "[E300] line 1: is list, not an object (one JSON object a line)"),
        (b"null", "[E300] line 1: is NoneType, not an object"),
        (
            {"images": ["a.jpg"]},
            '[E300] line 1, product "line-1": "id" is missing (only "id" and "images" must be there)',
        ),
        ({"id": "P1"}, '[E300] line 1, product "P1": "images" is missing'),
        ({"id": "", "images": ["a.jpg"]}, '"id": String should have at least 1 character'),
        ({"id": 7, "images": ["a.jpg"]}, '"id": Input should be a valid string (see the input format in the docs)'),
        ({"id": "P1", "images": []}, 'product "P1": has no candidate images (list some under "images")'),
        ({"id": "P1", "images": "a.jpg"}, '"images": Input should be a valid'),
        ({**GOOD, "imagse": []}, 'unknown field "imagse" (did you mean "images"?)'),
        ({"id": "P1", "images": [{"id": "a", "url": "a.jpg"}]}, '"images.0.uri" is missing (an image is a string, or'),
        (
            {"id": "P1", "images": [{"id": "a", "uri": "a", "urii": "b"}]},
            'unknown field "images.0.urii" (did you mean "uri"?)',
        ),
        ({"id": "P1", "images": [3]}, '"images.0": Input should be'),
        (
            {"id": "P1", "images": [{"id": "a", "uri": "1"}, {"id": "a", "uri": "2"}]},
            'image id "a" stands twice; give every',
        ),
    ],
)
def test_a_bad_line_is_named_with_the_reason_and_the_remedy(line: object, message: str) -> None:
    assert message in rejected(line)


def test_a_repeated_id_names_both_lines() -> None:
    lines = [json.dumps(GOOD).encode(), b"", json.dumps(GOOD).encode()]

    _, second = parse_lines(lines, base=None)

    assert isinstance(second, RejectedRecord)
    assert str(second.error) == (
        '[E300] line 3, product "P1": the id stands twice, first on line 1 (give every product its own id)'
    )


def test_bad_lines_keep_their_place_among_the_good_ones(tmp_path: Path) -> None:
    path = tmp_path / "products.jsonl"
    path.write_text('{"id": "P1", "images": ["a.jpg"]}\nrubbish\n\n[]\n{"id": "P2", "images": ["a.jpg"]}\n')

    assert ids(path) == ["P1", "line-2", "line-4", "P2"]


def test_relative_uris_are_resolved_against_the_file(tmp_path: Path) -> None:
    path = tmp_path / "products.jsonl"
    path.write_text(
        json.dumps({"id": "P1", "images": ["photos/a.jpg", {"id": "b", "uri": "https://shop.example/b.jpg"}]})
    )

    (record,) = read_products(path)

    assert isinstance(record, Product)
    assert [image.uri for image in record.images] == [str(tmp_path / "photos/a.jpg"), "https://shop.example/b.jpg"]


def test_a_byte_order_mark_does_no_harm() -> None:
    (record,) = parse_lines([b"\xef\xbb\xbf" + json.dumps(GOOD).encode()], base=None)

    assert isinstance(record, Product)


def test_gzip_is_read_like_plain_text(tmp_path: Path) -> None:
    path = tmp_path / "products.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(GOOD).encode() + b"\nrubbish\n"))

    assert ids(path) == ["P1", "line-2"]


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(json.dumps(GOOD).encode())))

    (record,) = read_products("-")

    assert isinstance(record, Product)


def test_a_limit_stops_after_so_many_records(tmp_path: Path) -> None:
    path = tmp_path / "products.jsonl"
    path.write_text("".join(json.dumps({**GOOD, "id": f"P{number}"}) + "\n" for number in range(9)))

    assert ids(path, limit=3) == ["P0", "P1", "P2"]


class TestParquet:
    @pytest.fixture
    def write(self, tmp_path: Path) -> Callable[[list[dict[str, Any]]], Path]:
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        def save(rows: list[dict[str, Any]]) -> Path:
            parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "products.parquet")
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

    def test_a_bad_row_is_named(self, write: Callable[..., Path]) -> None:
        _, second = read_products(write([{"id": "P1", "images": ["a.jpg"]}, {"id": "P2", "images": []}]))

        assert isinstance(second, RejectedRecord)
        assert str(second.error).startswith('[E300] row 2, product "P2": has no candidate images')

    def test_what_is_no_parquet_is_refused(self, tmp_path: Path) -> None:
        pytest.importorskip("pyarrow")
        path = tmp_path / "products.parquet"
        path.write_bytes(b"text")

        with pytest.raises(InputFileError, match="is no Parquet file"):
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

    def test_when_it_is_of_an_unknown_kind(self, tmp_path: Path) -> None:
        with pytest.raises(InputFileError, match=r"is of an unknown kind \(use \.jsonl, \.jsonl\.gz, \.parquet\)"):
            read_products(tmp_path / "products.csv")

    @pytest.mark.parametrize(
        "damage", [lambda data: data[:-12], lambda data: data[:30] + b"\0" * 40, lambda data: b"text"]
    )
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


@given(st.lists(st.one_of(st.binary(max_size=30), st.just(json.dumps(GOOD).encode())), max_size=8))
def test_any_bytes_at_all_give_a_record_or_a_rejection_per_line(lines: list[bytes]) -> None:
    records = list(parse_lines(lines, base=None))

    assert len(records) == sum(1 for line in lines if line.strip())
