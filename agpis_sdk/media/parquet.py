"""Parquet in: a fault of the file is one error, a fault of a row is a rejection with the row's number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from agpis_sdk.errors import InputFileError, nearest
from agpis_sdk.media.record_check import RecordCheck, RejectedRecord, reject
from agpis_sdk.records import Product
from agpis_sdk.wording import shortened

BATCH_ROWS = 256


def read_parquet(
    path: Path | BinaryIO, check: RecordCheck, *, item: str = "", within: str = ""
) -> Iterator[Product | RejectedRecord]:
    """Yield a product or a rejection for every row of a file, or of an open one that messages call `item`.

    `within` stands before the row in messages, where there are several files.

    Raises `InputFileError` where pyarrow is missing, the file is damaged or empty, or its columns hold no products.
    """
    item = item or str(path)
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputFileError("needs pyarrow", item=item, remedy="pip install 'agpis-sdk[parquet]'") from None
    row_number = 0
    try:
        file = pyarrow.parquet.ParquetFile(path)
        check_columns(file.schema_arrow, item)
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            for row in rows_of_batch(batch):
                row_number += 1
                place = f"{within}row {row_number}"
                if isinstance(row, Exception):
                    yield reject(place, f"cannot be read: {shortened(str(row))}", "export it again")
                else:
                    yield check(row, place)
    except (pyarrow.ArrowException, OSError) as error:
        where = f"cannot be read beyond row {row_number}" if row_number else "is no Parquet file"
        raise InputFileError(f"{where}: {error}", item=item, remedy="export it again") from None
    if row_number == 0:
        raise InputFileError("is empty: it holds no products", item=item, remedy="write one product a row")


def check_columns(schema: Any, item: str) -> None:
    """Refuse a table whose columns hold no products at all, whatever its rows; raises `InputFileError`."""
    from pyarrow import types

    for name in ("id", "images"):
        if name not in schema.names:
            raise InputFileError(f'has no column "{name}"', item=item, remedy=nearest(name, schema.names))
    id_type, images_type = schema.field("id").type, schema.field("images").type
    if types.is_integer(id_type) or types.is_floating(id_type):
        raise InputFileError(f'the column "id" is of type {id_type}', item=item, remedy="cast it to string")
    if types.is_string(images_type) or types.is_large_string(images_type):
        raise InputFileError(
            f'the column "images" is of type {images_type}', item=item, remedy="make it a list of strings"
        )


def rows_of_batch(batch: Any) -> Iterator[dict[str, Any] | Exception]:
    """Yield the rows of a batch; where not all can be had, one by one, with the reason for each that cannot."""
    try:
        rows = batch.to_pylist()
    except Exception:  # text that is not UTF-8, a date that Python does not have
        for place in range(batch.num_rows):
            try:
                yield _with_map(batch.slice(place, 1).to_pylist()[0])
            except Exception as error:
                yield error
        return
    yield from map(_with_map, rows)


def _with_map(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose attributes are an object: a column of maps comes as pairs."""
    pairs = row.get("attributes")
    if isinstance(pairs, list) and all(isinstance(pair, tuple) for pair in pairs):
        return {**row, "attributes": dict(pairs)}
    return row
