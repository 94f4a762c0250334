"""Products in a store: JSON lines and Parquet, one file or several, with the ids of all of them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import fsspec
import pytest

from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError, InputFileError
from agpis_sdk.media.products import RejectedRecord, read_products
from agpis_sdk.media.remote_products import remote_versions
from agpis_sdk.media.sources import read_image_bytes
from agpis_sdk.records import Product


@pytest.fixture
def store() -> Iterator[Any]:
    store = fsspec.filesystem("memory")
    yield store
    if store.exists("/shop"):
        store.rm("/shop", recursive=True)


def line(product_id: str, image: str = "a.jpg") -> bytes:
    return json.dumps({"id": product_id, "images": [image]}).encode() + b"\n"


def test_reads_the_files_of_a_pattern_in_the_order_of_their_names(store: Any) -> None:
    store.pipe_file("/shop/b.jsonl", line("P3") + b"{broken\n")
    store.pipe_file("/shop/a.jsonl", line("P1") + line("P2"))

    records = list(read_products("memory://shop/*.jsonl"))

    assert [getattr(record, "id", None) for record in records] == ["P1", "P2", "P3", None]
    rejected = records[-1]
    assert isinstance(rejected, RejectedRecord)
    assert "b.jsonl, line 2: invalid JSON" in str(rejected.error)


def test_an_id_stands_once_in_all_files(store: Any) -> None:
    store.pipe_file("/shop/a.jsonl", line("P1"))
    store.pipe_file("/shop/b.jsonl", line("P1"))

    _, second = read_products("memory://shop/*.jsonl")

    assert isinstance(second, RejectedRecord)
    assert "the id stands twice, first on a.jsonl" in str(second.error)


def test_reads_parquet(store: Any) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist([{"id": "P1", "images": ["a.jpg"]}]), buffer)
    store.pipe_file("/shop/products.parquet", buffer.getvalue())

    (record,) = read_products("memory://shop/products.parquet")

    assert isinstance(record, Product)
    assert record.images[0].uri == "memory://shop/a.jpg"


def test_its_records_name_no_file_of_this_machine(store: Any) -> None:
    store.pipe_file("/shop/a.jsonl", line("P1", "file:///etc/hostname") + line("P2", "/etc/hostname"))

    first, second = read_products("memory://shop/a.jsonl")

    assert isinstance(first, Product)
    assert isinstance(second, Product)
    with pytest.raises(ImageReadError):
        read_image_bytes(first.images[0].uri, MediaSection())
    assert second.images[0].uri == "memory://shop/etc/hostname"


def test_an_address_without_a_file_is_refused(store: Any) -> None:
    for uri in ("memory://shop/none.jsonl", "memory://shop/*.jsonl", "nostore://shop/a.jsonl"):
        with pytest.raises(InputFileError):
            read_products(uri)


def test_another_content_is_another_version(store: Any) -> None:
    store.pipe_file("/shop/a.jsonl", line("P1"))
    before = remote_versions("memory://shop/*.jsonl")
    store.pipe_file("/shop/a.jsonl", line("P2"))

    assert before.keys() == remote_versions("memory://shop/*.jsonl").keys()
    assert before != remote_versions("memory://shop/*.jsonl")
