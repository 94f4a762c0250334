"""Amazon's flat file (inventory template): a row for people, a row of names, then one SKU a row with an image a column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from agpis_sdk.builtin.catalog_formats.galleries import Gallery, Part, Slot
from agpis_sdk.builtin.catalog_formats.shop_table import ShopTable, ShopTableWriter, cells_of
from agpis_sdk.components import ProductSource
from agpis_sdk.media.tables import Row

SKU, MAIN = "item_sku", "main_image_url"
IMAGES = (MAIN, *(f"other_image_url{number}" for number in range(1, 10)))
TAKEN = frozenset({SKU, "item_name", "product_description", *IMAGES})


class Amazon(ShopTable):
    """Reads a flat file; every SKU that can be bought has images of its own, so each is a product."""

    title = "Amazon flat file"

    def is_header(self, names: Sequence[str]) -> bool:
        """Tell by the names that Amazon's system reads, which stand below those for people."""
        return SKU in names and MAIN in names

    def galleries(self, rows: Iterable[Row], source: ProductSource) -> Iterator[Gallery]:
        """Take every row as a product, but a parent of variations that has no images."""
        for row in rows:
            images = [cell for name in IMAGES for cell in cells_of(row, name)]
            if not row[SKU]:
                source.skip(row.place, f"has no {SKU}")
            elif not images and row["parent_child"].lower() == "parent":
                source.skip(row.place, "is a parent of variations and has no images of its own")
            else:
                gallery = Gallery(row[SKU], row.place, attributes=row.filled(TAKEN))
                gallery.describe(
                    row["item_name"], row["feed_product_type"] or row["item_type"], row["product_description"]
                )
                gallery.slots += [Slot(uri=uri, places=[Part(cell)]) for cell, uri in images]
                yield gallery


class AmazonWriter(ShopTableWriter):
    """Exchanges the links among the image columns of a row."""

    format = Amazon
