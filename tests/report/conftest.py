"""Small products and outcomes, and pictures made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from agpis_sdk.components import DecodedImage
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.records import Finding, ImageOutcome, Outcome, Product
from agpis_sdk.report.config import HtmlConfig
from agpis_sdk.report.html import HtmlReporter
from agpis_sdk.report.thumbnails import Thumbnail, make_thumbnail
from agpis_sdk.rules import Rule

Rendered = Callable[..., str]


def picture(width: int = 400, height: int = 300) -> Thumbnail:
    pixels = np.full((height, width, 3), 200, dtype=np.uint8)
    return make_thumbnail(pixels, width, height)


def decoded(width: int = 400, height: int = 300) -> DecodedImage:
    """Return a gray image; the report finds it by its place in the mapping of images."""
    return DecodedImage(
        product_id="P1",
        id="a",
        position=0,
        pixels=np.full((height, width, 3), 200, dtype=np.uint8),
        original_width=width,
        original_height=height,
        scale=1.0,
        byte_count=1,
        sha256="0" * 64,
        format="PNG",
    )


def started(
    path: Path, *, title: str = "Test", rules: Sequence[Rule] | None = None, max_products: int = 2000
) -> HtmlReporter:
    """Return the HTML reporter with a report begun at a path."""
    reporter = HtmlReporter(HtmlConfig(max_products=max_products))
    reporter.start(path, title, list(shipped_rules()) if rules is None else rules)
    return reporter


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
        outcome: Outcome, *, product: Product | None = None, images: Mapping[str, DecodedImage] | None = None
    ) -> str:
        report = started(tmp_path / "report.html")
        report.add(product, outcome, images or {})
        report.finish({})
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return render
