"""What was not read or not written, counted by the reason; memory does not grow with the products."""

from __future__ import annotations

from collections import Counter

from agpis_sdk.wording import printable, shortened

PLACES_SHOWN = 3


class Skipped:
    """Counts what was left out, and keeps the first places of each reason."""

    def __init__(self) -> None:
        self._counts = Counter[str]()
        self._places: dict[str, list[str]] = {}

    def add(self, place: str, why: str) -> None:
        """Count one that was left out."""
        self._counts[why] += 1
        places = self._places.setdefault(why, [])
        if len(places) < PLACES_SHOWN:
            places.append(place)

    def __len__(self) -> int:
        return self._counts.total()

    def lines(self, what: str) -> list[str]:
        """Return a line for each reason, such as "not read: row 7, row 9: has no id"; `what` is its beginning."""
        lines = []
        for why, places in self._places.items():
            count, shown = self._counts[why], ", ".join(places)
            more = f", … ({count:,} in all)" if count > len(places) else ""
            lines.append(printable(f"{what}: {shortened(shown, 200)}{more}: {why}"))
        return lines
