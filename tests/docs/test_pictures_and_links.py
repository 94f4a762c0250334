"""A product about pictures shows pictures, and no page leads nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from agpis_sdk.plugins import shipped_rules
from agpis_sdk.rules import Rule

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)|<img[^>]* src=\"([^\"]+)\"")
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
MOST_BYTES_OF_A_RULE = 15_000
MOST_BYTES = 3_000_000


def links(page: Path) -> list[str]:
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    return [markdown or html for markdown, html in LINK.findall(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    inside = [link.partition("#")[0] for link in links(page) if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in inside if not (page.parent / link).exists()] == []


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", DOCS / "index.md", DOCS / "how-to" / "report.md"], ids=lambda page: page.name
)
def test_the_first_pages_show_what_it_does(page: Path) -> None:
    pictures = PICTURE.findall(page.read_text(encoding="utf-8"))
    assert any(target.endswith(".webp") for _, target in pictures)
    assert all(len(words) > 20 for words, _ in pictures)


@pytest.mark.parametrize("rule", shipped_rules(), ids=lambda rule: rule.code)
def test_every_rule_page_shows_what_breaks_the_rule_and_what_keeps_it(rule: Rule) -> None:
    page = (DOCS / "reference" / "rules" / f"{rule.code}.md").read_text(encoding="utf-8")
    picture = DOCS / "assets" / "rules" / f"{rule.code}.webp"
    assert f"(../../assets/rules/{rule.code}.webp)" in page
    assert picture.stat().st_size <= MOST_BYTES_OF_A_RULE
    with Image.open(picture) as image:
        assert image.width > image.height


def test_no_picture_is_of_a_rule_that_is_gone() -> None:
    assert {path.stem for path in (DOCS / "assets" / "rules").iterdir()} == {rule.code for rule in shipped_rules()}


def test_all_pictures_together_are_small() -> None:
    assert sum(path.stat().st_size for path in (DOCS / "assets").rglob("*") if path.is_file()) <= MOST_BYTES
