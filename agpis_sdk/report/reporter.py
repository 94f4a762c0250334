"""The HTML report as a reporter: it draws the thumbnails and hands everything to `HtmlReport`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agpis_sdk.components import ComponentConfig, DecodedImage
from agpis_sdk.records import Outcome, Product
from agpis_sdk.report.html import HtmlReport, make_thumbnail
from agpis_sdk.rules import Rule


class HtmlReporter:
    """Writes one self-contained HTML file."""

    def __init__(self, config: ComponentConfig) -> None:
        del config
        self._document: HtmlReport | None = None

    def start(self, path: Path, title: str, rules: Sequence[Rule]) -> None:
        """Begin a report."""
        self._document = HtmlReport(path, title=title, rules=rules)

    def add(self, product: Product | None, outcome: Outcome, images: Mapping[str, DecodedImage]) -> None:
        """Draw one product's card."""
        thumbnails = {
            image.id: make_thumbnail(image.pixels, image.original_width, image.original_height)
            for image in images.values()
        }
        self._opened().add(product, outcome, thumbnails)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write the head and move the finished file into place."""
        self._opened().close(summary)

    def discard(self) -> None:
        """Give the report up."""
        self._opened().discard()

    def _opened(self) -> HtmlReport:
        if self._document is None:
            raise RuntimeError("the report has not been started")
        return self._document
