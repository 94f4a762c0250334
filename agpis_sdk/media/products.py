"""Product records in: JSON lines (plain or gzip) and Parquet, streamed; a bad line never ends the run."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from agpis_sdk.errors import InputFileError
from agpis_sdk.media.file_formats import STANDARD_INPUT, check_ending
from agpis_sdk.media.json_lines import read_json_lines
from agpis_sdk.media.parquet import read_parquet
from agpis_sdk.media.record_check import RecordCheck, RejectedRecord
from agpis_sdk.records import Product

__all__ = ["CheckedProducts", "RejectedRecord", "checked", "read_products"]


class CheckedProducts:
    """Records that have been checked: each is a product with an id of its own, or a rejection."""

    def __init__(self, records: Iterator[Product | RejectedRecord], notices: Callable[[], list[str]] = list) -> None:
        self._records = records
        self._notices = notices

    def __iter__(self) -> Iterator[Product | RejectedRecord]:
        return self._records

    @property
    def notices(self) -> list[str]:
        """What was read otherwise than written so far, a line for each kind: unknown fields, NaN, halves of emoji."""
        return self._notices()


def read_products(path: Path | str, *, limit: int | None = None) -> CheckedProducts:
    """Stream the records of a file in order, `-` being standard input; relative uris are resolved against the file.

    Raises `InputFileError` when the file is missing, empty or of another format; one of standard input is raised on the way.
    """
    if str(path) == "-":
        check = RecordCheck(Path.cwd())
        records = read_json_lines(sys.stdin.buffer, check, STANDARD_INPUT)
    else:
        path = Path(path)
        if path.is_dir():
            raise InputFileError("is a folder", item=str(path), remedy="name the file of products in it")
        check_ending(path)
        if not path.is_file():
            raise InputFileError("no such file", item=str(path), remedy="check the path")
        check = RecordCheck(path.resolve().parent)
        records = _begun(_read_file(path, check))
    return CheckedProducts(itertools.islice(records, limit), check.notices.lines)


def checked(
    records: CheckedProducts | Iterable[Product | Mapping[str, Any]], *, base: Path | None = None
) -> CheckedProducts:
    """Check the records of an iterable, as `Pipeline.run` takes them; what a reader has checked is taken as it is."""
    if isinstance(records, CheckedProducts):
        return records
    check = RecordCheck(base)
    results = (check(record, f"record {number}") for number, record in enumerate(records, start=1))
    return CheckedProducts(results, check.notices.lines)


def _read_file(path: Path, check: RecordCheck) -> Iterator[Product | RejectedRecord]:
    if path.suffix.lower() == ".parquet":
        yield from read_parquet(path, check)
        return
    try:
        stream = path.open("rb")
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}", item=str(path), remedy="check the file") from None
    with stream:
        yield from read_json_lines(stream, check, str(path))


def _begun(records: Iterator[Product | RejectedRecord]) -> Iterator[Product | RejectedRecord]:
    """Read the first record at once, so that a file of another format is refused before any model is loaded."""
    return itertools.chain(list(itertools.islice(records, 1)), records)
