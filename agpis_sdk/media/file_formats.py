"""What a file is: by its ending, its first bytes and its first lines; what is no JSON lines is refused once, as a whole."""

from __future__ import annotations

import itertools
import json
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from agpis_sdk.errors import InputFileError

KINDS = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".parquet")
STANDARD_INPUT = "standard input"
BOM = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"
LINES_JUDGED = 20
RECIPES = "recipes: docs/how-to/import-products.md"
_ARRAY = "jq -c '.[]' FILE > products.jsonl"
_OBJECTS = "jq -c . FILE > products.jsonl"
_UTF8 = "iconv -f UTF-16 -t UTF-8 FILE > products.jsonl"

# Endings of what shops export, and how to get from there to JSON lines.
_OTHER_ENDINGS = {
    ".csv": ("is a table (CSV)", f"write one JSON object a line; {RECIPES}"),
    ".tsv": ("is a table (TSV)", f"write one JSON object a line; {RECIPES}"),
    ".txt": ("is a text or a table, not JSON lines", f"write one JSON object a line; {RECIPES}"),
    ".xml": ("is XML", f"write one JSON object a line; {RECIPES}"),
    ".xls": ("is a spreadsheet", f"save it as CSV, then write one JSON object a line; {RECIPES}"),
    ".xlsx": ("is a spreadsheet", f"save it as CSV, then write one JSON object a line; {RECIPES}"),
    ".json": (
        "is JSON, where JSON lines are needed",
        f"an array: {_ARRAY}; one object a line already: rename it to .jsonl",
    ),
}
_FIRST_BYTES = {
    b"\xff\xfe": ("is UTF-16 text", _UTF8),
    b"\xfe\xff": ("is UTF-16 text", _UTF8),
    b"PAR1": ("is a Parquet file", "rename it to .parquet"),
    b"PK\x03\x04": ("is a zip file or a spreadsheet", f"unpack it, or save it as CSV; {RECIPES}"),
    b"BZh": ("is packed with bzip2", "bunzip2 FILE"),
    b"\xfd7zXZ": ("is packed with xz", "unxz FILE"),
    b"\x28\xb5\x2f\xfd": ("is packed with zstd", "unzstd FILE"),
}


def is_products_file(path: Path | str) -> bool:
    """Tell whether a file has an ending that products are read from, in whatever letter case."""
    return str(path).lower().endswith(KINDS)


def check_ending(path: Path) -> None:
    """Refuse a file by its ending; raises `InputFileError` that says how to get from there to JSON lines."""
    if is_products_file(path):
        return
    ending = Path(str(path).lower().removesuffix(".gz")).suffix
    what, remedy = _OTHER_ENDINGS.get(ending, ("is of an unknown kind", f"use {', '.join(KINDS)}"))
    raise _refused(what, remedy, str(path))


def check_first_bytes(head: bytes, item: str) -> None:
    """Refuse what is no text that lines can be read from; raises `InputFileError` naming what it is."""
    for beginning, (what, remedy) in _FIRST_BYTES.items():
        if head.startswith(beginning):
            raise _refused(what, remedy, item)


def only_json_lines(lines: Iterable[bytes], item: str) -> Iterator[bytes]:
    """Pass lines on unless the first ones show another format, whose inner objects must never pass for products.

    Raises `InputFileError` naming the format, also where there is no line but blank ones.
    """
    lines = iter(lines)
    for line in lines:
        first = bare(line)
        if not first:
            yield line
            continue
        head = [line] if _is_object(first) else [line, *itertools.islice(lines, LINES_JUDGED)]
        following = [one for one in head[1:] if bare(one)]
        refusal = None if len(head) == 1 and _is_object(first) else _other_format(first, following)
        if refusal is not None:
            raise _refused(*refusal, item)
        yield from head
        yield from lines
        return
    raise InputFileError("is empty: it holds no products", item=item, remedy="write one JSON object a line")


def bare(line: bytes) -> bytes:
    """Return a line without its end, blanks around it, a byte order mark and a comma behind it."""
    return line.strip().removeprefix(BOM).strip().removesuffix(b",").rstrip()


def breaks_off(error: Exception) -> bool:
    """Tell whether JSON breaks off at the end of its line, so that it may go on on the next."""
    return isinstance(error, json.JSONDecodeError) and error.pos >= len(error.doc.rstrip())


def _is_object(text: bytes) -> bool:
    """Tell whether a line holds an object, whole or damaged, but none that goes on on the next line."""
    return text.startswith(b"{") and b"\0" not in text and not _is_unfinished(text)


def _is_unfinished(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        return breaks_off(error)
    return False


def _other_format(first: bytes, following: list[bytes]) -> tuple[str, str] | None:
    """Return what a file is and the remedy; None where it is JSON lines of which the first is damaged."""
    objects_follow = any(line.removeprefix(BOM).startswith(b"{") for line in following)
    if b"\0" in first:
        return "holds NUL bytes: it is UTF-16 text or no text at all", _UTF8
    if first.startswith(b"["):
        return None if objects_follow and not _is_unfinished(first) else ("is a JSON array", _ARRAY)
    if first.startswith(b"{"):
        if first.endswith((b"{", b"[")) or (following and not following[0].removeprefix(BOM).startswith(b"{")):
            return "holds JSON objects that go over several lines", _OBJECTS
        return None
    if objects_follow:
        return None
    if first.startswith(b"<"):
        return "is XML or HTML", f"write one JSON object a line; {RECIPES}"
    if any(separator in first for separator in (b",", b"\t", b";", b"|")):
        return "is a table (CSV or TSV)", f"write one JSON object a line; {RECIPES}"
    return "holds no JSON objects", f"write one JSON object a line; {RECIPES}"


def _refused(what: str, remedy: str, item: str) -> InputFileError:
    if item == STANDARD_INPUT:
        remedy = remedy.replace(" FILE > products.jsonl", "").replace(" FILE", "")
    return InputFileError(what, item=item, remedy=remedy.replace("FILE", shlex.quote(item)))
