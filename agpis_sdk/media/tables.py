"""CSV and TSV in and out: rows with their numbers and their text, so that a row nobody changes is written as it was."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TextIO

from agpis_sdk.components import ProductSource
from agpis_sdk.errors import InputFileError

DELIMITERS = "\t,;|"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
HEADER_AMONG = 5  # rows: some formats have lines for people above the names of columns
MAX_CELL = 16 * 2**20
Cell = tuple[int, int]  # row number in the file, from 1, and column, from 0


@dataclass(frozen=True)
class Header:
    """The row that names the columns, and how the table is written."""

    names: tuple[str, ...]
    delimiter: str
    row: int

    @cached_property
    def columns(self) -> Mapping[str, tuple[int, ...]]:
        """The columns of each name: a name may stand over several."""
        found: dict[str, tuple[int, ...]] = {}
        for column, name in enumerate(self.names):
            found[name] = (*found.get(name, ()), column)
        return found


@dataclass(frozen=True)
class Row:
    """A row: its number in the file, its cells as they are, and its text with the end of its line."""

    header: Header
    number: int
    cells: Sequence[str]
    text: str

    @property
    def place(self) -> str:
        """The row as messages name it."""
        return f"row {self.number}"

    def __getitem__(self, name: str) -> str:
        """Return the first filled cell of a column without blanks around it; "" where there is none."""
        return next((cell for _, cell in self.all(name) if cell), "")

    def all(self, name: str) -> list[tuple[Cell, str]]:
        """Return the cells of every column of a name, with their places."""
        columns = self.header.columns.get(name, ())
        return [((self.number, one), self.cells[one].strip() if one < len(self.cells) else "") for one in columns]

    def filled(self, without: frozenset[str] = frozenset()) -> dict[str, str]:
        """Return by name the cells that hold something, but those of some columns."""
        return {name: self[name] for name in self.header.columns if name and name not in without and self[name]}


def header_of(source: ProductSource, is_header: Callable[[Sequence[str]], bool] | None = None) -> Header | None:
    """Return the header among the first rows of a file; None where it is no table of that header.

    It is the first row that `is_header` accepts, or the first of at least two cells.
    """
    if source.path.is_dir() or (b"\0" in source.head and not source.head.startswith(UTF_16)):
        return None
    with source.text() as stream:
        first = [stream.readline(MAX_CELL) for _ in range(HEADER_AMONG)]
    for delimiter in sorted(DELIMITERS, key=lambda one: -max(line.count(one) for line in first)):
        for row, (cells, _) in enumerate(_rows(io.StringIO("".join(first), newline=""), delimiter), start=1):
            names = tuple(cell.strip() for cell in cells)
            if is_header(names) if is_header else len(names) > 1:
                return Header(names, delimiter, row)
    return None


@contextmanager
def open_rows(source: ProductSource, header: Header) -> Iterator[Iterator[Row]]:
    """Open a table and yield all its rows, those above the header and the header too.

    Reading raises `InputFileError` naming the row that is no row.
    """
    with source.text() as stream:
        yield _numbered(stream, header, str(source.path))


def rows_below(source: ProductSource, header: Header) -> Iterator[Row]:
    """Yield the rows below the header; a row with cells beyond it is skipped with a word, an empty one without."""
    with open_rows(source, header) as rows:
        for row in rows:
            if row.number <= header.row or not any(cell.strip() for cell in row.cells):
                continue
            if any(cell.strip() for cell in row.cells[len(header.names) :]):
                source.skip(row.place, f"has {len(row.cells)} cells, the header has {len(header.names)}")
                continue
            yield row


def row_text(cells: Iterable[str], like: Row) -> str:
    """Return cells as the text of a row, with the delimiter and the end of line that another row has."""
    end = next((end for end in ("\r\n", "\n", "\r") if like.text.endswith(end)), "")
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=like.header.delimiter, lineterminator=end).writerow(cells)
    return text.getvalue()


def _numbered(stream: TextIO, header: Header, item: str) -> Iterator[Row]:
    number = 0
    try:
        for number, (cells, text) in enumerate(_rows(stream, header.delimiter), start=1):
            yield Row(header, number, cells, text)
    except csv.Error as error:
        raise InputFileError(
            f"cannot be read beyond row {number}: {error}", item=item, remedy="look for a quotation mark too many"
        ) from None


def _rows(stream: TextIO, delimiter: str) -> Iterator[tuple[list[str], str]]:
    """Yield the cells of each row with its text."""
    csv.field_size_limit(MAX_CELL)
    lines = _Lines(stream)
    for cells in csv.reader(lines, delimiter=delimiter):
        yield cells, lines.taken()


class _Lines:
    """Passes on the lines of a stream, and keeps those that a row has been made of."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._read: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._stream)
        self._read.append(line)
        return line

    def taken(self) -> str:
        """Return the text read since the last call."""
        text = "".join(self._read)
        self._read.clear()
        return text
