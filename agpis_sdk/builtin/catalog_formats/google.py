"""The Google Merchant feed as a table: every item is an offer with images of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from agpis_sdk.builtin.catalog_formats.galleries import Gallery, Part, Slot
from agpis_sdk.builtin.catalog_formats.shop_table import ShopTable, ShopTableWriter, cells_of
from agpis_sdk.components import ProductSource
from agpis_sdk.media.tables import Header, Row

IMAGE, ADDITIONAL = "image_link", "additional_image_link"
TAKEN = frozenset({"id", "title", "description", IMAGE, ADDITIONAL})


def google_name(name: str) -> str:
    """Return the name of an attribute as Google's specification writes it.

    >>> google_name("Image Link"), google_name("g:id")
    ('image_link', 'id')
    """
    return name.strip().lower().removeprefix("g:").replace(" ", "_")


class GoogleTable(ShopTable):
    """Reads a feed of tab-separated values; variants of one item_group_id are offers, so each is a product."""

    title = "Google Merchant feed (table)"

    def is_header(self, names: Sequence[str]) -> bool:
        """Tell by the id and the image link."""
        return {"id", IMAGE} <= {google_name(name) for name in names}

    def header(self, source: ProductSource) -> Header:
        """Return the header with the names of the specification."""
        header = super().header(source)
        return replace(header, names=tuple(map(google_name, header.names)))

    def galleries(self, rows: Iterable[Row], source: ProductSource) -> Iterator[Gallery]:
        """Take every row as a product."""
        for row in rows:
            if not row["id"]:
                source.skip(row.place, "has no id")
                continue
            gallery = Gallery(row["id"], row.place, attributes=row.filled(TAKEN))
            gallery.describe(row["title"], row["product_type"] or row["google_product_category"], row["description"])
            gallery.slots += [Slot(uri=uri, places=[Part(cell)]) for cell, uri in cells_of(row, IMAGE)]
            for cell, listed in cells_of(row, ADDITIONAL):
                uris = self.split(listed)
                gallery.slots += [Slot(uri=uri, places=[Part(cell, index)]) for index, uri in enumerate(uris)]
            yield gallery


class GoogleTableWriter(ShopTableWriter):
    """Writes the first image as image_link, the others as additional_image_link."""

    format = GoogleTable
