"""The checker keeps the kit's contracts, its rules have pages, and a run reports what they say."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import cv2
import pytest
from agpis_text import plugin
from agpis_text.checker import TextChecker
from agpis_text.config import TextConfig
from agpis_text.lines import TextLine
from agpis_text.rules import RULES

from agpis_sdk import DecodedImage, Rule
from agpis_sdk.plugins import PluginHost
from agpis_sdk.rules import PAGE_HEADINGS
from agpis_sdk.testing import ImageCheckerContract, RuleCase, check, isolated_host, make_image, rule_cases

KINDS = ("text", "banner", "price", "plain", "blur", "watermark", "tiny", "wide", "collage")


class TestTextContract(ImageCheckerContract):
    plugins = (plugin,)
    component = "text"

    def images(self) -> list[DecodedImage]:
        return [
            make_image(fault, product_id=product_id, position=position, seed=seed)
            for seed, product_id in enumerate(("P1", "P2"))
            for position, fault in enumerate(KINDS)
        ]


def line(text: str, y: float = 10) -> TextLine:
    return TextLine(text, 1.0, ((10, y), (90, y), (90, y + 20), (10, y + 20)))


def judged(*lines: TextLine, score: float, title: str = "") -> dict[str, float]:
    checker = TextChecker(TextConfig())
    return {one.rule.code: one.score for one in checker.judged(lines, dict.fromkeys(lines, score), title)}


class TestJudgment:
    def test_what_only_sellers_say_needs_little_to_be_reported(self) -> None:
        assert judged(line("FREE SHIPPING"), score=0.15)["TXT101"] > 0.5

    def test_what_packaging_says_as_well_needs_more(self) -> None:
        assert judged(line("NEW"), score=0.15)["TXT101"] < 0.5 < judged(line("NEW"), score=0.5)["TXT101"]

    def test_an_address_on_the_product_is_weaker_evidence_than_one_beside_it(self) -> None:
        on_it, beside = (judged(line("www.quivo.com"), score=score)["TXT103"] for score in (0.1, 0.9))

        assert on_it < 0.5 < beside

    def test_other_text_must_look_drawn_all_the_clearer(self) -> None:
        assert judged(line("Waterproof"), score=0.6)["TXT106"] < 0.5 < judged(line("Waterproof"), score=0.95)["TXT106"]

    def test_the_products_own_name_is_taken_for_its_label(self) -> None:
        named = judged(line("alpro"), score=0.95, title="Alpro Soy Milk")["TXT106"]

        assert named < 0.5 < judged(line("alpro"), score=0.95)["TXT106"]

    def test_other_text_that_stands_on_the_product_is_taken_for_print(self) -> None:
        words = line("12% fett")
        checker = TextChecker(TextConfig())

        anywhere, printed = (
            next(checker.judged([words], {words: 0.9}, on_product=known)).score for known in ((), (words,))
        )

        assert printed < 0.5 < anywhere

    def test_what_only_sellers_say_counts_on_the_product_as_well(self) -> None:
        words = line("FREE SHIPPING")
        checker = TextChecker(TextConfig())

        anywhere, on_it = (
            next(checker.judged([words], {words: 0.5}, on_product=known)).score for known in ((), (words,))
        )

        assert on_it == anywhere

    def test_two_lines_may_say_it_together(self) -> None:
        together = judged(line("FREE", 10), line("SHIPPING", 34), score=0.5)

        assert set(together) == {"TXT101"}

    def test_a_single_sign_is_no_text(self) -> None:
        assert judged(line("A"), score=0.99) == {}


class TestFindings:
    def test_a_finding_quotes_what_was_read_and_says_where(self) -> None:
        result = check("promotional-wording", make_image("banner"), plugins=[plugin])

        (finding,) = result.findings
        assert finding.message == 'promotional text in the picture: "SUMMER SALE"'
        (region,) = finding.regions
        x, y, wide, high = region.box
        assert x < 40
        assert y > 480 * 0.8
        assert wide > 200
        assert y + high <= 480

    def test_boxes_are_pixels_of_the_original(self) -> None:
        (finding,) = check("promotional-wording", make_image("banner", size=(1440, 1440)), plugins=[plugin]).findings

        x, y, wide, high = finding.regions[0].box
        assert y > 1440 * 0.8
        assert wide > 600
        assert y + high <= 1440
        assert x < 120


@rule_cases(Path(__file__).with_name("cases.yml"), plugins=[plugin])
def test_a_case_is_judged_as_expected(case: RuleCase) -> None:
    case.verify()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_explains_itself_under_the_usual_headings(rule: Rule) -> None:
    assert all(f"## {heading}" in rule.page() for heading in PAGE_HEADINGS)


def test_the_host_knows_its_components_and_rules() -> None:
    (status,) = [one for one in isolated_host(plugin).statuses if "agpis_text" in one.name]

    assert status.state == "active"
    assert status.components == ("text", "text-reader")
    assert {code[:3] for code in status.codes} == {"TXT"}


def test_it_is_found_by_its_entry_point() -> None:
    (status,) = [one for one in PluginHost.load().statuses if one.distribution == "agpis-text"]

    assert (status.state, status.name) == ("active", "text")


def test_the_contrib_modules_of_opencv_are_still_there() -> None:
    """rapidocr asks for a package whose files overwrite them; see the README."""
    assert hasattr(cv2, "ximgproc"), importlib.metadata.version("opencv-contrib-python-headless")
