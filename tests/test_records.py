"""What crosses every border (agpis_sdk/records.py, DESIGN section 5)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agpis_sdk.records import CandidateImage, Finding, ImageOutcome, Outcome, Product, Region, Review, image_id_from_uri

PRODUCT = {"id": "MH01", "images": ["front.jpg", "back.jpg"]}


def ids(images: list[object]) -> list[str]:
    return [image.id for image in Product.model_validate({"id": "P", "images": images}).images]


class TestAnImageGivenAsAString:
    def test_has_the_stem_of_its_file_as_its_id(self) -> None:
        assert ids(["photos/mh01-gray_main.jpg", "https://shop.example/a/b.webp?width=800"]) == ["mh01-gray_main", "b"]

    def test_keeps_its_uri(self) -> None:
        product = Product.model_validate({"id": "P", "images": ["photos/a.jpg"]})

        assert product.images == (CandidateImage(id="a", uri="photos/a.jpg"),)

    def test_is_made_unique_by_its_position(self) -> None:
        assert ids(["red/a.jpg", "blue/a.jpg", "green/a.jpg"]) == ["a", "a-2", "a-3"]

    def test_gives_way_to_an_id_that_the_shop_has_chosen_itself(self) -> None:
        assert ids(["a.jpg", {"id": "a", "uri": "other.jpg"}]) == ["a-1", "a"]

    def test_stays_unique_when_the_made_up_id_is_taken_too(self) -> None:
        assert len(set(ids(["a.jpg", "a-3.jpg", "a.jpg"]))) == 3

    def test_without_a_stem_is_named_by_its_position(self) -> None:
        assert ids(["https://shop.example/"]) == ["image-1"]

    @pytest.mark.parametrize("uri", ["C:\\photos\\a.jpg", "a.jpg", "/x/a.jpg", "s3://bucket/x/a.jpg"])
    def test_may_name_a_file_anywhere(self, uri: str) -> None:
        assert image_id_from_uri(uri) == "a"


@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=8))
def test_images_given_as_strings_always_have_different_ids(uris: list[str]) -> None:
    assert len(set(ids([*uris]))) == len(uris)


def test_two_images_of_one_id_are_refused() -> None:
    images = [{"id": "a", "uri": "1.jpg"}, {"id": "a", "uri": "2.jpg"}]

    with pytest.raises(ValidationError, match='image id "a" stands twice'):
        Product.model_validate({"id": "P", "images": images})


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (Finding, {"code": "AGP101", "images": ["a"], "score": 1, "message": "", "box": []}),
        (Outcome, {"product_id": "P", "status": "submit", "note": ""}),
    ],
)
def test_an_unknown_field_is_refused(model: Any, data: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        model.model_validate(data)


def test_records_are_frozen() -> None:
    product = Product.model_validate(PRODUCT)

    with pytest.raises(ValidationError, match="frozen"):
        product.title = "another"  # type: ignore[misc]


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_score_outside_0_to_1_is_refused(score: float) -> None:
    with pytest.raises(ValidationError):
        Finding(code="AGP101", images=("a",), score=score, message="")


def test_a_product_survives_json() -> None:
    product = Product.model_validate({**PRODUCT, "title": "Hoodie", "attributes": {"size": ["S", "M"], "price": 9.5}})

    assert Product.model_validate_json(product.model_dump_json()) == product


def test_an_outcome_survives_json_in_the_documented_form() -> None:
    outcome = Outcome(
        product_id="MH01",
        status="submit",
        sequence=("front", "back"),
        probability=0.83,
        feedback="yes",
        images=(
            ImageOutcome(id="front", state="primary", uri="/shop/front.jpg", p_primary=0.9, view="front", p_view=0.7),
        ),
        findings=(
            Finding(
                code="AGP201",
                name="duplicate-content",
                images=("front", "back"),
                score=0.97,
                message="…",
                regions=(Region(image="back", box=(1, 2, 3, 4)),),
                checker="duplicates",
            ),
        ),
    )

    written = json.loads(outcome.model_dump_json())

    assert written["findings"][0]["regions"] == [{"image": "back", "box": [1, 2, 3, 4]}]
    assert written["images"][0] == {
        "id": "front",
        "state": "primary",
        "uri": "/shop/front.jpg",
        "p_primary": 0.9,
        "p_noncompliant": None,
        "primary_reasons": [],
        "view": "front",
        "p_view": 0.7,
    }
    assert written["reason"] is None
    assert Outcome.model_validate(written) == outcome


class TestAnInputRecordIsReadAsShopsExportIt:
    def test_a_null_field_is_a_missing_one(self) -> None:
        fields = {"title": None, "category": None, "description": None, "attributes": None, "color": None}

        assert Product.model_validate({**PRODUCT, **fields}) == Product.model_validate(PRODUCT)

    def test_a_null_inside_the_attributes_stays(self) -> None:
        assert Product.model_validate({**PRODUCT, "attributes": {"size": None}}).attributes == {"size": None}

    def test_a_field_that_the_format_does_not_know_is_kept_in_the_attributes(self) -> None:
        product = Product.model_validate({**PRODUCT, "color": "red", "attributes": {"size": "M"}})

        assert product.attributes == {"size": "M", "color": "red"}

    def test_one_of_a_name_that_the_attributes_hold_already_is_kept_beside_it(self) -> None:
        product = Product.model_validate({**PRODUCT, "color": "red", "attributes": {"color": "blue"}})

        assert product.attributes == {"color": "blue", "top_level.color": "red"}

    def test_one_of_an_image_is_kept_with_the_image(self) -> None:
        product = Product.model_validate({"id": "P", "images": [{"id": "a", "uri": "a.jpg", "alt": "front"}]})

        assert product.images[0].attributes == {"alt": "front"}

    @pytest.mark.parametrize("entry", [None, "", "  ", 3, ["a.jpg"], {}, {"uri": None}, {"uri": ""}, {"uri": 3}])
    def test_an_entry_that_names_no_file_keeps_its_place_with_an_empty_uri(self, entry: object) -> None:
        product = Product.model_validate({"id": "P", "images": ["a.jpg", entry, "b.jpg"]})

        assert [(image.id, image.uri) for image in product.images] == [("a", "a.jpg"), ("image-2", ""), ("b", "b.jpg")]

    @pytest.mark.parametrize("image", [{"uri": "a.jpg"}, {"id": None, "uri": "a.jpg"}, {"id": "", "uri": "a.jpg"}])
    def test_an_image_without_an_id_is_named_by_its_file(self, image: dict[str, Any]) -> None:
        assert ids([image]) == ["a"]

    @pytest.mark.parametrize("uri", ["data:image/png;base64,AAAA/AAAA", "http://[broken"])
    def test_a_uri_without_a_file_name_names_no_image(self, uri: str) -> None:
        assert ids([uri]) == ["image-1"]


def test_an_image_that_is_one_already_is_taken_as_it_is() -> None:
    image = CandidateImage(id="a", uri="a.jpg")

    assert Product(id="P", images=(image,)).images[0] is image


class TestHalfOfASurrogatePair:
    def test_becomes_the_replacement_character_wherever_it_is(self) -> None:
        record = {"id": "A \ud83d", "title": "\ude00", "images": ["a\ud83d.jpg"], "attributes": {"\ud83d": ["\ud83d"]}}

        product = Product.model_validate(record)

        assert Product.model_validate_json(product.model_dump_json()) == product
        assert (product.id, product.attributes) == ("A \ufffd", {"\ufffd": ["\ufffd"]})

    def test_of_which_both_halves_stand_together_becomes_the_character(self) -> None:
        assert Product.model_validate({**PRODUCT, "title": "\ud83d\ude00"}).title == "😀"

    def test_in_what_a_plugin_finds_can_be_written_too(self) -> None:
        finding = Finding(code="AGP101", images=("a",), score=1, message="cut \ud83d")

        assert json.loads(finding.model_dump_json())["message"] == "cut \ufffd"


class TestAReview:
    def test_needs_only_product_sequence_and_decision(self) -> None:
        review = Review.model_validate({"product": PRODUCT, "sequence": ["front"], "decision": "accepted"})

        assert (review.feedback, review.rules) == ("", ())

    def test_whose_sequence_names_an_unknown_image_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="images that the product does not list: side, top"):
            Review.model_validate({"product": PRODUCT, "sequence": ["front", "side", "top"], "decision": "rejected"})

    def test_without_a_sequence_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="at least 1 item"):
            Review.model_validate({"product": PRODUCT, "sequence": [], "decision": "rejected"})

    def test_with_another_decision_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="'accepted' or 'rejected'"):
            Review.model_validate({"product": PRODUCT, "sequence": ["front"], "decision": "maybe"})


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"id": "P" * 1001, "images": ["a.jpg"]}, ("id",)),
        ({"id": "P1", "images": [{"id": "x" * 1001, "uri": "a.jpg"}]}, ("images", 0, "id")),
    ],
)
def test_an_endless_id_is_refused(data: dict[str, Any], place: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as caught:
        Product.model_validate(data)

    assert caught.value.errors()[0]["loc"] == place
    assert "at most 1000 characters" in caught.value.errors()[0]["msg"]


def test_an_id_that_an_endless_file_name_gives_is_cut_and_stays_unique() -> None:
    product = Product.model_validate({"id": "P1", "images": [f"{'x' * 5000}.jpg", f"{'x' * 5000}.png"]})

    assert [len(image.id) for image in product.images] == [990, 992]
