"""Shopify's product export: rows of one handle are a product, with an image a row and a variant a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agpis_sdk.builtin.catalog_formats.galleries import Gallery, Part, Slot
from agpis_sdk.builtin.catalog_formats.shop_table import ShopTable, ShopTableWriter
from agpis_sdk.components import ProductSource
from agpis_sdk.media.tables import Row

# Each column under its name until 2025 and since then.
HANDLE, IMAGE, POSITION, ALT_TEXT, VARIANT_IMAGE, BODY, CATEGORY = (
    ("Handle", "URL handle"),
    ("Image Src", "Product image URL"),
    ("Image Position", "Image position"),
    ("Image Alt Text", "Image alt text"),
    ("Variant Image", "Variant image URL"),
    ("Body (HTML)", "Description"),
    ("Product Category", "Product category", "Type"),
)
OPTIONS = tuple(
    (f"Option{number} {name}", f"Option{number} {value}")
    for number in (1, 2, 3)
    for name, value in (("Name", "Value"), ("name", "value"))
)
TAKEN = frozenset(
    {
        *HANDLE,
        *IMAGE,
        *POSITION,
        *ALT_TEXT,
        *VARIANT_IMAGE,
        *BODY,
        "Title",
        *(name for pair in OPTIONS for name in pair),
    }
)
OF_VARIANTS = ("Variant ", "Option", "SKU", "Barcode", "Cost per item")


class Shopify(ShopTable):
    """Reads a product export; images come by their position, those without one as listed."""

    title = "Shopify product export"

    def is_header(self, names: Sequence[str]) -> bool:
        """Tell by the handle and the image columns, under their old or their new names."""
        return any(handle in names and image in names for handle, image in zip(HANDLE, IMAGE, strict=True))

    def galleries(self, rows: Iterable[Row], source: ProductSource) -> Iterable[Gallery]:
        """Join the rows of each handle."""
        galleries: dict[str, Gallery] = {}
        positions: dict[str, list[float]] = {}
        names: dict[str, dict[str, str]] = {}
        for row in rows:
            handle = _first(row, HANDLE)
            if not handle:
                source.skip(row.place, f"has no {HANDLE[0]}")
                continue
            gallery = galleries.setdefault(handle, Gallery(handle, row.place))
            gallery.describe(row["Title"], _first(row, CATEGORY), _first(row, BODY))
            gallery.keep({name: text for name, text in row.filled(TAKEN).items() if not name.startswith(OF_VARIANTS)})
            alt = next(iter(_cells(row, ALT_TEXT)), None)
            for src, uri in _cells(row, IMAGE):
                if uri:
                    gallery.slots.append(_slot(Part(src), uri, alt))
                    positions.setdefault(handle, []).append(_position(row))
            _add_variant(row, gallery, names.setdefault(handle, {}))
        for handle, gallery in galleries.items():
            _sort(gallery, positions.get(handle, []))
        return galleries.values()


class ShopifyWriter(ShopTableWriter):
    """Exchanges the images and their alternative texts among the rows of a product; their positions stay."""

    format = Shopify


def _slot(place: Part, uri: str, alt: tuple[tuple[int, int], str] | None) -> Slot:
    if alt is None:
        return Slot(uri=uri, places=[place])
    return Slot(uri=uri, places=[place], alt=alt[1], alt_places=[Part(alt[0])])


def _add_variant(row: Row, gallery: Gallery, names: dict[str, str]) -> None:
    """Add what a row says of a variant; only the first row of a product names the options."""
    facts: dict[str, str] = {}
    for name_column, value_column in OPTIONS:
        if row[name_column]:
            names[value_column] = row[name_column]
        if row[value_column] and row[value_column] != "Default Title":
            facts[names.get(value_column, value_column)] = row[value_column]
    own = {name: text for name, text in row.filled(TAKEN).items() if name.startswith(OF_VARIANTS)}
    if facts or not own.keys().isdisjoint(gallery.attributes):
        facts.update(own)
    else:
        gallery.keep(own)  # a product without options has one variant: itself
    gallery.variant_images.append((facts, _first(row, VARIANT_IMAGE)))


def _sort(gallery: Gallery, positions: Sequence[float]) -> None:
    """Put the images in order, then say which of them show a variant: its image may be listed in a later row."""
    ranked = sorted(zip(positions, range(len(positions)), gallery.slots, strict=False), key=lambda one: one[:2])
    gallery.slots[: len(ranked)] = [slot for _, _, slot in ranked]
    gallery.place_variants()


def _position(row: Row) -> float:
    try:
        return float(_first(row, POSITION))
    except ValueError:
        return float("inf")


def _first(row: Row, names: Iterable[str]) -> str:
    return next((row[name] for name in names if row[name]), "")


def _cells(row: Row, names: Iterable[str]) -> list[tuple[tuple[int, int], str]]:
    return [cell for name in names for cell in row.all(name)]
