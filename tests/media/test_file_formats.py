"""What a file is: another format is one error with its name and the remedy (agpis_sdk/media/file_formats.py)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agpis_sdk.errors import InputFileError
from agpis_sdk.media.products import RejectedRecord, read_products
from agpis_sdk.records import Product

PRODUCTS = [{"id": "P1", "images": [{"id": "a", "uri": "a.jpg"}]}, {"id": "P2", "images": ["a.jpg"]}]
COMPACT = [json.dumps(product) for product in PRODUCTS]
TABLE = "Code,Title,Picture\nhoodie,Hoodie,https://shop.example/a.jpg\n"


def refusal(folder: Path, content: str | bytes, name: str = "products.jsonl") -> str:
    """Return the one error that a file of some content gives."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputFileError) as refused:
        read_products(path)
    return str(refused.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "is empty: it holds no products"),
        ("[\n" + COMPACT[0] + ",\n", "is no JSON"),
        (
            '{"products": [\n' + ",\n".join(COMPACT) + "\n]}",
            'is a JSON object that is no product ("products" holds 2 items: jq',
        ),
        ("\n".join(COMPACT).encode("utf-16"), "is UTF-16 text (iconv -f UTF-16 -t UTF-8 "),
        ("\n".join(COMPACT).encode("utf-16-be"), "holds NUL bytes: it is UTF-16 text or no text at all"),
        (TABLE, "is a table (CSV or TSV) that no reader knows (name its columns: --map"),
        ("\ufeff" + TABLE.replace(",", "\t"), "is a table (CSV or TSV)"),
        ('<?xml version="1.0"?><rss></rss>', "is XML or HTML"),
        ("hello\n", "holds no JSON objects"),
        ("null\n1\n", "holds no JSON objects"),
        (b"PAR1....", "is no Parquet file"),
        (b"PK\x03\x04....", "is a zip file or a spreadsheet"),
        (b"BZh9....", "is packed with bzip2"),
        (gzip.compress(b"PK\x03\x04....", mtime=0), "is a zip file or a spreadsheet"),
        ("", "is empty: it holds no products"),
        ("\ufeff\n \r\n", "is empty: it holds no products"),
        (gzip.compress(b"", mtime=0), "is empty: it holds no products"),
    ],
)
def test_another_format_is_one_error_that_names_it(tmp_path: Path, content: str | bytes, message: str) -> None:
    answer = refusal(tmp_path, content)

    assert answer.startswith(f"[E301] {tmp_path}/products.jsonl: ")
    assert message in answer


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(PRODUCTS),
        json.dumps(PRODUCTS, indent=2),
        "[\n" + ",\n".join(COMPACT) + "\n]",
        "\ufeff  [" + ",\n".join(COMPACT) + "]",
        "\n".join(json.dumps(product, indent=1) for product in PRODUCTS),
        ",\n".join(json.dumps(product, indent=0) for product in PRODUCTS),
        gzip.compress(json.dumps(PRODUCTS).encode(), mtime=0),
    ],
)
@pytest.mark.parametrize("name", ["products.json", "products.jsonl", "products"])
def test_json_is_read_whatever_its_lines_and_its_name(tmp_path: Path, content: str | bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)

    assert [record.id for record in read_products(path) if isinstance(record, Product)] == ["P1", "P2"]


def test_an_object_inside_of_a_product_is_no_product(tmp_path: Path) -> None:
    path = tmp_path / "products.json"
    path.write_text('{"id": "P0", "images": ["a.jpg"],\n "variants": [\n' + ",\n".join(COMPACT) + "]}")

    assert [record.id for record in read_products(path) if isinstance(record, Product)] == ["P0"]


def test_the_command_of_a_remedy_can_be_pasted_whatever_the_file_is_called(tmp_path: Path) -> None:
    content = "\n".join(COMPACT).encode("utf-16")

    answer = refusal(tmp_path, content, "my shop.jsonl")

    assert f"iconv -f UTF-16 -t UTF-8 '{tmp_path}/my shop.jsonl' > products.jsonl" in answer


@pytest.mark.parametrize(
    "damaged", ["rubbish", "a, b, c", "<p>", "[1, 2]", '{"id": "P1", "ima', '{"id": 1}', "\udcff", "null"]
)
@pytest.mark.parametrize("join", ["\n".join, "\r\n".join, ",\n".join])
def test_a_damaged_first_line_costs_that_line_alone(
    tmp_path: Path, damaged: str, join: Callable[[list[str]], str]
) -> None:
    path = tmp_path / "products.jsonl"
    path.write_bytes(join([damaged, *COMPACT]).encode("utf-8", "surrogateescape"))

    assert [type(record) for record in read_products(path)] == [RejectedRecord, Product, Product]


def test_lists_one_a_line_are_no_products_but_what_follows_is(tmp_path: Path) -> None:
    path = tmp_path / "products.jsonl"
    path.write_text("[1]\n[2]\n" + COMPACT[0])

    assert [type(record) for record in read_products(path)] == [RejectedRecord, RejectedRecord, Product]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ((), "is an empty folder (name a folder of images, or a file that lists products)"),
        (("notes.txt",), "is a folder without images"),
        (("shop.csv", "a.jpg"), "is a folder with a file of products in it: shop.csv (name that file: "),
    ],
)
def test_a_folder_that_cannot_be_read_says_what_is_in_it(tmp_path: Path, files: tuple[str, ...], message: str) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in files:
        (folder / name).touch()

    with pytest.raises(InputFileError) as caught:
        read_products(folder)

    assert message in str(caught.value)


@pytest.mark.parametrize("head", [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n", b"RIFF\0\0\0\0WEBP"])
def test_an_image_in_place_of_products_is_called_one(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "front.jpg").write_bytes(head)

    with pytest.raises(InputFileError, match="is an image"):
        read_products(tmp_path / "front.jpg")


def test_an_empty_table_is_not_told_to_hold_json(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()

    with pytest.raises(InputFileError, match=r"is empty: it holds no products \(name a file that lists products\)"):
        read_products(tmp_path / "empty.csv")
