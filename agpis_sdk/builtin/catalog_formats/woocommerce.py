"""WooCommerce's product export: one product a row, its images in one cell, its variations in rows of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agpis_sdk.builtin.catalog_formats.galleries import Gallery, Part, Slot
from agpis_sdk.builtin.catalog_formats.shop_table import ShopTable, ShopTableWriter, cells_of
from agpis_sdk.components import ProductSource
from agpis_sdk.media.tables import Row

ATTRIBUTE = re.compile(r"Attribute (\d+) name")
COMMA = re.compile(r"(?<!\\),")  # WooCommerce writes a comma inside of a value as "\,"
TAKEN = frozenset({"ID", "SKU", "Name", "Images", "Categories", "Description", "Short description", "Parent"})
BY_ID = "id:"


class WooCommerce(ShopTable):
    """Reads a product export; the images of a variation come after those of its product."""

    title = "WooCommerce product export"

    def is_header(self, names: Sequence[str]) -> bool:
        """Tell by the columns of images and names beside one of the ids."""
        return {"Images", "Name"} <= set(names) and bool({"SKU", "ID"} & set(names)) and "Type" in names

    def split(self, cell: str) -> list[str]:
        """Return the texts between commas, but those behind a backslash."""
        return [part for part in (part.strip() for part in COMMA.split(cell)) if part]

    def galleries(self, rows: Iterable[Row], source: ProductSource) -> Iterable[Gallery]:
        """Join variations to their products, wherever their rows are."""
        galleries: dict[str, Gallery] = {}
        by_number: dict[str, Gallery] = {}
        variations: list[Row] = []
        for row in rows:
            product_id = row["SKU"] or row["ID"]
            if row["Type"].lower().startswith("variation"):
                variations.append(row)
            elif not product_id:
                source.skip(row.place, "has neither SKU nor ID")
            elif product_id in galleries:
                source.skip(row.place, f"has the SKU of {galleries[product_id].place}")
            else:
                gallery = galleries[product_id] = self._gallery(row, product_id)
                by_number[row["ID"]] = gallery
        for row in variations:
            parent = row["Parent"]
            found = by_number.get(parent.removeprefix(BY_ID)) if parent.startswith(BY_ID) else galleries.get(parent)
            if found is None:
                source.skip(row.place, "is a variation of a product that is not in the file")
            else:
                images = self.split(row["Images"]) or [""]
                facts = {"SKU": row["SKU"], **_attributes(row)}
                found.variant_images.append(({name: text for name, text in facts.items() if text}, _plain(images[0])))
        for gallery in galleries.values():
            gallery.place_variants()
        return galleries.values()

    def _gallery(self, row: Row, product_id: str) -> Gallery:
        gallery = Gallery(product_id, row.place)
        gallery.describe(row["Name"], row["Categories"], row["Description"] or row["Short description"])
        others = {name: text for name, text in row.filled(TAKEN).items() if not name.startswith("Attribute ")}
        gallery.keep({**others, **({"ID": row["ID"]} if row["SKU"] and row["ID"] else {}), **_attributes(row)})
        for cell, text in cells_of(row, "Images"):
            parts = enumerate(self.split(text))
            gallery.slots += [Slot(uri=_plain(one), text=one, places=[Part(cell, index)]) for index, one in parts]
        return gallery


class WooCommerceWriter(ShopTableWriter):
    """Writes the images of a product in another order; those of variations stay with them."""

    format = WooCommerce


def _attributes(row: Row) -> dict[str, str]:
    numbers = [found[1] for name in row.header.columns if (found := ATTRIBUTE.fullmatch(name))]
    pairs = [(row[f"Attribute {number} name"], row[f"Attribute {number} value(s)"]) for number in numbers]
    return {name: value for name, value in pairs if name and value}


def _plain(text: str) -> str:
    return text.replace("\\,", ",")
