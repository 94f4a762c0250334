"""A card's view: each finding told once, where it explains most, and its boxes in one color."""

from __future__ import annotations

from agpis_sdk.plugins import shipped_rules
from agpis_sdk.records import Finding, ImageOutcome, Outcome, Region
from agpis_sdk.report.card import BOX_COLORS, CardView, card_view
from tests.report.conftest import outcome, picture, product

RULES = {rule.code: rule for rule in shipped_rules()}


def view(of: Outcome) -> CardView:
    return card_view(1, product(), of, {"a": picture(), "b": picture()}, RULES)


def boxed(code: str, *places: tuple[str, tuple[int, int, int, int]]) -> Finding:
    regions = tuple(Region(image=image, box=box) for image, box in places)
    return Finding(code=code, images=tuple(image for image, _ in places), score=1, message="", regions=regions)


def test_both_boxes_of_a_pair_have_one_color() -> None:
    card = view(
        outcome((boxed("AGP119", ("b", (0, 0, 9, 9))), boxed("AGP201", ("a", (1, 1, 9, 9)), ("b", (2, 2, 9, 9)))))
    )
    (first,) = card.sequence[0].boxes
    banner, matched = card.groups[0].rows[0].boxes
    assert first.color == matched.color
    assert banner.color != matched.color


def test_colors_come_round_again() -> None:
    card = view(outcome(tuple(boxed("AGP119", ("b", (0, 0, 9, 9))) for _ in range(BOX_COLORS + 1))))
    boxes = card.groups[0].rows[0].boxes
    assert boxes[0].color == boxes[-1].color


def test_a_box_is_cut_at_the_picture_s_edge() -> None:
    card = view(outcome((boxed("AGP119", ("b", (-10, 200, 50, 500))),)))
    (box,) = card.groups[0].rows[0].boxes
    assert (box.x, box.y, box.width, box.height) == (0, 200, 40, 100)


def test_a_box_outside_the_picture_is_left_out() -> None:
    assert view(outcome((boxed("AGP119", ("b", (4000, 0, 9, 9))),))).groups[0].rows[0].boxes == ()


def test_a_pair_s_finding_is_told_beside_the_image_that_it_cost() -> None:
    card = view(outcome((boxed("AGP201", ("a", (0, 0, 9, 9)), ("b", (0, 0, 9, 9))),)))
    assert [finding.code for finding in card.groups[0].rows[0].findings] == ["AGP201"]
    assert card.findings == ()


def test_a_finding_on_the_sequence_is_told_below_it() -> None:
    card = view(outcome((Finding(code="AGP302", images=("a",), score=1, message="order"),)))
    assert [finding.code for finding in card.findings] == ["AGP302"]


def test_a_finding_on_no_image_is_told_below_the_sequence() -> None:
    card = view(outcome((Finding(code="AGP902", images=(), score=1, message="the scorer failed"),)))
    assert [finding.message for finding in card.findings] == ["the scorer failed"]


def test_a_kept_image_without_findings_is_a_tile() -> None:
    card = view(outcome(images=(ImageOutcome(id="a", state="primary"), ImageOutcome(id="b", state="kept"))))
    assert [image.id for image in card.groups[0].tiles] == ["b"]


def test_the_sequence_keeps_its_order() -> None:
    assert [image.id for image in view(outcome(sequence=("b", "a"))).sequence] == ["b", "a"]


def test_an_image_that_only_the_sequence_names_is_shown() -> None:
    assert [image.id for image in view(outcome(images=(), sequence=("a", "x"))).sequence] == ["a", "x"]


def test_an_outcome_without_a_reason_says_so() -> None:
    card = view(outcome(status="failed", reason=None, sequence=()))
    assert card.reason == "The run does not say why."


def test_what_speaks_against_an_image_is_told_of_those_that_are_not_first() -> None:
    small = ("the product is small in the picture",)
    images = (
        ImageOutcome(id="a", state="primary", p_primary=0.9, primary_reasons=small),
        ImageOutcome(id="b", state="kept", p_primary=0.2, primary_reasons=small),
    )
    card = view(outcome(()).model_copy(update={"images": images, "sequence": ("a",)}))
    assert card.sequence[0].facts == "first image 90%"
    assert card.groups[0].tiles[0].facts == "first image 20% · not first: the product is small in the picture"


def test_what_an_image_shows_is_written_with_how_probable_it_is() -> None:
    images = (ImageOutcome(id="a", state="primary", p_primary=0.9, view="back", p_view=0.72),)
    card = view(outcome(()).model_copy(update={"images": images, "sequence": ("a",)}))
    assert card.sequence[0].facts == "first image 90% · shows back 72%"
