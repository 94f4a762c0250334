"""What all tables of shops share: recognized by their columns, joined row by row, written back with images re-ordered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from agpis_sdk.builtin.catalog_formats.galleries import Gallery, Part, moves
from agpis_sdk.components import ComponentConfig, Export, ProductSource, ReadRecord
from agpis_sdk.errors import InputFileError
from agpis_sdk.files import written_whole
from agpis_sdk.media.gallery_order import Decisions
from agpis_sdk.media.tables import Cell, Header, Row, header_of, open_rows, row_text, rows_below
from agpis_sdk.records import Outcome

Edits = dict[int, dict[int, dict[int | None, str]]]  # row → column → part of the cell → its new text


class ShopTable(ABC):
    """Reads a table with the columns of one shop system."""

    title: ClassVar[str]
    separator: ClassVar[str] = ","
    """What stands between the uris of a cell that lists several."""

    def __init__(self, config: ComponentConfig) -> None:
        del config

    @abstractmethod
    def is_header(self, names: Sequence[str]) -> bool:
        """Tell whether a row names the columns of this format."""

    @abstractmethod
    def galleries(self, rows: Iterable[Row], source: ProductSource) -> Iterable[Gallery]:
        """Join the rows of each product."""

    def split(self, cell: str) -> list[str]:
        """Return the texts of a cell that lists several uris."""
        return [part for part in (part.strip() for part in cell.split(self.separator)) if part]

    def recognizes(self, source: ProductSource) -> bool:
        """Tell by the columns."""
        return header_of(source, self.is_header) is not None

    def read(self, source: ProductSource) -> Iterator[ReadRecord]:
        """Yield the products in the order of their first rows."""
        for gallery in self.joined(source, self.header(source)):
            yield gallery.record()

    def header(self, source: ProductSource) -> Header:
        """Return the header; raises `InputFileError` where the columns are those of another format."""
        header = header_of(source, self.is_header)
        if header is None:
            raise InputFileError(f"has not the columns of a {self.title}", item=str(source.path), remedy="check --from")
        return header

    def joined(self, source: ProductSource, header: Header) -> Iterable[Gallery]:
        """Return the products of a table."""
        return self.galleries(rows_below(source, header), source)


class ShopTableWriter:
    """Writes a table anew with the images of products in the order that a run has decided; all else stays as it is."""

    format: ClassVar[type[ShopTable]]

    def __init__(self, config: Any) -> None:
        self._table = self.format(config)

    def write(self, outcomes: Iterable[Outcome], export: Export) -> None:
        """Write the table; raises `InputFileError` where the source is missing or of another format."""
        source = source_of(export)
        header = self._table.header(source)
        edits = self._edits(source, header, Decisions(outcomes, export))
        with (
            written_whole(export.path) as unfinished,
            unfinished.open("w", encoding=encoding_of(source), newline="") as stream,
            open_rows(source, header) as rows,
        ):
            stream.writelines(self._edited(row, edits.get(row.number, {})) for row in rows)

    def _edits(self, source: ProductSource, header: Header, decisions: Decisions) -> Edits:
        edits: Edits = {}

        def put(places: Sequence[Part], text: str) -> None:
            for place in places:
                row, column = place.cell
                edits.setdefault(row, {}).setdefault(column, {})[place.index] = text

        for gallery in self._table.joined(source, header):
            order = decisions.order(gallery.id, [slot.uri for slot in gallery.slots])
            if order is not None:
                for where, what in moves(gallery.slots, order):
                    put(where.places, what.text or what.uri)
                    put(where.alt_places, what.alt)
        decisions.report_missing()
        return edits

    def _edited(self, row: Row, edits: dict[int, dict[int | None, str]]) -> str:
        cells = list(row.cells)
        for column, parts in edits.items():
            cells += [""] * (column + 1 - len(cells))
            if None in parts:
                cells[column] = parts[None] if parts[None] != cells[column].strip() else cells[column]
            else:
                cells[column] = self._relisted(cells[column], parts)
        return row_text(cells, row) if cells != list(row.cells) else row.text

    def _relisted(self, cell: str, parts: dict[int | None, str]) -> str:
        """Return a cell that lists several texts with some of them in place of others."""
        old = self._table.split(cell)
        new = [parts.get(index, text) for index, text in enumerate(old)]
        new += [parts[index] for index in sorted(key for key in parts if key is not None and key >= len(old))]
        blank = " " if f"{self._table.separator} " in cell else ""
        return cell if new == old else f"{self._table.separator}{blank}".join(new)


def source_of(export: Export) -> ProductSource:
    """Return the file that is written anew; raises `InputFileError` where none is named."""
    if export.source is None:
        raise InputFileError(
            "is needed, as it is written anew", item="the file that the products were read from", remedy="name it"
        )
    return export.source


def encoding_of(source: ProductSource) -> str:
    """Return the encoding in which a source is written."""
    return str(getattr(source, "encoding", "utf-8"))


def cells_of(row: Row, name: str) -> list[tuple[Cell, str]]:
    """Return the filled cells of the columns of a name."""
    return [(cell, text) for cell, text in row.all(name) if text]
