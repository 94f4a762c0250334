"""Any other table: the columns are named by the user, or are called "id" and "images"."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from agpis_sdk.builtin.catalog_formats.galleries import TEXT_FIELDS, Gallery, Part, Slot
from agpis_sdk.builtin.catalog_formats.shop_table import ShopTable, cells_of
from agpis_sdk.components import ProductSource
from agpis_sdk.errors import InputFileError, nearest
from agpis_sdk.media.tables import Header, Row, header_of

# A comma parts two uris where a blank, a scheme or a path follows; others are part of a URL, as in "w_80,h_60".
BETWEEN_URLS = re.compile(r"\s*[|;\n]\s*|,\s+|,(?=https?://|/)")
DEFAULT_COLUMNS = {name: (name,) for name in ("id", "images", *TEXT_FIELDS)}
BETWEEN_NAMES = re.compile(r"\s*[|;,\n]\s*")


class NamedColumns(ShopTable):
    """Reads a table of one product a row, or several rows a product with an image in each."""

    title = "table (CSV or TSV)"

    def is_header(self, names: Sequence[str]) -> bool:
        """Tell by the two columns that a product must have."""
        return {"id", "images"} <= set(names)

    def split(self, cell: str) -> list[str]:
        """Return the uris of a cell that may list several, whatever stands between them."""
        return [part for part in (BETWEEN_URLS if "://" in cell else BETWEEN_NAMES).split(cell.strip()) if part]

    def header(self, source: ProductSource) -> Header:
        """Return the header that has the named columns; raises `InputFileError` naming the nearest one."""
        wanted = [column for columns in source.columns.values() for column in columns]
        header = header_of(source, (lambda names: set(wanted) <= set(names)) if wanted else self.is_header)
        if header is not None:
            return header
        first = header_of(source)
        if first is None:
            raise InputFileError("is no table of several columns", item=str(source.path), remedy="check --from")
        missing = next(name for name in (wanted or ("id", "images")) if name not in first.names)
        remedy = (
            nearest(missing, first.names)
            if wanted
            else f"--map id=COLUMN --map images=COLUMN; {nearest('', first.names)}"
        )
        raise InputFileError(f'has no column "{missing}"', item=str(source.path), remedy=remedy)

    def galleries(self, rows: Iterable[Row], source: ProductSource) -> Iterable[Gallery]:
        """Join the rows of each id; images are added, of everything else the first filled cell counts."""
        columns = {**DEFAULT_COLUMNS, **source.columns}
        taken = frozenset(column for names in columns.values() for column in names)
        galleries: dict[str, Gallery] = {}
        for row in rows:
            product_id = _first(row, columns["id"])
            if not product_id:
                source.skip(row.place, f'has no "{columns["id"][0]}"')
                continue
            gallery = galleries.setdefault(product_id, Gallery(product_id, row.place))
            gallery.describe(*(_first(row, columns.get(name, ())) for name in TEXT_FIELDS))
            gallery.keep({**_named(row, columns), **row.filled(taken)})
            for cell, text in (found for name in columns["images"] for found in cells_of(row, name)):
                gallery.slots += self._slots(cell, text)
        return galleries.values()

    def _slots(self, cell: tuple[int, int], text: str) -> list[Slot]:
        if text.startswith("["):
            try:
                return [Slot(uri=uri) for uri in json.loads(text) if isinstance(uri, str)]
            except ValueError:
                pass  # a name that begins with a bracket
        uris = self.split(text)
        if len(uris) == 1:
            return [Slot(uri=uris[0], places=[Part(cell)])]
        return [Slot(uri=uri, places=[Part(cell, index)]) for index, uri in enumerate(uris)]


def _named(row: Row, columns: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the attributes for which the user has named a column."""
    others = {
        field: _first(row, names) for field, names in columns.items() if field not in ("id", "images", *TEXT_FIELDS)
    }
    return {field: text for field, text in others.items() if text}


def _first(row: Row, names: Sequence[str]) -> str:
    return next((row[name] for name in names if row[name]), "")
