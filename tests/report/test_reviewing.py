"""Accepting and rejecting in the report itself: a real browser clicks, and what it saves is read as reviews."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agpis_sdk.datasets.galleries import read_reviews
from agpis_sdk.records import Finding, ImageOutcome, Review
from tests.report.conftest import decoded, outcome, product, started

BROWSER = next((found for name in ("chromium", "google-chrome", "chrome") if (found := shutil.which(name))), None)
sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(BROWSER is None, reason="no browser is installed")]
Saved = Callable[[], list[Review]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started_browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield started_browser
        started_browser.close()


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Return the open report of three products: P0 and P1 with a sequence, of which P1 has a watermark on it; P2 without."""
    path = tmp_path / "report.html"
    report = started(path)
    images = tuple(
        ImageOutcome(id=name, state=state, uri=str(tmp_path / f"{name}.png"))  # type: ignore[arg-type]
        for name, state in (("a", "primary"), ("b", "removed"))
    )
    on_the_web = (ImageOutcome(id="a", state="removed", uri="https://shop.example/a.png"),)
    watermark = Finding(code="AGP121", images=("a",), score=0.4, message="a mark")
    report.add(
        product("Bag 0").model_copy(update={"id": "P0"}), outcome(product_id="P0", images=images), {"a": decoded()}
    )
    report.add(product("Bag 1"), outcome((watermark,), product_id="P1", images=images), {})
    report.add(product("Bag 2"), outcome(product_id="P2", status="none", sequence=(), images=on_the_web), {})
    report.finish({"threshold": 0.3})
    opened = browser.new_page()
    opened.goto(path.as_uri())
    yield opened
    opened.close()


@pytest.fixture
def saved(page: Any, tmp_path: Path) -> Saved:
    """Return a function that presses "Save reviews" and reads the file."""

    def press() -> list[Review]:
        with page.expect_download() as download:
            page.click("#save-reviews")
        assert download.value.suggested_filename == "reviews.jsonl"
        download.value.save_as(tmp_path / "reviews.jsonl")
        return list(read_reviews(tmp_path / "reviews.jsonl"))

    return press


def press(page: Any, number: int, label: str) -> None:
    page.locator(f"#product-{number} .review").get_by_role("button", name=label).click()


def test_an_accepted_sequence_is_an_accepted_review(page: Any, saved: Saved, tmp_path: Path) -> None:
    press(page, 0, "Accept")

    (review,) = saved()

    assert (review.product.id, review.product.title, review.product.category) == ("P0", "Bag 0", "Bags")
    assert (review.decision, review.sequence, review.rules) == ("accepted", ("a",), ())
    assert [image.uri for image in review.product.images] == [str(tmp_path / f"{name}.png") for name in "ab"]


def test_a_rejection_begins_with_what_the_run_found_and_takes_words(page: Any, saved: Saved) -> None:
    press(page, 1, "Reject")
    page.fill("#product-1 .why input", "the mark at the <b>bottom</b>")

    (review,) = saved()

    assert (review.decision, review.rules, review.feedback) == (
        "rejected",
        ("AGP121",),
        "the mark at the <b>bottom</b>",
    )


def test_another_rule_can_be_chosen_and_names_itself(page: Any, saved: Saved) -> None:
    press(page, 1, "Reject")
    page.select_option("#product-1 .why select", "AGP302")

    (review,) = saved()

    assert (review.rules, review.feedback) == (("AGP302",), "Improper order")


def test_a_rejection_without_a_reason_is_not_saved(page: Any, saved: Saved) -> None:
    press(page, 0, "Reject")
    press(page, 1, "Accept")

    assert page.inner_text("#save-reviews") == "Save 1 review"
    assert [review.product.id for review in saved()] == ["P1"]


def test_the_same_button_takes_a_decision_back(page: Any) -> None:
    press(page, 0, "Accept")
    press(page, 0, "Accept")

    assert page.is_hidden("#save-reviews")


def test_a_product_without_a_sequence_has_no_buttons(page: Any) -> None:
    assert page.locator("#product-2 .review").count() == 0


def test_a_decision_is_still_there_after_filtering(page: Any) -> None:
    press(page, 0, "Accept")
    page.click("[data-status=none]")
    page.click("[data-status='']")

    assert (
        page.locator("#product-0 .review").get_by_role("button", name="Accept").get_attribute("aria-pressed") == "true"
    )


@pytest.mark.parametrize(("number", "links"), [(0, 0), (2, 1)])
def test_only_an_original_on_the_web_is_linked(page: Any, number: int, links: int) -> None:
    page.locator(f"#product-{number} .tile").first.click()

    assert page.get_by_text("Open the original").count() == links
