"""The report is one whole, safe HTML file that says what became of every product."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agpis_sdk.records import Finding, ImageOutcome, Product, Status
from agpis_sdk.report.html import embedded
from agpis_sdk.report.phrases import REASON_WORDS
from agpis_sdk.rules import Rule
from tests.report.conftest import Rendered, decoded, outcome, product, started
from tests.report.pages import Page


def written(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


# ── Untrusted text ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "field", ["title", "category", "seller", "product_id", "feedback", "message", "remedy", "reason", "image id"]
)
@pytest.mark.parametrize(
    "evil", ['"><img src=x onerror=alert(1)>', "</script><script>alert(1)</script>", "<!--<script>"]
)
def test_markup_and_quotes_in_any_text_stay_text(rendered: Rendered, field: str, evil: str) -> None:
    def value(name: str, otherwise: str) -> str:
        return evil if field == name else otherwise

    image = value("image id", "b")
    item = product(title=value("title", "Bag"), images=("a", image)).model_copy(
        update={"category": value("category", "Bags"), "attributes": {"seller": value("seller", "Acme")}}
    )
    finding = Finding(
        code="AGP103", images=(image,), score=1, message=value("message", "m"), remedy=value("remedy", "r")
    )
    told = outcome(
        (finding,),
        product_id=value("product_id", "P1"),
        feedback=value("feedback", "cut"),
        reason=value("reason", "not-judged"),
        status="hold",
        images=(ImageOutcome(id="a", state="primary"), ImageOutcome(id=image, state="removed")),
    )

    page = Page(rendered(told, product=item, images={"a": decoded(), image: decoded()}))

    assert evil not in page.text
    assert page.all("img") == []
    assert [tag for tag in page.all("script") if "type" not in tag] == [{}]
    assert evil in str([page.cards, page.rows]) or evil.lower() in str(page.cards).lower()


def test_the_title_of_the_page_is_escaped(tmp_path: Path) -> None:
    started(tmp_path / "r.html", title="<script>alert(1)</script>").finish({})
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_group_s_name_is_escaped_in_the_overview(tmp_path: Path) -> None:
    report = started(tmp_path / "r.html")
    for category in ('"><img src=x onerror=alert(1)>', "Bags"):
        report.add(product().model_copy(update={"category": category}), outcome(status="hold"), {})
    report.finish({})
    assert written(tmp_path / "r.html").all("img") == []


def test_embedded_data_cannot_leave_its_element() -> None:
    assert not set("<>&\u2028\u2029") & set(embedded({"<!--": "</script>&\u2028\u2029"}))


@pytest.mark.parametrize("place", ["<!--rows-->", "<!--cards-->"])
def test_a_title_that_looks_like_a_place_for_data_moves_nothing(tmp_path: Path, place: str) -> None:
    report = started(tmp_path / "r.html", title=place)
    report.add(product(title=place), outcome(), {})
    report.finish({})
    page = written(tmp_path / "r.html")
    assert [card["title"] for card in page.cards] == [place]
    assert page.open == []


def test_half_a_surrogate_pair_does_not_break_the_file(tmp_path: Path) -> None:
    started(tmp_path / "r.html", title="broken \ud800 title").finish({})
    assert "broken ? title" in (tmp_path / "r.html").read_text(encoding="utf-8")


# ── The file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_file_is_complete_html(rendered: Rendered) -> None:
    findings = tuple(Finding(code="AGP103", images=(image,), score=0.9, message="blurred") for image in ("a", "b"))
    text = rendered(outcome(findings), product=product(), images={"a": decoded(), "b": decoded()})
    assert text.startswith("<!DOCTYPE html>")
    assert text.rstrip().endswith("</html>")
    assert Page(text).open == []


def test_the_file_appears_only_after_finish(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    report = started(path)
    report.add(product(), outcome(), {})
    assert not path.exists()
    report.finish({})
    assert path.exists()


def test_nothing_is_left_beside_the_file(tmp_path: Path) -> None:
    started(tmp_path / "report.html").finish({})
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_discarded_report_leaves_nothing(tmp_path: Path) -> None:
    report = started(tmp_path / "report.html")
    report.add(product(), outcome(), {})
    report.discard()
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_report_stands_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("earlier", encoding="utf-8")
    report = started(path)
    assert path.read_text(encoding="utf-8") == "earlier"
    report.finish({})
    assert "<!DOCTYPE html>" in path.read_text(encoding="utf-8")


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    started(tmp_path / "new" / "report.html").finish({})
    assert (tmp_path / "new" / "report.html").exists()


def test_nothing_is_loaded_from_elsewhere(rendered: Rendered) -> None:
    page = Page(rendered(outcome(), product=product(), images={"a": decoded()}))
    links = [value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href")]
    sources = [picture["src"] for card in page.cards for picture in card["pictures"] if picture["src"] is not None]
    assert all(value is not None and value.startswith("#") for value in links)
    assert [source[:22] for source in sources] == ["data:image/webp;base64"]
    assert "url(" not in page.text
    assert "@import" not in page.text


def test_no_script_but_the_report_s_own_may_run(rendered: Rendered) -> None:
    policy = next(tag for tag in Page(rendered(outcome())).all("meta") if "http-equiv" in tag)["content"]
    assert policy is not None
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[\w+/=]+';", policy)
    assert "require-trusted-types-for 'script'" in policy


def test_the_script_makes_no_markup_of_data(rendered: Rendered) -> None:
    page = rendered(outcome())
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", page)


def test_the_overview_is_painted_before_the_cards_are_read(rendered: Rendered) -> None:
    page = rendered(outcome(), product=product(), images={"a": decoded()})
    assert (
        page.index("What is left after each step")
        < page.index('id="rows"')
        < page.index("<script>")
        < page.index('id="card-0"')
    )


# ── The overview ─────────────────────────────────────────────────────────────────────────────────────────────────────


def bars(page: str, heading: str) -> list[tuple[str, str]]:
    """Return words and count of each bar in the panel of a heading."""
    panel = page[page.index(f"<h2>{heading}") :].partition("</ol>")[0]
    return re.findall(r'<span class="words"[^>]*>([^<]*)</span> <span class="count">([\d,]+)', panel)


def test_the_overview_counts_products_by_status(tmp_path: Path) -> None:
    report = started(tmp_path / "r.html")
    expected: dict[Status, int] = {"submit": 3, "hold": 2, "none": 1, "failed": 0}
    for status, times in expected.items():
        for _ in range(times):
            report.add(None, outcome(status=status, sequence=()), {})
    report.finish({})
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    found = re.findall(r'href="#status=(\w+)">\s*<span class="count">(\d+)', page)
    assert {status: int(count) for status, count in found} == expected


def test_the_funnel_says_what_is_left_after_each_step(rendered: Rendered) -> None:
    states = ("primary", "selected", "kept", "removed", "unreadable")
    images = tuple(ImageOutcome(id=state, state=state) for state in states)
    page = rendered(outcome(images=images, sequence=("primary", "selected")))
    funnel = re.findall(r'<span class="count">(\d+)</span> <span class="words">([^<]+)</span>', page)
    assert ("5", "images listed") in funnel
    assert ("4", "could be read") in funnel
    assert ("3", "fit to be shown") in funnel
    assert ("2", "chosen") in funnel


def test_the_most_frequent_rule_comes_first(tmp_path: Path) -> None:
    report = started(tmp_path / "r.html")
    for codes in (("AGP103",), ("AGP121", "AGP103"), ("AGP121",), ("AGP121", "AGP121")):
        report.add(None, outcome(tuple(Finding(code=c, images=("b",), score=1, message="") for c in codes)), {})
    report.finish({})
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert bars(page, "Most frequent findings") == [("Watermark", "3"), ("Blurry image", "2")]


def test_the_histogram_counts_probabilities_and_marks_those_below_the_threshold(tmp_path: Path) -> None:
    report = started(tmp_path / "r.html")
    for probability in (0.0, 0.31, 0.39, 1.0):
        report.add(None, outcome(probability=probability), {})
    report.finish({"threshold": 0.3})
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    histogram = page[page.index('<ol class="histogram">') :].partition("</ol>")[0]
    assert re.findall(r'class="count">(\d)<', histogram) == ["1", "0", "0", "2", "0", "0", "0", "0", "0", "1"]
    assert histogram.count('class="below"') == 3


def test_sellers_and_categories_with_the_most_to_do_come_first(tmp_path: Path) -> None:
    report = started(tmp_path / "r.html")
    for seller, status in (("Good", "submit"), ("Bad", "hold"), ("Bad", "none"), ("Fair", "hold"), ("Fair", "submit")):
        item = Product(id="1", category=f"of {seller}", images=(), attributes={"seller": seller})
        report.add(item, outcome(status=status, sequence=()), {})
    report.finish({})
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert bars(page, "Seller: where most is to do") == [("Bad", "2"), ("Fair", "1")]
    assert bars(page, "Category: where most is to do") == [("of Bad", "2"), ("of Fair", "1")]


def test_a_catalog_of_one_category_has_no_list_of_categories(rendered: Rendered) -> None:
    assert "where most is to do" not in rendered(outcome(status="hold"), product=product())


def test_the_speed_is_worked_out_from_the_seconds(tmp_path: Path) -> None:
    report = started(tmp_path / "r.html")
    report.add(None, outcome(), {})
    report.finish({"seconds": 4.0, "images": 10})
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<dt>products / s</dt> <dd>0.25</dd>" in page
    assert "<dt>images / s</dt> <dd>2.50</dd>" in page


def test_a_run_without_a_clock_shows_no_speed(rendered: Rendered) -> None:
    assert "products / s" not in rendered(outcome())


def test_products_beyond_the_limit_are_counted_but_not_drawn(tmp_path: Path) -> None:
    report = started(tmp_path / "r.html", max_products=2)
    for _ in range(5):
        report.add(None, outcome(), {})
    report.finish({})
    page = written(tmp_path / "r.html")
    assert (len(page.cards), len(page.rows)) == (2, 2)
    assert "the first 2 of 5 products" in page.text


def test_a_report_within_the_limit_has_no_note(rendered: Rendered) -> None:
    assert "This page shows the first" not in rendered(outcome())


# ── Cards ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_cards_and_rows_are_in_the_order_of_the_catalog(tmp_path: Path) -> None:
    report = started(tmp_path / "r.html")
    for title, status in (("Held Bag", "hold"), ("Good Bag", "submit")):
        report.add(product(title=title), outcome(status=status), {})
    report.finish({})
    page = written(tmp_path / "r.html")
    assert [card["title"] for card in page.cards] == [row["title"] for row in page.rows] == ["Held Bag", "Good Bag"]


def test_an_unreadable_image_has_a_placeholder(rendered: Rendered) -> None:
    states = (ImageOutcome(id="a", state="primary"), ImageOutcome(id="b", state="unreadable"))
    (card,) = Page(rendered(outcome(images=states), product=product(), images={"a": decoded()})).cards
    assert [(one["src"] is None, one["placeholder"]) for one in card["pictures"]][1] == (True, "could not be read")


def test_a_plugin_s_rule_is_explained(tmp_path: Path) -> None:
    rule = Rule(code="SHY101", name="shiny-spot", summary="A highlight hides the product.", category="single-image")
    report = started(tmp_path / "r.html", rules=[rule])
    report.add(None, outcome((Finding(code="SHY101", images=("b",), score=1, message=""),)), {})
    report.finish({})
    told = written(tmp_path / "r.html").data["page-data"]["rules"]["SHY101"]
    assert told["name"] == "Shiny spot"
    assert told["explanation"].startswith("A highlight hides the product.")


@pytest.mark.parametrize("reason", REASON_WORDS)
def test_a_reason_is_told_in_words(rendered: Rendered, reason: str) -> None:
    page = Page(rendered(outcome(status="none", reason=reason, sequence=(), probability=None)))
    assert [card["reason"] for card in page.cards] == [REASON_WORDS[reason]]


def test_a_product_whose_record_was_unreadable_shows_its_id(rendered: Rendered) -> None:
    page = Page(rendered(outcome(product_id="line 7", status="failed", sequence=(), images=(), probability=None)))
    assert [card["title"] for card in page.cards] == ["line 7"]
