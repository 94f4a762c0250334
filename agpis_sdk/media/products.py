"""Product records in: JSON lines (plain or gzip) and Parquet, streamed; a bad line never ends the run."""

from __future__ import annotations

import gzip
import itertools
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agpis_sdk.errors import InputFileError, RecordError, first_problem, nearest
from agpis_sdk.media.sources import resolve
from agpis_sdk.records import CandidateImage, Product

KINDS = (".jsonl", ".jsonl.gz", ".parquet")


@dataclass(frozen=True)
class RejectedRecord:
    """A record that is no product: its place, the best name for it, and why."""

    product_id: str
    error: RecordError


class CheckedProducts:
    """Records that have been checked: each is a product with an id of its own, or a rejection."""

    def __init__(self, records: Iterator[Product | RejectedRecord]) -> None:
        self._records = records

    def __iter__(self) -> Iterator[Product | RejectedRecord]:
        return self._records


def read_products(path: Path | str, *, limit: int | None = None) -> CheckedProducts:
    """Stream the records of a file in order, `-` being standard input; relative uris are resolved against the file.

    Raises `InputFileError` when the file is missing or of an unknown kind.
    """
    if str(path) == "-":
        return CheckedProducts(itertools.islice(parse_lines(sys.stdin.buffer, base=Path.cwd()), limit))
    path = Path(path)
    if not str(path).endswith(KINDS):
        raise InputFileError("is of an unknown kind", item=str(path), remedy=f"use {', '.join(KINDS)}")
    if not path.is_file():
        raise InputFileError("no such file", item=str(path), remedy="check the path")
    base = path.resolve().parent
    records = _read_parquet(path, base) if path.suffix == ".parquet" else _read_lines(path, base)
    return CheckedProducts(itertools.islice(records, limit))


def _read_lines(path: Path, base: Path) -> Iterator[Product | RejectedRecord]:
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            yield from parse_lines(stream, base=base)
    except (EOFError, OSError, zlib.error) as error:
        raise InputFileError(f"cannot be read: {error}", item=str(path)) from None


def parse_lines(lines: Iterable[bytes], *, base: Path | None) -> Iterator[Product | RejectedRecord]:
    """Yield a product or a rejection for every line that is not blank."""
    check = _RecordCheck(base)
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            data = json.loads(line)
        except (ValueError, RecursionError) as error:  # not UTF-8, nested too deep, a number of 5,000 digits
            reason = getattr(error, "msg", None) or (
                "not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            )
            column = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
            yield _reject(place.replace(" ", "-"), place, f"invalid JSON{column}: {reason}", "one JSON object a line")
        else:
            yield check(data, place)


def checked(
    records: CheckedProducts | Iterable[Product | Mapping[str, Any]], *, base: Path | None = None
) -> CheckedProducts:
    """Check the records of an iterable, as `Pipeline.run` takes them; what a reader has checked is taken as it is."""
    if isinstance(records, CheckedProducts):
        return records
    check = _RecordCheck(base)
    return CheckedProducts(check(record, f"record {number}") for number, record in enumerate(records, start=1))


class _RecordCheck:
    """Turns records into products and remembers which ids have been seen."""

    def __init__(self, base: Path | None) -> None:
        self._base = base
        self._first_place: dict[str, str] = {}

    def __call__(self, data: Any, place: str) -> Product | RejectedRecord:
        if isinstance(data, Product):
            return self._accept(data, f'{place}, product "{data.id}"')
        name = place.replace(" ", "-")
        if not isinstance(data, Mapping):
            return _reject(name, place, f"is {type(data).__name__}, not an object", "one JSON object a line")
        if isinstance(data.get("id"), str) and data["id"]:
            name = data["id"]
        place = f'{place}, product "{name}"'
        try:
            product = Product.model_validate(data)
        except ValidationError as error:
            return _reject(name, place, *_worded(error))
        return self._accept(product, place)

    def _accept(self, product: Product, place: str) -> Product | RejectedRecord:
        """Refuse an id that has been seen and a product without images; resolve relative uris."""
        if product.id in self._first_place:
            first = self._first_place[product.id]
            return _reject(product.id, place, f"the id stands twice, first on {first}", "give every product its own id")
        self._first_place[product.id] = place.split(",")[0]
        if not product.images:
            return _reject(product.id, place, "has no candidate images", 'list some under "images"')
        images = tuple(image.model_copy(update={"uri": resolve(image.uri, self._base)}) for image in product.images)
        return product.model_copy(update={"images": images})


def _worded(error: ValidationError) -> tuple[str, str]:
    problem = first_problem(error)
    field, of_an_image = problem.place or "record", len(problem.path) > 1
    if problem.unknown_field:
        known = CandidateImage.model_fields if of_an_image else Product.model_fields
        return f'unknown field "{field}"', nearest(str(problem.path[-1]), known)
    if problem.what == "is missing":
        needed = (
            'an image is a string, or an object with "id" and "uri"'
            if of_an_image
            else 'only "id" and "images" must be there'
        )
        return f'"{field}" is missing', needed
    return f'"{field}": {problem.what}', "see the input format in the docs"


def _reject(name: str, place: str, what: str, remedy: str) -> RejectedRecord:
    return RejectedRecord(name, RecordError(what, item=place, remedy=remedy))


def _read_parquet(path: Path, base: Path) -> Iterator[Product | RejectedRecord]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputFileError("needs pyarrow", item=str(path), remedy="pip install 'agpis-sdk[parquet]'") from None
    check = _RecordCheck(base)
    row_number = 0
    try:
        for batch in pyarrow.parquet.ParquetFile(path).iter_batches(batch_size=256):
            for row in batch.to_pylist():
                row_number += 1
                yield check(_without_nulls(row), f"row {row_number}")
    except pyarrow.ArrowException as error:
        raise InputFileError(f"is no Parquet file: {error}", item=str(path)) from None


def _without_nulls(row: Mapping[str, Any]) -> dict[str, Any]:
    """Drop what a column-wise store fills in as null, so that defaults hold; maps come as pairs."""
    cleaned = {key: value for key, value in row.items() if value is not None}
    if isinstance(cleaned.get("attributes"), list):
        cleaned["attributes"] = dict(cleaned["attributes"])
    return cleaned
