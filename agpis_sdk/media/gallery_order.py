"""In which order a shop should list the images of a product, as a run has decided: for every writer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agpis_sdk.components import Export
from agpis_sdk.records import ImageOutcome, Outcome

CHOSEN_STATES = ("primary", "selected")
LAST_STATES = ("removed", "unreadable")


def images_in_order(outcome: Outcome) -> list[ImageOutcome]:
    """Return all images of an outcome: the chosen ones as chosen, the others as listed, those that break a rule last."""
    by_id = {image.id: image for image in outcome.images}
    chosen = [by_id[image_id] for image_id in outcome.sequence if image_id in by_id]
    others = [image for image in outcome.images if image.id not in outcome.sequence]
    return [*chosen, *sorted(others, key=lambda image: image.state in LAST_STATES)]


def chosen_images(outcome: Outcome) -> list[ImageOutcome]:
    """Return the images of an outcome's sequence, in order."""
    return [image for image in images_in_order(outcome) if image.state in CHOSEN_STATES]


def new_positions(outcome: Outcome) -> list[int]:
    """Return the listed positions, from 0, in the new order.

    >>> images = [ImageOutcome(id=one, state="kept") for one in "abc"]
    >>> new_positions(Outcome(product_id="P1", status="submit", sequence=("c", "a"), images=tuple(images)))
    [2, 0, 1]
    """
    listed = {image.id: position for position, image in enumerate(outcome.images)}
    return [listed[image.id] for image in images_in_order(outcome)]


class Decisions:
    """The outcomes by product, and what becomes of those that do not fit the file that is written anew."""

    def __init__(self, outcomes: Iterable[Outcome], export: Export) -> None:
        self._open = {outcome.product_id: outcome for outcome in outcomes}
        self._export = export

    def order(self, product_id: str, uris: Sequence[str]) -> list[int] | None:
        """Return the order in which a product's images should be listed; None where there is no decision that fits."""
        outcome = self._open.pop(product_id, None)
        if outcome is None:
            return None
        if len(outcome.images) != len(uris):
            why = "has other images in the file than in the outcomes"
            self._export.skip(f'product "{product_id}"', why)
            return None
        return new_positions(outcome)

    def report_missing(self) -> None:
        """Name the products that the file does not have."""
        for product_id in self._open:
            self._export.skip(f'product "{product_id}"', "is not in the file")
