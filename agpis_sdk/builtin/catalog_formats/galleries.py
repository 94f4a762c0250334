"""A product as a shop's file holds it: its fields, its images in order, and the places in the file where each stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agpis_sdk.components import ReadRecord
from agpis_sdk.media.tables import Cell

TEXT_FIELDS = ("title", "category", "description")
VARIANT = "variant"
ALT = "alt"


@dataclass(frozen=True)
class Part:
    """One of the values that a cell lists; `index` is None where the cell holds this value alone."""

    cell: Cell
    index: int | None = None


@dataclass
class Slot:
    """One image of a product: its uri, what is known about it, and where its uri and its alternative text stand.

    An image without places belongs to a variant: it is shown with the product, and stays where it is.
    """

    uri: str
    text: str = ""
    alt: str = ""
    places: list[Part] = field(default_factory=list)
    alt_places: list[Part] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass
class Gallery:
    """A product and its images, joined from all rows of the product."""

    id: str
    place: str
    fields: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    slots: list[Slot] = field(default_factory=list)
    variant_images: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    """What each variant's row says, and the image that it names, "" where none."""

    def describe(self, title: str = "", category: str = "", description: str = "") -> None:
        """Take a title, a category and a description where there is none yet."""
        for name, text in zip(TEXT_FIELDS, (title, category, description), strict=True):
            if text:
                self.fields.setdefault(name, text)

    def keep(self, attributes: dict[str, Any]) -> None:
        """Keep what a row says beside; what the first row says stays."""
        for name, value in attributes.items():
            self.attributes.setdefault(name, value)

    def place_variants(self) -> None:
        """Keep the variants, and say of each one's image which it shows; an image that is not listed comes last.

        This comes after all rows: a variant may stand before its image.
        """
        variants = [facts for facts, _ in self.variant_images if facts]
        if variants:
            self.attributes.setdefault("variants", variants)
        for facts, image in self.variant_images:
            if not image:
                continue
            slot = next((slot for slot in self.slots if slot.uri == image), None)
            if slot is None:
                slot = Slot(uri=image)
                self.slots.append(slot)
            if facts:
                slot.attributes.setdefault(VARIANT, facts)

    def record(self) -> ReadRecord:
        """Return the product as a line of products.jsonl has it."""
        images = [{"uri": slot.uri, **_attributes_of(slot)} for slot in self.slots]
        fields = {"id": self.id, **self.fields, "images": images}
        return ReadRecord(self.place, {**fields, "attributes": self.attributes} if self.attributes else fields)


def moves(slots: Sequence[Slot], order: Sequence[int]) -> list[tuple[Slot, Slot]]:
    """Return (where, what) for the images that have places, put in the order of their indexes in `slots`."""
    movable = [slot for slot in slots if slot.places]
    wanted = [slots[index] for index in order if slots[index].places]
    return list(zip(movable, wanted, strict=True))


def _attributes_of(slot: Slot) -> dict[str, Any]:
    attributes = {**({ALT: slot.alt} if slot.alt else {}), **slot.attributes}
    return {"attributes": attributes} if attributes else {}
