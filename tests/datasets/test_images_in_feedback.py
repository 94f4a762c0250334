"""The images that a reviewer's words name are read as places in the sequence."""

from __future__ import annotations

import pytest

from agpis_sdk.datasets.feedback_parser import FeedbackParser
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.synthetic.feedback import ABOUT_ONE, ABOUT_TWO, ORDINALS

PARSER = FeedbackParser(shipped_rules())


@pytest.mark.parametrize(
    ("words", "places"),
    [
        ("Watermark on the 2nd image", {1}),
        ("duplicate content: first and third", {0, 2}),
        ("the SECOND photo is too dark", {1}),
        ("blur in the first image, top left: a smear", {0}),
        ("images: first, second.", {0, 1}),
        ("watermark", set()),
        ("yes", set()),
    ],
)
def test_places_are_read_off_the_feedback(words: str, places: set[int]) -> None:
    assert PARSER.images_in(words) == places


def test_a_rule_s_name_is_no_place() -> None:
    assert PARSER.images_in("back view first: the product is turned away") == set()


def test_a_thing_is_no_place() -> None:
    assert PARSER.images_in("inset, third image, corner: second picture set into a corner") == {2}


def test_a_second_of_something_else_is_no_place() -> None:
    assert PARSER.images_in("a second product lies beside it") == set()


@pytest.mark.parametrize("wording", ABOUT_ONE)
def test_every_wording_about_one_image_is_read(wording: str) -> None:
    for place, ordinal in enumerate(ORDINALS):
        assert PARSER.images_in(wording.format(rule="blur", which=ordinal, place="top left", thing="smear")) == {place}


@pytest.mark.parametrize("wording", ABOUT_TWO)
def test_every_wording_about_two_images_is_read(wording: str) -> None:
    words = wording.format(rule="duplicate content", which="first", other="fourth", thing="flipped")

    assert PARSER.images_in(words) == {0, 3}
