"""JSON in, where it is not one object a line: an array of products, or objects that go over several lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from agpis_sdk.errors import InputFileError
from agpis_sdk.media.product_source import FileSource
from agpis_sdk.media.record_check import RecordCheck, RejectedRecord
from agpis_sdk.records import Product
from agpis_sdk.wording import counted

MAX_BYTES = 512 * 2**20  # it is read as a whole, unlike JSON lines
_BLANKS = " \t\r\n,"


def read_json_documents(source: FileSource, check: RecordCheck) -> Iterator[Product | RejectedRecord]:
    """Yield a product or a rejection for every item of the arrays in a file, and every object beside them.

    Raises `InputFileError` where it is no JSON, too large, or holds an object that is no product: what is inside of that
    must not pass for products by accident.
    """
    item = str(source.path)
    with source.open() as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise InputFileError(f"is JSON of more than {MAX_BYTES:,} bytes", item=item, remedy="write one object a line")
    try:
        documents = list(_documents(data.decode("utf-8-sig")))
    except (ValueError, RecursionError) as error:
        raise InputFileError(f"is no JSON: {error}", item=item, remedy="export it again") from None
    records = [record for one in documents for record in (one if isinstance(one, list) else [one])]
    for one in documents:
        if isinstance(one, dict) and "id" not in one:
            raise InputFileError("is a JSON object that is no product", item=item, remedy=_inside(one))
    if not records:
        raise InputFileError("is empty: it holds no products", item=item, remedy="write an array of products")
    for number, record in enumerate(records, start=1):
        yield check(record, f"item {number}")


def _documents(text: str) -> Iterator[Any]:
    """Yield the JSON values that follow each other in a text."""
    decoder, position = json.JSONDecoder(), 0
    while True:
        while position < len(text) and text[position] in _BLANKS:
            position += 1
        if position == len(text):
            return
        value, position = decoder.raw_decode(text, position)
        yield value


def _inside(document: dict[str, Any]) -> str:
    """Return how to get at the list in an object that most probably holds the products."""
    lists = {name: value for name, value in document.items() if isinstance(value, list)}
    if not lists:
        return 'give it an "id" and "images", as the record reference says'
    name = max(lists, key=lambda one: len(lists[one]))
    return f'"{name}" holds {counted(len(lists[name]), "item")}: jq -c ".{name}[]" FILE > products.jsonl'
