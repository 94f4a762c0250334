"""Splits never tear a product apart, and rules are read off a reviewer's words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agpis_sdk.builtin.muisc.text import label_space
from agpis_sdk.datasets.feedback_parser import FeedbackParser
from agpis_sdk.datasets.review_features import code_of
from agpis_sdk.datasets.splits import split_of
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.records import CandidateImage, Product, Review
from agpis_sdk.rules import Rule

IMAGES = (CandidateImage(id="a", uri="a.jpg"),)
PARSER = FeedbackParser(shipped_rules())


@given(st.text(min_size=1), st.text(min_size=1), st.text(alphabet="abc xyz", min_size=1))
def test_products_of_one_title_stand_in_one_split(first: str, second: str, title: str) -> None:
    shouted = Product(id=first, title=f"{title.upper()} !X", images=IMAGES)
    spaced = Product(id=second, title=f"  {title}   x.", images=IMAGES)

    assert split_of(shouted) == split_of(spaced)


def test_shares_are_roughly_kept() -> None:
    splits = [split_of(Product(id=str(number), images=IMAGES)) for number in range(2000)]

    assert 0.17 < splits.count("test") / 2000 < 0.23
    assert 0.08 < splits.count("validation") / 2000 < 0.12


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("There is a watermark on the 2nd image", ("AGP121",)),
        ("AGP103, and low resolution too", ("AGP103", "AGP101")),
        ("duplicate content: first and third", ("AGP201",)),
        ("promotional   text over the picture", ("AGP120",)),
        ("I do not like it", ()),
        ("The colour is wrong: color mismatch", ("AGP204",)),
        ("different colour on the 2nd image", ("AGP204",)),
    ],
)
def test_rules_are_read_off_the_feedback(words: str, codes: tuple[str, ...]) -> None:
    assert PARSER.rules_in(words) == codes


@pytest.mark.parametrize("rule", [rule for rule in shipped_rules() if rule.category != "engine"], ids=lambda r: r.code)
def test_every_rule_is_found_by_its_code_and_its_name(rule) -> None:
    assert PARSER.rules_in(f"{rule.code.lower()}!")[0] == rule.code
    assert PARSER.rules_in(f"problem: {rule.name.replace('-', ' ')}.")[0] == rule.code


def review(decision: str, feedback: str, rules: tuple[str, ...] = ()) -> Review:
    product = Product(id="p", images=IMAGES)
    return Review(product=product, sequence=("a",), decision=decision, feedback=feedback, rules=rules)


def test_the_class_is_the_first_rule_else_other() -> None:
    assert code_of(review("accepted", "watermark, but never mind"), PARSER) == "yes"
    assert code_of(review("rejected", "blurry image and watermark"), PARSER) == "AGP103"
    assert code_of(review("rejected", "ugly"), PARSER) == "other"
    assert code_of(review("rejected", "watermark", ("AGP101",)), PARSER) == "AGP101"


def test_a_plugin_s_rule_is_read_by_its_name_and_its_aliases() -> None:
    sticker = Rule(
        code="ACM101", name="price-sticker", summary="A sticker.", category="single-image", aliases=("yellow label",)
    )
    rules = shipped_rules().copy()
    rules.add(sticker, owner="agpis-acme 1.0 (acme)")

    parser = FeedbackParser(rules)

    assert parser.rules_in("a price sticker, and a watermark") == ("ACM101", "AGP121")
    assert code_of(review("rejected", "Yellow label on the first image"), parser) == "ACM101"
    assert "ACM101" in label_space(rules)
