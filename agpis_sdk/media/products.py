"""Product records in, from JSON lines, JSON, Parquet and every format that a reader knows; a bad line never ends the run."""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from agpis_sdk.components import ReaderSpec
from agpis_sdk.errors import InputFileError
from agpis_sdk.media.data_frames import is_table, read_table
from agpis_sdk.media.file_formats import (
    PARQUET,
    STANDARD_INPUT,
    JsonDocumentsError,
    OtherFormatError,
    folder_refusal,
)
from agpis_sdk.media.json_documents import read_json_documents
from agpis_sdk.media.json_lines import read_json_lines
from agpis_sdk.media.parquet import read_parquet
from agpis_sdk.media.product_source import FileSource
from agpis_sdk.media.readers import named_reader, recognizing_reader, records_of
from agpis_sdk.media.record_check import RecordCheck, RejectedRecord
from agpis_sdk.media.remote_products import folder_of, is_remote, read_remote
from agpis_sdk.plugins import OwnedSpec, PluginHost
from agpis_sdk.records import Product
from agpis_sdk.wording import shortened

__all__ = ["CheckedProducts", "RejectedRecord", "checked", "read_products"]


class CheckedProducts:
    """Records that have been checked: each is a product with an id of its own, or a rejection."""

    def __init__(
        self,
        records: Iterator[Product | RejectedRecord],
        notices: Callable[[], list[str]] = list,
        *,
        source: FileSource | None = None,
    ) -> None:
        self.source = source
        """What they are read from; None where that is an iterable or standard input."""
        self._records = records
        self._notices = notices

    def __iter__(self) -> Iterator[Product | RejectedRecord]:
        return self._records

    @property
    def notices(self) -> list[str]:
        """What was read otherwise than written so far, a line for each kind: unknown fields, NaN, halves of emoji."""
        return self._notices()


def read_products(
    path: Any,
    *,
    limit: int | None = None,
    file_format: str = "",
    columns: Mapping[str, Sequence[str]] | None = None,
    host: PluginHost | None = None,
    tables: Mapping[str, Mapping[str, Any]] | None = None,
) -> CheckedProducts:
    """Stream the records of a file, folder or table in order, `-` being standard input; relative uris are resolved against it.

    A uri such as "s3://bucket/products-*.jsonl" names JSON lines or Parquet in a store, one file or several.

    JSON lines, JSON, Parquet and tables of pandas, polars, Arrow or Hugging Face datasets are read here; everything else by
    the reader that recognizes it, or the one that `file_format` names. `columns` names the columns of a table by field.
    `host` has the readers, those of all installed plugins where it is not given, and `tables` their settings as in a
    config. Raises `InputFileError` when the file is missing, empty or of no known format.
    """
    if is_table(path):
        check = RecordCheck(None)
        records = _begun(read_table(path, check, columns or {}))
        return CheckedProducts(itertools.islice(records, limit), check.notices.lines)
    if is_remote(path):
        if file_format or columns:
            raise InputFileError(
                "is read as JSON lines or Parquet alone", item=path, remedy="leave --from and --map out"
            )
        check = RecordCheck(folder_of(path))
        return CheckedProducts(itertools.islice(_begun(read_remote(path, check)), limit), check.notices.lines)
    if str(path) == "-":
        if not (file_format or columns):
            check = RecordCheck(Path.cwd())
            records = _begun(read_json_lines(sys.stdin.buffer, check, STANDARD_INPUT))
            return CheckedProducts(itertools.islice(records, limit), check.notices.lines)
        check, source = RecordCheck(Path.cwd()), FileSource(_spooled(sys.stdin.buffer), columns)
    else:
        path = Path(path)
        if not path.exists():
            raise InputFileError("no such file", item=str(path), remedy="check the path")
        whole = path.resolve()
        check, source = RecordCheck(whole if path.is_dir() else whole.parent), FileSource(path, columns)
    records = _records(source, check, file_format, host, tables or {})
    return CheckedProducts(
        itertools.islice(records, limit), lambda: [*source.notices(), *check.notices.lines()], source=source
    )


def checked(
    records: CheckedProducts | Iterable[Product | Mapping[str, Any]], *, base: Path | None = None
) -> CheckedProducts:
    """Check the records of an iterable or a table, as `Pipeline.run` takes them; what a reader has checked is taken as it is.

    Raises `TypeError` for what is no collection of products, saying what to do.
    """
    if isinstance(records, CheckedProducts):
        return records
    check = RecordCheck(base)
    if is_table(records):
        return CheckedProducts(_begun(read_table(records, check, {})), check.notices.lines)
    _refuse_single(records)
    results = (check(record, f"record {number}") for number, record in enumerate(records, start=1))
    return CheckedProducts(results, check.notices.lines)


def _refuse_single(records: object) -> None:
    if isinstance(records, str | bytes | os.PathLike):
        name = os.fspath(records)
        remedy = f"from agpis_sdk import read_products; pass read_products({shortened(repr(name))})"
        raise TypeError(f"products are needed, not the name of a file: {remedy}")
    if isinstance(records, Mapping | Product):
        raise TypeError("several products are needed, not one: put it in a list, [product]")
    if not isinstance(records, Iterable):
        raise TypeError(
            f"products are needed, not {type(records).__name__}: pass a list of Product or dict, a table (pandas, polars, "
            "Arrow, Hugging Face datasets), or read_products(FILE)"
        )


def _records(
    source: FileSource,
    check: RecordCheck,
    file_format: str,
    host: PluginHost | None,
    tables: Mapping[str, Mapping[str, Any]],
) -> Iterator[Product | RejectedRecord]:
    """Return the records of a file or folder, the first one read at once: another format is refused before models are loaded."""
    refusal: OtherFormatError | None = None
    if not (file_format or source.columns) and not source.path.is_dir():
        if source.path.suffix.lower() == ".parquet" or source.head.startswith(PARQUET):
            source.format_title = "Parquet"
            return _begun(read_parquet(source.path, check))
        try:
            return _begun(_json_lines(source, check))
        except JsonDocumentsError:
            source.format_title = "JSON"
            return _begun(read_json_documents(source, check))
        except OtherFormatError as error:
            refusal = error
    host = host or PluginHost.load()
    if file_format or source.columns:
        reader: OwnedSpec | None = named_reader(source, host, file_format)
    else:
        reader = recognizing_reader(source, host, tables)
    if reader is None:
        raise refusal or folder_refusal(source.path)
    if isinstance(reader.spec, ReaderSpec):
        source.format, source.format_title = reader.spec.format, reader.spec.title or reader.spec.format
    return _begun(_read_with(reader, source, check, host, tables))


def _json_lines(source: FileSource, check: RecordCheck) -> Iterator[Product | RejectedRecord]:
    try:
        stream = source.path.open("rb")
    except OSError as error:
        raise InputFileError(
            f"cannot be read: {error.strerror}", item=str(source.path), remedy="check the file"
        ) from None
    with stream:
        yield from read_json_lines(stream, check, str(source.path))


def _read_with(
    reader: OwnedSpec,
    source: FileSource,
    check: RecordCheck,
    host: PluginHost,
    tables: Mapping[str, Mapping[str, Any]],
) -> Iterator[Product | RejectedRecord]:
    empty = True
    for record in records_of(reader, source, host, tables):
        empty = False
        yield check(record.fields, record.place)
    if empty:
        why = f"; {source.notices()[-1]}" if source.skipped else ""
        raise InputFileError(f"holds no products{why}", item=str(source.path), remedy=f"read as: {source.format_title}")


def _begun(records: Iterator[Product | RejectedRecord]) -> Iterator[Product | RejectedRecord]:
    """Read the first record at once."""
    return itertools.chain(list(itertools.islice(records, 1)), records)


def _spooled(stream: BinaryIO) -> Path:
    """Return a file of what standard input holds, which is gone when the process ends: tables are read twice."""
    folder = tempfile.TemporaryDirectory(prefix="agpis-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "stdin"
    with path.open("wb") as copy:
        shutil.copyfileobj(stream, copy)
    return path
