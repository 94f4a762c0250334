"""The report's script in a real browser; skipped where none is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from agpis_sdk.records import Finding, ImageOutcome
from tests.report.conftest import decoded, outcome, product, started

BROWSER = next((found for name in ("chromium", "google-chrome", "chrome") if (found := shutil.which(name))), None)
EVIL = '"><img src=x onerror="document.title=\'broken in\'"></script><script>document.title="broken in"</script>'

pytestmark = [pytest.mark.slow, pytest.mark.skipif(BROWSER is None, reason="no browser is installed")]


def shown(page: Path, address: str = "") -> str:
    """Return the document as the browser has laid it out."""
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--virtual-time-budget=3000",
    ]
    profile = f"--user-data-dir={page.parent / 'profile'}"
    command = [str(BROWSER), *options, profile, "--dump-dom", f"{page.as_uri()}{address}"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Return a report of thirty products; the last one is held, and its texts are hostile."""
    path = tmp_path / "report.html"
    report = started(path, title="Catalog")
    for number in range(29):
        report.add(product(title=f"Bag {number}"), outcome(product_id=f"P{number}"), {"a": decoded()})
    finding = Finding(code="AGP121", images=("b",), score=0.9, message=EVIL, remedy=EVIL)
    images = (ImageOutcome(id="a", state="primary"), ImageOutcome(id="b", state="removed"))
    told = outcome((finding,), product_id=EVIL, status="hold", feedback=EVIL, images=images)
    report.add(product(title=EVIL).model_copy(update={"category": EVIL}), told, {"a": decoded(), "b": decoded()})
    report.finish({"threshold": 0.3})
    return path


def test_a_page_of_cards_is_laid_out(page: Path) -> None:
    document = shown(page)
    assert document.count("<article") == 24
    assert "Page 1 of 2" in document
    assert ">Bag 0<" in document


def test_hostile_texts_are_shown_and_not_run(page: Path) -> None:
    document = shown(page, "#status=hold")
    assert "<title>Catalog</title>" in document
    assert document.count("<article") == 1
    assert "<img src=x" not in document
    assert "&lt;img src=x onerror=" in document


def test_a_link_names_one_product(page: Path) -> None:
    assert ">Bag 27<" in shown(page, "#product=P27")
    assert ">Bag 27<" not in shown(page)


def test_a_link_names_a_view_of_the_page(page: Path) -> None:
    document = shown(page, "#rule=AGP121&sort=unlikely")
    assert document.count("<article") == 1
    assert "1 of 30 products" in document


def test_a_finding_is_told_under_its_picture_with_its_remedy(page: Path) -> None:
    document = shown(page, "#status=hold")
    figure = document[document.index('<figure class="removed"') :].partition("</figure>")[0]
    assert "<b>Watermark</b>" in figure
    assert 'class="remedy"' in figure
