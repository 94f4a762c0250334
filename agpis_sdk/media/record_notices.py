"""What was read otherwise than written, counted over all records and put in words once per run."""

from __future__ import annotations

from collections import Counter

from agpis_sdk.errors import nearest
from agpis_sdk.records import CandidateImage, InputRecord, Product
from agpis_sdk.wording import printable, shortened

NAMES_SHOWN = 20
KEPT: dict[str, tuple[str, type[InputRecord]]] = {
    "product": ("fields that the format does not know are kept in the product's attributes", Product),
    "image": ("fields of images that the format does not know are kept in the image's attributes", CandidateImage),
}
REPLACED = {  # one of them, several of them, what became of them
    "nameless": ('entry of "images" that names no file', 'entries of "images" that name no file', "reported as AGP901"),
    "non-finite": ("value that is NaN or infinite", "values that are NaN or infinite", "read as null"),
    "half-pair": ("record with half of a surrogate pair", "records with half of a surrogate pair", "read as U+FFFD"),
}


class RecordNotices:
    """Counts what was read otherwise than written; memory does not grow with the records."""

    def __init__(self) -> None:
        self._unknown = {owner: Counter[str]() for owner in KEPT}
        self._more_names: set[str] = set()
        self._replaced = Counter[str]()
        self._first_place: dict[str, str] = {}

    def keep(self, owner: str, field: str) -> None:
        """Note a field of a "product" or an "image" that was kept in its attributes."""
        names = self._unknown[owner]
        if field in names or len(names) < NAMES_SHOWN:
            names[field] += 1
        else:
            self._more_names.add(owner)

    def replace(self, what: str, place: str) -> None:
        """Note that something was replaced, as `REPLACED` names it."""
        self._replaced[what] += 1
        self._first_place.setdefault(what, printable(place))

    def lines(self) -> list[str]:
        """Return the notices, a line each."""
        lines = []
        for owner, (words, record) in KEPT.items():
            names = [_named(name, count, record) for name, count in self._unknown[owner].most_common()]
            if names:
                lines.append(f"{words}: {', '.join(names)}{', …' if owner in self._more_names else ''}")
        for what, count in self._replaced.items():
            one, several, became = REPLACED[what]
            first = "first " if count > 1 else ""
            lines.append(f"{count:,} {one if count == 1 else several}, {became}: {first}{self._first_place[what]}")
        return lines


def _named(name: str, count: int, record: type[InputRecord]) -> str:
    remedy = nearest(name, record.model_fields)
    hint = f", {remedy}" if remedy.startswith("did you mean") else ""
    return f'"{printable(shortened(name, 40))}" ({count:,}×{hint})'
