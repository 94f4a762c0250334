"""A report read back: its tags, and the data that it carries."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "img", "input", "br"}


class Page(HTMLParser):
    """Collects start tags and embedded data, and checks that every tag is closed by its own end tag."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = page
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data: dict[str, Any] = {}
        self._reading = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        self._reading = attributes.get("id") or "" if attributes.get("type") == "application/json" else ""
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._reading = ""

    def handle_data(self, data: str) -> None:
        if self._reading:
            self.data[self._reading] = json.loads(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def cards(self) -> list[dict[str, Any]]:
        return [data for name, data in self.data.items() if name.startswith("card-")]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return list(self.data["rows"])
