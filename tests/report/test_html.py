"""The report is one whole, safe HTML file that says what became of every product."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest

from agpis_sdk.records import Finding, ImageOutcome, Region, Status
from agpis_sdk.report.phrases import REASON_WORDS
from agpis_sdk.rules import Rule
from tests.report.conftest import Rendered, decoded, outcome, product, started

VOID = {"meta", "img", "input", "br", "rect"}


class Tags(HTMLParser):
    """Collects start tags and checks that every tag is closed by its own end tag."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.seen if name == tag]


def count_of(page: str, status: str) -> int:
    found = re.search(rf'data-tab="{status}">[^<]*<span>([\d,]+)</span>', page)
    assert found is not None
    return int(found[1].replace(",", ""))


# ── Untrusted text ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_script_in_a_title_is_escaped(rendered: Rendered) -> None:
    page = rendered(outcome(), product=product(title="<script>alert(1)</script>"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize("field", ["category", "product_id", "feedback", "message", "reason", "image id"])
def test_markup_and_quotes_in_any_text_stay_text(rendered: Rendered, field: str) -> None:
    evil = '"><img src=x onerror=alert(1)>'
    image = evil if field == "image id" else "b"
    message = evil if field == "message" else "text"
    item = product(images=("a", image)).model_copy(update={"category": evil if field == "category" else ""})
    told = outcome(
        (Finding(code="AGP103", images=(image,), score=1, message=message),),
        product_id=evil if field == "product_id" else "P1",
        feedback=evil if field == "feedback" else None,
        reason=evil if field == "reason" else None,
        images=(ImageOutcome(id="a", state="primary"), ImageOutcome(id=image, state="removed")),
    )
    page = rendered(told, product=item, images={"a": decoded(), image: decoded()})
    assert not [tag for tag in Tags(page).all("img") if "onerror" in tag]
    assert "&gt;&lt;img src=x onerror=alert(1)&gt;" in page


def test_a_title_that_looks_like_a_place_for_cards_moves_nothing(rendered: Rendered) -> None:
    page = rendered(outcome(), product=product(title="<!--cards:hold-->"))
    assert page.count('<article class="card"') == 1


def test_half_a_surrogate_pair_does_not_break_the_file(tmp_path: Path) -> None:
    report = started(tmp_path / "r.html", title="broken \ud800 title")
    report.finish({})
    assert "broken ? title" in (tmp_path / "r.html").read_text(encoding="utf-8")


# ── The file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_file_is_complete_html(rendered: Rendered) -> None:
    findings = tuple(Finding(code="AGP103", images=(image,), score=0.9, message="blurred") for image in ("a", "b"))
    page = rendered(outcome(findings), product=product(), images={"a": decoded(), "b": decoded()})
    assert page.startswith("<!DOCTYPE html>")
    assert page.rstrip().endswith("</html>")
    assert Tags(page).open == []


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
    page = rendered(outcome(), product=product(), images={"a": decoded()})
    tags = Tags(page)
    sources = [value for _, attributes in tags.seen for name, value in attributes.items() if name in ("src", "href")]
    assert all(value is not None and value.startswith(("data:image/jpeg", "#")) for value in sources)
    assert "url(" not in page
    assert "@import" not in page


def test_no_script_but_the_report_s_own_may_run(rendered: Rendered) -> None:
    policy = next(tag for tag in Tags(rendered(outcome())).all("meta") if "http-equiv" in tag)["content"]
    assert policy is not None
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[\w+/=]+';", policy)


# ── The head ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_head_counts_products_by_status(tmp_path: Path) -> None:
    report = started(tmp_path / "r.html")
    expected: dict[Status, int] = {"submit": 3, "hold": 2, "none": 1, "failed": 0}
    for status, times in expected.items():
        for _ in range(times):
            report.add(None, outcome(status=status, sequence=()), {})
    report.finish({})
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert {status: count_of(page, status) for status in get_args(Status)} == expected


def test_the_head_names_the_most_frequent_rule_first(tmp_path: Path) -> None:
    report = started(tmp_path / "r.html")
    for codes in (("AGP103",), ("AGP121", "AGP103"), ("AGP121",), ("AGP121", "AGP121")):
        report.add(None, outcome(tuple(Finding(code=c, images=("b",), score=1, message="") for c in codes)), {})
    report.finish({})
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert re.findall(r'data-rule="(\w+)"', page) == ["AGP121", "AGP103"]


def test_the_speed_is_worked_out_from_the_seconds(tmp_path: Path) -> None:
    report = started(tmp_path / "r.html")
    report.add(None, outcome(), {})
    report.finish({"seconds": 4.0, "images": 10})
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<dd>0.25</dd><dt>products / s</dt>" in page
    assert "<dd>2.50</dd><dt>images / s</dt>" in page


def test_a_run_without_a_clock_shows_no_speed(rendered: Rendered) -> None:
    assert "products / s" not in rendered(outcome())


def test_products_beyond_the_limit_are_counted_but_not_drawn(tmp_path: Path) -> None:
    report = started(tmp_path / "r.html", max_products=2)
    for _ in range(5):
        report.add(None, outcome(), {})
    report.finish({})
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert page.count('<article class="card"') == 2
    assert count_of(page, "submit") == 5
    assert "the first 2 of 5 products" in page


def test_a_report_within_the_limit_has_no_note(rendered: Rendered) -> None:
    assert "This page shows the first" not in rendered(outcome())


def test_a_card_stands_in_the_gallery_of_its_status(tmp_path: Path) -> None:
    report = started(tmp_path / "r.html")
    report.add(product(title="Held Bag"), outcome(status="hold"), {})
    report.add(product(title="Good Bag"), outcome(status="submit"), {})
    report.finish({})
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    hold = page.index('<section class="gallery" id="hold">')
    assert page.index(">Good Bag<") < hold < page.index(">Held Bag<")


# ── A card ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_box_is_drawn_at_its_relative_place(rendered: Rendered) -> None:
    region = Region(image="b", box=(1000, 300, 500, 600))
    finding = Finding(code="AGP119", images=("b",), score=1, message="", regions=(region,))
    page = rendered(outcome((finding,)), product=product(), images={"b": decoded(2000, 1200)})
    canvas = re.search(r'<svg viewBox="0 0 (\d+) (\d+)" preserveAspectRatio="none"', page)
    box = re.search(r'class="box" x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"', page)
    assert canvas is not None
    assert box is not None
    width, height = map(int, canvas.groups())
    x, y, w, h = map(int, box.groups())
    assert (x / width, y / height, w / width, h / height) == (0.5, 0.25, 0.25, 0.5)


def test_an_unreadable_image_has_a_placeholder(rendered: Rendered) -> None:
    states = (ImageOutcome(id="a", state="primary"), ImageOutcome(id="b", state="unreadable"))
    page = rendered(outcome(images=states), product=product(), images={"a": decoded()})
    assert '<div class="placeholder">could not be read</div>' in page


def test_the_primary_image_is_marked(rendered: Rendered) -> None:
    page = rendered(outcome(sequence=("a", "b")), product=product())
    assert page.count('<span class="mark">Primary</span>') == 1


def test_a_removed_image_says_why(rendered: Rendered) -> None:
    finding = Finding(code="AGP121", name="watermark", images=("b",), score=0.9, message="A watermark at the left.")
    page = rendered(outcome((finding,)), product=product())
    assert "A watermark at the left." in page
    assert "<b>Watermark</b> <code>AGP121</code>" in page
    assert "A watermark lies over the picture. The image is removed." in page


def test_a_plugin_s_rule_is_explained(tmp_path: Path) -> None:
    rule = Rule(code="SHY101", name="shiny-spot", summary="A highlight hides the product.", category="single-image")
    report = started(tmp_path / "r.html", rules=[rule])
    report.add(None, outcome((Finding(code="SHY101", images=("b",), score=1, message=""),)), {})
    report.finish({})
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<b>Shiny spot</b>" in page
    assert "A highlight hides the product." in page


@pytest.mark.parametrize("reason", REASON_WORDS)
def test_a_reason_is_told_in_words(rendered: Rendered, reason: str) -> None:
    page = rendered(outcome(status="none", reason=reason, sequence=(), probability=None))
    assert REASON_WORDS[reason].replace("'", "&#39;") in page


def test_a_product_whose_record_was_unreadable_shows_its_id(rendered: Rendered) -> None:
    page = rendered(outcome(product_id="line 7", status="failed", sequence=(), images=(), probability=None))
    assert '<h3 dir="auto">line 7</h3>' in page
