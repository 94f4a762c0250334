"""What a file is: by its first bytes and its first lines; what is no JSON lines is refused once, as a whole."""

from __future__ import annotations

import itertools
import json
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from agpis_sdk.errors import InputFileError

OF_PRODUCTS = (".jsonl", ".ndjson", ".parquet", ".csv", ".tsv", ".xml", ".json")
"""Endings of files that list products: a folder with one of them in it is not meant as a folder of images."""

STANDARD_INPUT = "standard input"
PARQUET = b"PAR1"
BOM = b"\xef\xbb\xbf"
LINES_JUDGED = 20
NAME_COLUMNS = "name its columns: --map id=COLUMN --map images=COLUMN; see docs/how-to/import-products.md"
OTHER_FORMATS = "formats that are read: docs/how-to/import-products.md"
_ARRAY = "jq -c '.[]' FILE > products.jsonl"
_OBJECTS = "jq -c . FILE > products.jsonl"
_UTF8 = "iconv -f UTF-16 -t UTF-8 FILE > products.jsonl"

_IMAGE = ("is an image", "name the folder that it is in, or a file that lists images by product")
_FIRST_BYTES = {
    b"\xff\xd8\xff": _IMAGE,
    b"\x89PNG": _IMAGE,
    b"GIF8": _IMAGE,
    b"RIFF": _IMAGE,
    b"II*\0": _IMAGE,
    b"MM\0*": _IMAGE,
    b"\xff\xfe": ("is UTF-16 text", _UTF8),
    b"\xfe\xff": ("is UTF-16 text", _UTF8),
    PARQUET: ("is a Parquet file", "name it as a file, not as a stream"),
    b"\xd0\xcf\x11\xe0": ("is a spreadsheet of an old kind", "save it as CSV"),
    b"PK\x03\x04": ("is a zip file or a spreadsheet", "unpack it, or save it as CSV"),
    b"BZh": ("is packed with bzip2", "bunzip2 FILE"),
    b"\xfd7zXZ": ("is packed with xz", "unxz FILE"),
    b"\x28\xb5\x2f\xfd": ("is packed with zstd", "unzstd FILE"),
}


class OtherFormatError(InputFileError):
    """A file that is no JSON lines: a reader of another format may know it."""


class JsonDocumentsError(OtherFormatError):
    """A file that is JSON, but not one object a line: an array, or objects over several lines."""


def check_first_bytes(head: bytes, item: str) -> None:
    """Refuse what is no text that lines can be read from; raises `OtherFormatError` naming what it is."""
    for beginning, (what, remedy) in _FIRST_BYTES.items():
        if head.startswith(beginning):
            raise _refused(what, remedy, item)


def only_json_lines(lines: Iterable[bytes], item: str) -> Iterator[bytes]:
    """Pass lines on unless the first ones show another format, whose inner objects must never pass for products.

    Raises `OtherFormatError` naming the format, `InputFileError` where there is no line but blank ones.
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
    raise InputFileError("is empty: it holds no products", item=item, remedy="name a file that lists products")


def folder_refusal(folder: Path) -> OtherFormatError:
    """Return the error of a folder that no reader knows: it says what is in it, and what to name instead."""
    names = [path.name for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    catalogs = [name for name in names if Path(name).suffix.lower() in OF_PRODUCTS]
    if catalogs:
        file = shlex.quote(str(folder / catalogs[0]))
        return OtherFormatError(
            f"is a folder with a file of products in it: {catalogs[0]}",
            item=str(folder),
            remedy=f"name that file: {file}; or --from folder to take the images alone",
        )
    what = "is an empty folder" if not any(folder.iterdir()) else "is a folder without images"
    return OtherFormatError(what, item=str(folder), remedy="name a folder of images, or a file that lists products")


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
        return "is XML or HTML that no reader knows", OTHER_FORMATS
    if any(separator in first for separator in (b",", b"\t", b";", b"|")):
        return "is a table (CSV or TSV) that no reader knows", NAME_COLUMNS
    return "holds no JSON objects", OTHER_FORMATS


def _refused(what: str, remedy: str, item: str) -> OtherFormatError:
    kind = JsonDocumentsError if remedy in (_ARRAY, _OBJECTS) else OtherFormatError
    if item == STANDARD_INPUT:
        remedy = remedy.replace(" FILE > products.jsonl", "").replace(" FILE", "")
    return kind(what, item=item, remedy=remedy.replace("FILE", shlex.quote(item)))
