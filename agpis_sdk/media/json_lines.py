"""JSON lines in: bytes → lines, whatever ends them → records; memory is bounded by the longest line."""

from __future__ import annotations

import contextlib
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from agpis_sdk.errors import InputFileError
from agpis_sdk.media.file_formats import BOM, bare, breaks_off, check_first_bytes, only_json_lines
from agpis_sdk.media.packing import unpacked
from agpis_sdk.media.record_check import ONE_OBJECT_A_LINE, RecordCheck, RejectedRecord, reject
from agpis_sdk.records import Product
from agpis_sdk.wording import shortened

MAX_LINE_BYTES = 16 * 2**20


def read_json_lines(
    stream: BinaryIO, check: RecordCheck, item: str, within: str = ""
) -> Iterator[Product | RejectedRecord]:
    """Yield a product or a rejection for every line that is not blank, of a stream that may be packed with gzip.

    `within` stands before the line in messages, where there are several files.
    Raises `InputFileError` where it is no JSON lines, is empty, cannot be read, or unpacks beyond the limits.
    """
    try:
        lines = unpacked(stream, item)
        check_first_bytes(lines.peek(8), item)
        yield from parse_lines(only_json_lines(bounded_lines(lines), item), check, within)
    except (EOFError, OSError, zlib.error) as error:
        raise InputFileError(f"cannot be read: {error}", item=item, remedy="export or fetch it again") from None


def parse_lines(lines: Iterable[bytes], check: RecordCheck, within: str = "") -> Iterator[Product | RejectedRecord]:
    """Yield a product or a rejection for every line that is not blank."""
    open_since = 0  # the line on which an object begins that is not finished
    for number, line in enumerate(lines, start=1):
        text, place = bare(line), f"{within}line {number}"
        if not text:
            continue
        if open_since and not line.removeprefix(BOM).startswith(b"{"):
            yield reject(place, f"belongs to the object that begins on line {open_since}", ONE_OBJECT_A_LINE)
            continue
        open_since = 0
        if len(line) > MAX_LINE_BYTES:
            yield reject(place, f"is longer than {MAX_LINE_BYTES:,} bytes", "leave out what is no product record")
            continue
        try:
            data: Any = json.loads(text)
        except (ValueError, RecursionError) as error:
            open_since = number if breaks_off(error) else 0
            yield reject(place, *_worded(error))
        else:
            yield check(data, place)


def bounded_lines(stream: BinaryIO) -> Iterator[bytes]:
    r"""Yield the lines of a stream, whether \n, \r\n or \r ends them; one beyond `MAX_LINE_BYTES` is cut off there."""
    # latin-1 has one character for each byte: the text layer finds the lines, and the bytes stay as they are.
    text = io.TextIOWrapper(stream, encoding="latin-1", newline=None)
    try:
        while line := text.readline(MAX_LINE_BYTES + 1):
            yield line.encode("latin-1")
            while line and len(line) > MAX_LINE_BYTES and not line.endswith("\n"):
                line = text.readline(MAX_LINE_BYTES + 1)
    finally:
        with contextlib.suppress(ValueError):  # the stream was closed before this generator was
            text.detach()  # or it would close a stream that is not its own


def _worded(error: Exception) -> tuple[str, str]:
    """Return why a line is no JSON, and what to write."""
    if isinstance(error, json.JSONDecodeError):
        return f"invalid JSON at column {error.colno}: {error.msg}", ONE_OBJECT_A_LINE
    if isinstance(error, UnicodeDecodeError):
        return "invalid JSON: not UTF-8", "save it as UTF-8, one JSON object a line"
    # Nested too deep, or a number of 5,000 digits.
    return f"invalid JSON: {shortened(str(error))}", ONE_OBJECT_A_LINE
