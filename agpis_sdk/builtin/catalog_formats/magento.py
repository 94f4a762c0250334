"""Magento's (Adobe Commerce's) product export: one product a row, children of configurable products in rows of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from agpis_sdk.builtin.catalog_formats.config import MagentoConfig
from agpis_sdk.builtin.catalog_formats.galleries import Gallery, Part, Slot
from agpis_sdk.builtin.catalog_formats.shop_table import ShopTable, ShopTableWriter, cells_of
from agpis_sdk.components import ComponentConfig, ProductSource
from agpis_sdk.media.tables import Row

BASE, ADDITIONAL = "base_image", "additional_images"
BASE_LABEL, ADDITIONAL_LABELS = "base_image_label", "additional_image_labels"
FOLLOWERS = ("small_image", "thumbnail_image")  # Magento shows the base image in these sizes too
VARIATIONS = "configurable_variations"
TAKEN = frozenset(
    {
        "sku",
        "name",
        "description",
        "categories",
        BASE,
        ADDITIONAL,
        BASE_LABEL,
        ADDITIONAL_LABELS,
        *FOLLOWERS,
        VARIATIONS,
    }
)


class Magento(ShopTable):
    """Reads a product export; what is not visible by itself is a variant of its configurable product."""

    title = "Magento product export"

    def __init__(self, config: MagentoConfig) -> None:
        self._media = config.media.rstrip("/")

    def is_header(self, names: Sequence[str]) -> bool:
        """Tell by the SKU and the columns of images."""
        return "sku" in names and (BASE in names or ADDITIONAL in names)

    def galleries(self, rows: Iterable[Row], source: ProductSource) -> Iterable[Gallery]:
        """Join the children to their configurable products, wherever their rows are."""
        galleries: dict[str, Gallery] = {}
        variations: dict[str, tuple[str, dict[str, str]]] = {}
        for row in rows:
            sku = row["sku"]
            if not sku:
                source.skip(row.place, "has no sku")
            elif sku not in galleries:
                galleries[sku] = self._gallery(row)
                for child, facts in _variations(row[VARIATIONS]):
                    variations[child] = (sku, facts)
            elif not row["store_view_code"]:
                source.skip(row.place, f"has the sku of {galleries[sku].place}")
            # Else it is the same product in another language: its images are those of the first row.
        for child, (parent, facts) in variations.items():
            if child in galleries and child != parent:
                shown = galleries.pop(child).slots
                named = {"sku": child, **facts}
                galleries[parent].variant_images += [
                    (named if not index else {}, slot.uri) for index, slot in enumerate(shown)
                ]
                if not shown:
                    galleries[parent].variant_images.append((named, ""))
        for gallery in galleries.values():
            gallery.place_variants()
        return galleries.values()

    def _gallery(self, row: Row) -> Gallery:
        gallery = Gallery(row["sku"], row.place)
        gallery.describe(row["name"], row["categories"], row["description"])
        gallery.keep({**row.filled(TAKEN), **_pairs(row["additional_attributes"])})
        for cell, path in cells_of(row, BASE):
            slot = self._slot(Part(cell), path)
            slot.places += [Part(one) for name in FOLLOWERS for one, text in cells_of(row, name) if text == path]
            _label(slot, [(Part(one), text) for one, text in row.all(BASE_LABEL)])
            gallery.slots.append(slot)
        base = gallery.slots[0] if gallery.slots else None
        for cell, listed in cells_of(row, ADDITIONAL):
            labels = row.all(ADDITIONAL_LABELS)
            texts = labels[0][1].split(",") if labels and labels[0][1] else []
            for index, (path, label) in enumerate(
                zip_longest(self.split(listed), texts[: len(self.split(listed))], fillvalue="")
            ):
                slot = base if base is not None and base.text == path else self._slot(Part(cell, index), path)
                if slot is base:
                    slot.places.append(Part(cell, index))
                else:
                    gallery.slots.append(slot)
                if texts:
                    _label(slot, [(Part(labels[0][0], index), label.strip())])
        return gallery

    def _slot(self, place: Part, path: str) -> Slot:
        relative = path if "://" in path else path.lstrip("/")
        uri = relative if "://" in path or not self._media else f"{self._media}/{relative}"
        return Slot(uri=uri, text=path, places=[place])


class MagentoWriter(ShopTableWriter):
    """Writes the first image as the base image, and where the base was the small image or thumbnail, as these too."""

    format = Magento

    def __init__(self, config: ComponentConfig) -> None:
        super().__init__(MagentoConfig())  # where images are does not matter for their order
        del config


def _label(slot: Slot, labels: Sequence[tuple[Part, str]]) -> None:
    for place, text in labels:
        slot.alt = slot.alt or text
        slot.alt_places.append(place)


def _variations(cell: str) -> list[tuple[str, dict[str, str]]]:
    """Read "sku=A,color=Red|sku=B,color=Blue"."""
    found = [_pairs(one) for one in cell.split("|")]
    return [(facts.pop("sku"), facts) for facts in found if facts.get("sku")]


def _pairs(cell: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in cell.split(",")]
    return {name.strip(): value.strip() for name, equals, value in pairs if equals and value.strip()}
