"""A card's view: each finding told once, where it belongs, in plain words, and its boxes in one color."""

from __future__ import annotations

from agpis_sdk.plugins import shipped_rules
from agpis_sdk.records import Finding, ImageOutcome, Outcome, Region
from agpis_sdk.report.card import BOX_COLORS, CardView, PictureView, card_view, row_view
from tests.report.conftest import outcome, picture, product

RULES = {rule.code: rule for rule in shipped_rules()}


def view(of: Outcome) -> CardView:
    return card_view(product(), of, {"a": picture(), "b": picture()}, RULES)


def picture_of(card: CardView, image_id: str) -> PictureView:
    return next(one for one in card.pictures if one.id == image_id)


def boxed(code: str, *places: tuple[str, tuple[int, int, int, int]]) -> Finding:
    regions = tuple(Region(image=image, box=box) for image, box in places)
    return Finding(code=code, images=tuple(image for image, _ in places), score=1, message="", regions=regions)


def about(code: str, *images: str) -> Finding:
    return Finding(code=code, images=images, score=1, message="")


# ── Boxes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_boxes_of_a_pair_belong_to_one_finding_of_one_color() -> None:
    card = view(
        outcome((boxed("AGP119", ("b", (0, 0, 9, 9))), boxed("AGP201", ("a", (1, 1, 9, 9)), ("b", (2, 2, 9, 9)))))
    )
    (first,) = picture_of(card, "a").boxes
    banner, matched = picture_of(card, "b").boxes
    assert first.finding == matched.finding
    assert card.findings[banner.finding].color != card.findings[matched.finding].color


def test_colors_come_round_again() -> None:
    card = view(outcome(tuple(boxed("AGP119", ("b", (0, 0, 9, 9))) for _ in range(BOX_COLORS + 1))))
    assert card.findings[0].color == card.findings[-1].color


def test_a_finding_without_boxes_has_no_color() -> None:
    assert view(outcome((about("AGP103", "b"),))).findings[0].color is None


def test_a_box_is_cut_at_the_picture_s_edge() -> None:
    (box,) = picture_of(view(outcome((boxed("AGP119", ("b", (-10, 200, 50, 500))),))), "b").boxes
    assert (box.x, box.y, box.width, box.height) == (0, 200, 40, 100)


def test_a_box_outside_the_picture_is_left_out() -> None:
    assert picture_of(view(outcome((boxed("AGP119", ("b", (4000, 0, 9, 9))),))), "b").boxes == ()


# ── Where a finding is told ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_finding_on_one_image_is_told_under_its_picture() -> None:
    card = view(outcome((about("AGP121", "b"),)))
    assert picture_of(card, "b").findings == (0,)
    assert picture_of(card, "a").findings == ()
    assert card.whole == card.folded == ()


def test_a_pair_that_cost_an_image_is_told_between_the_two() -> None:
    card = view(outcome((about("AGP201", "b", "a"),)))
    assert [(pair.images, pair.findings) for pair in card.pairs] == [(("a", "b"), (0,))]


def test_an_image_that_a_pair_explains_alone_is_shown_only_there() -> None:
    assert view(outcome((about("AGP201", "a", "b"),))).lost == ()


def test_an_image_that_a_pair_and_its_own_finding_explain_is_shown_in_both_places() -> None:
    assert view(outcome((about("AGP201", "a", "b"), about("AGP121", "b")))).lost == ("b",)


def test_two_findings_on_one_pair_share_a_line() -> None:
    card = view(outcome((about("AGP203", "a", "b"), about("AGP208", "a", "b")), sequence=("a", "b")))
    assert [pair.findings for pair in card.pairs] == [(0, 1)]


def test_a_variant_that_was_not_chosen_is_folded_away() -> None:
    images = (ImageOutcome(id="a", state="primary"), ImageOutcome(id="b", state="kept"))
    card = view(outcome((about("AGP208", "a", "b"),), images=images))
    assert card.folded == (0,)
    assert card.pairs == ()


def test_a_variant_among_the_chosen_is_told() -> None:
    card = view(outcome((about("AGP208", "b", "a"),), sequence=("a", "b")))
    assert card.pairs[0].images == ("a", "b")
    assert card.folded == ()


def test_a_finding_on_the_sequence_is_about_the_product() -> None:
    assert view(outcome((about("AGP302", "a", "b", "c"),))).whole == (0,)


def test_a_finding_on_no_image_is_about_the_product() -> None:
    assert view(outcome((about("AGP902"),))).whole == (0,)


def test_every_finding_has_exactly_one_place() -> None:
    findings = (
        about("AGP121", "b"),
        about("AGP201", "a", "b"),
        about("AGP208", "a", "b"),
        about("AGP302", "a", "b", "c"),
    )
    card = view(outcome((*findings, about("AGP902"), about("AGP103", "elsewhere"))))
    under = [number for one in card.pictures for number in one.findings]
    between = [number for pair in card.pairs for number in pair.findings]
    assert sorted([*under, *between, *card.whole, *card.folded]) == list(range(6))


# ── Images ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_usable_image_that_was_not_chosen_is_unused() -> None:
    card = view(outcome(images=(ImageOutcome(id="a", state="primary"), ImageOutcome(id="b", state="kept"))))
    assert (card.unused, card.lost) == (("b",), ())


def test_the_sequence_keeps_its_order_and_the_pictures_that_of_the_list() -> None:
    card = view(outcome(sequence=("b", "a")))
    assert card.sequence == ("b", "a")
    assert [one.id for one in card.pictures] == ["a", "b"]


def test_an_image_that_only_the_sequence_names_is_shown() -> None:
    card = view(outcome(images=(), sequence=("a", "x")))
    assert [one.id for one in card.pictures] == ["a", "x"]


def test_a_picture_says_where_its_file_is_so_that_reviews_can_name_it() -> None:
    uris = [
        picture_of(view(outcome(images=(ImageOutcome(id="a", state="primary", uri=uri),))), "a").uri
        for uri in ("https://shop.example/a.jpg", "images/a.jpg", f"data:image/png,{'x' * 2000}", None)
    ]
    assert uris == ["https://shop.example/a.jpg", "images/a.jpg", "", ""]


# ── Words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_outcome_without_a_reason_says_so() -> None:
    assert view(outcome(status="failed", reason=None, sequence=())).reason == "The run does not say why."


def test_an_image_s_numbers_are_plain_words() -> None:
    image = ImageOutcome(
        id="a",
        state="selected",
        p_primary=0.2,
        p_noncompliant=0.02,
        view="back",
        p_view=0.72,
        primary_reasons=("it is small",),
    )
    assert picture_of(view(outcome(images=(image,))), "a").facts == (
        "looks acceptable: 98%",
        "shows the back: 72%",
        "good as the first image: 20%",
        "not first, because it is small",
    )


def test_nothing_speaks_against_the_first_image() -> None:
    image = ImageOutcome(id="a", state="primary", p_primary=0.9, primary_reasons=("it is small",))
    assert picture_of(view(outcome(images=(image,))), "a").facts == ("good as the first image: 90%",)


def test_an_objection_is_never_told_against_the_decision() -> None:
    objection = "the first image is cut"
    assert view(outcome(status="submit", feedback="yes")).feedback == ""
    assert view(outcome(status="submit", feedback=objection)).feedback == f"If a reviewer objects: {objection}"
    assert view(outcome(status="hold", feedback=objection)).feedback == f"A reviewer would say: {objection}"
    assert view(outcome(status="hold", feedback="yes")).feedback == ""


def test_a_remedy_is_told_with_its_finding() -> None:
    finding = about("AGP111", "b").model_copy(update={"remedy": "Crop the border away."})
    assert view(outcome((finding,))).findings[0].remedy == "Crop the border away."


def test_a_row_names_the_groups_that_its_attributes_carry() -> None:
    sold = product().model_copy(update={"attributes": {"Vendor": "Acme", "brand": "Peak"}})
    assert row_view(sold, outcome()).groups == {"category": "Bags", "seller": "Acme", "brand": "Peak"}
