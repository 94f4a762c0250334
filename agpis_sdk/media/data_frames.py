"""Tables from Python: pandas, polars, Arrow and Hugging Face datasets, all read through Arrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agpis_sdk.errors import InputFileError, nearest
from agpis_sdk.media.parquet import BATCH_ROWS, check_columns, rows_of_batch
from agpis_sdk.media.record_check import RecordCheck, RejectedRecord, reject
from agpis_sdk.records import Product
from agpis_sdk.wording import shortened

ITEM = "the table"


def is_table(value: object) -> bool:
    """Tell whether a value is a table: one that gives itself to Arrow, or a dataset of Hugging Face."""
    return hasattr(value, "__arrow_c_stream__") or (hasattr(value, "with_format") and hasattr(value, "features"))


def read_table(
    value: Any, check: RecordCheck, columns: Mapping[str, Sequence[str]]
) -> Iterator[Product | RejectedRecord]:
    """Yield a product or a rejection for every row; `columns` names those of a field, where they have other names.

    Raises `InputFileError` where pyarrow is missing or the columns hold no products.
    """
    try:
        import pyarrow
    except ImportError:
        raise InputFileError("needs pyarrow", item=ITEM, remedy="pip install 'agpis-sdk[parquet]'") from None
    table = pyarrow.table(value) if hasattr(value, "__arrow_c_stream__") else value.with_format("arrow")[:]
    _check_named(columns, table.schema.names)
    if not columns:
        check_columns(table.schema, ITEM)
    number = 0
    for batch in table.to_batches(max_chunksize=BATCH_ROWS):
        for row in rows_of_batch(batch):
            number += 1
            if isinstance(row, Exception):
                yield reject(f"row {number}", f"cannot be read: {shortened(str(row))}", "make the table again")
            else:
                yield check(_renamed(row, columns), f"row {number}")


def _check_named(columns: Mapping[str, Sequence[str]], names: Sequence[str]) -> None:
    for column in (column for named in columns.values() for column in named):
        if column not in names:
            raise InputFileError(f'has no column "{column}"', item=ITEM, remedy=nearest(column, names))


def _renamed(row: Mapping[str, Any], columns: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return a row with its fields named; several columns of images are one list, a text is a list of one."""
    taken = {column for named in columns.values() for column in named}
    fields = {name: value for name, value in row.items() if name not in taken}
    for field, named in columns.items():
        values = [row[column] for column in named if row[column] is not None]
        if field == "images":
            fields[field] = [one for value in values for one in (value if isinstance(value, list) else [value])]
        elif values:
            fields[field] = values[0]
    return fields
