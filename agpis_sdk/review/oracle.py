"""Who knows the truth about a sequence: labels made by eye, or reviews whose truth was put in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from agpis_sdk.datasets.labels import labeled_galleries, labeled_images
from agpis_sdk.records import Mark, Product, Review

# What is laid over a photo, by the words of the labels, and the rule that forbids it.
OVERLAY_RULES: Final = {
    "text": "AGP120",
    "badge": "AGP124",
    "logo": "AGP122",
    "watermark": "AGP121",
    "banner": "AGP119",
    "border": "AGP111",
    "collage": "AGP112",
    "screenshot": "AGP113",
}
WRONG_FIRST: Final = "AGP302"


@dataclass(frozen=True)
class Truth:
    """What is right to say about a sequence: nothing is wrong where there are no rules; `better` is a right sequence, if one is known."""

    rules: tuple[str, ...]
    feedback: str = ""
    marks: tuple[Mark, ...] = ()
    better: tuple[str, ...] = ()


class Oracle(Protocol):
    """Knows the truth about sequences of some products."""

    def judge(self, product: Product, sequence: Sequence[str]) -> Truth | None:
        """Return the truth about a sequence; None where it is not known."""
        ...


class LabelOracle:
    """Judges by labels: no overlay on any image, and an image first that a careful merchandiser would put first."""

    def __init__(self, folder: Path, first_rule: str = WRONG_FIRST) -> None:
        self._first_rule = first_rule
        self._overlays = {(one.product.id, one.image.id): one.overlays for one in labeled_images(folder)}
        self._best_first = {one.product.id: one.best_first for one in labeled_galleries(folder)}

    def judge(self, product: Product, sequence: Sequence[str]) -> Truth | None:
        """Return the truth about a sequence; None where an image of it, or the product, has no label."""
        best = self._best_first.get(product.id)
        overlays = {image_id: self._overlays.get((product.id, image_id)) for image_id in sequence}
        if best is None or any(found is None for found in overlays.values()):
            return None
        marks = tuple(
            Mark(image=image_id, rule=OVERLAY_RULES[found[0]])
            for image_id, found in overlays.items()
            if found and found[0] in OVERLAY_RULES
        )
        rules = tuple(dict.fromkeys(mark.rule for mark in marks))
        if rules:
            return Truth(rules, marks=marks)
        if sequence[0] not in best:
            first = next(image.id for image in product.images if image.id in best)
            better = (first, *(one for one in sequence if one != first))[: len(sequence)]
            return Truth((self._first_rule,), better=better)
        return Truth(())


class ReviewOracle:
    """Judges by reviews whose truth is known, such as those of `agpis bench build`."""

    def __init__(self, reviews: Iterable[Review]) -> None:
        self._reviews = {(one.product.id, one.sequence): one for one in reviews}

    def judge(self, product: Product, sequence: Sequence[str]) -> Truth | None:
        """Return the truth about a sequence that was reviewed; None for any other."""
        known = self._reviews.get((product.id, tuple(sequence)))
        if known is None:
            return None
        return Truth(known.rules, known.feedback, known.marks) if known.decision == "rejected" else Truth(())
