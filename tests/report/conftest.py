"""Small products and outcomes, and pictures made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from agpis_sdk.plugins import shipped_rules
from agpis_sdk.records import Finding, ImageOutcome, Outcome, Product
from agpis_sdk.report.html import HtmlReport, Thumbnail, make_thumbnail

Rendered = Callable[..., str]


def picture(width: int = 400, height: int = 300) -> Thumbnail:
    pixels = np.full((height, width, 3), 200, dtype=np.uint8)
    return make_thumbnail(pixels, width, height)


def product(title: str = "Canvas Bag", images: tuple[str, ...] = ("a", "b")) -> Product:
    return Product(id="P1", title=title, category="Bags", images=tuple({"id": i, "uri": f"{i}.jpg"} for i in images))


def outcome(findings: tuple[Finding, ...] = (), **changes: object) -> Outcome:
    fields: dict[str, object] = {
        "product_id": "P1",
        "status": "submit",
        "sequence": ("a",),
        "probability": 0.8,
        "images": (ImageOutcome(id="a", state="primary"), ImageOutcome(id="b", state="removed")),
        "findings": findings,
    }
    return Outcome.model_validate({**fields, **changes})


@pytest.fixture
def rendered(tmp_path: Path) -> Rendered:
    """Return a function that reports one product and returns the page."""

    def render(
        outcome: Outcome, *, product: Product | None = None, thumbnails: Mapping[str, Thumbnail] | None = None
    ) -> str:
        report = HtmlReport(tmp_path / "report.html", title="Test", rules=shipped_rules())
        report.add(product, outcome, thumbnails or {})
        report.close({})
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return render
