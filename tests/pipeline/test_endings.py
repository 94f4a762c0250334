"""How a product ends: submitted, held, or with a reason (paper Figure 2)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from agpis_sdk.components import Context, DecodedImage
from agpis_sdk.records import Finding
from tests.pipeline.fakes import TWIN, Stand, always, codes, flag, product, seeing, states, twins


def test_a_product_whose_sequence_the_scorer_likes_is_submitted(gallery: Path) -> None:
    outcome = Stand().scorer(always(0.8)).run_one(product(gallery, "abc"))

    assert outcome.status == "submit"
    assert outcome.sequence == ("a", "b", "c")
    assert outcome.probability == 0.8
    assert outcome.reason is None
    assert states(outcome) == {"a": "primary", "b": "selected", "c": "selected"}


@pytest.mark.parametrize(
    ("probability", "status"), [(0.3, "submit"), (0.2999, "hold"), (0.29996, "submit"), (0.0, "hold")]
)
def test_from_the_threshold_on_a_sequence_is_submitted_and_below_it_held(
    gallery: Path, probability: float, status: str
) -> None:
    # What is compared is what is printed: four digits.
    outcome = Stand().scorer(always(probability)).run_one(product(gallery), {"sequence.threshold": 0.3})

    assert outcome.status == status


def test_without_a_scorer_every_sequence_is_submitted_and_there_is_no_probability(gallery: Path) -> None:
    outcome = Stand().run_one(product(gallery), {"sequence.scorer": "none"})

    assert outcome.status == "submit"
    assert outcome.probability is None
    assert outcome.sequence == ("a", "b", "c")


def test_the_product_ends_when_no_image_is_primary_enough(gallery: Path) -> None:
    stand = Stand().selector(lambda images, context: [0.1 + image.position / 100 for image in images])

    outcome = stand.run_one(product(gallery, "abc"), {"primary.threshold": 0.2})

    assert (outcome.status, outcome.reason) == ("none", "no-primary")
    assert outcome.detail == 'best is "c" with p_primary 0.12 < 0.2'
    assert outcome.sequence == ()
    assert outcome.probability is None


def test_an_image_exactly_at_the_primary_threshold_is_primary(gallery: Path) -> None:
    stand = Stand().selector(lambda images, context: [0.2 if image.id == "b" else 0.0 for image in images])

    assert stand.run_one(product(gallery), {"primary.threshold": 0.2}).sequence[0] == "b"


def test_of_equal_scores_the_image_listed_first_is_primary(gallery: Path) -> None:
    stand = Stand().selector(lambda images, context: [0.5 for _ in images])

    assert stand.run_one(product(gallery, "cab")).sequence[0] == "c"


def test_a_removed_image_cannot_be_primary(gallery: Path) -> None:
    outcome = Stand().image_checker(flag({"a": 1.0})).run_one(product(gallery, "abcd"))

    assert outcome.sequence == ("b", "c", "d")
    assert states(outcome)["a"] == "removed"


def test_too_few_images_after_single_image_recognition_end_the_product(gallery: Path) -> None:
    outcome = Stand().image_checker(flag({"b": 0.9})).run_one(product(gallery, "abc"))

    assert (outcome.status, outcome.reason) == ("none", "too-few-images")
    assert outcome.detail == "2 of 3 images left after single-image recognition; 3 are needed"
    assert states(outcome) == {"a": "kept", "b": "removed", "c": "kept"}


def test_too_few_images_after_image_pair_recognition_end_the_product(gallery: Path) -> None:
    outcome = Stand().pair_checker(twins("bc")).run_one(product(gallery, "abc"))

    assert (outcome.status, outcome.reason) == ("none", "too-few-images")
    assert outcome.detail == "2 of 3 images left after image-pair recognition; 3 are needed"
    assert codes(outcome) == ["TST201"]


def test_too_few_images_is_said_before_no_primary(gallery: Path) -> None:
    stand = Stand().selector(lambda images, context: [0.0 for _ in images])

    assert stand.run_one(product(gallery, "ab")).reason == "too-few-images"


def test_images_that_are_fine_but_not_needed_are_kept(gallery: Path) -> None:
    outcome = Stand().run_one(product(gallery, "abcde"))

    assert states(outcome) == {"a": "primary", "b": "selected", "c": "selected", "d": "kept", "e": "kept"}


@pytest.mark.parametrize("length", [1, 2, 4, 5])
def test_a_sequence_has_as_many_images_as_the_config_says(gallery: Path, length: int) -> None:
    outcome = Stand().run_one(product(gallery, "abcde"), {"sequence.length": length})

    assert outcome.sequence == tuple("abcde"[:length])


@pytest.mark.parametrize("length", [1, 2, 4, 5])
def test_one_image_less_than_the_length_ends_the_product(gallery: Path, length: int) -> None:
    stand = Stand().image_checker(flag({"a": 1.0}))

    outcome = stand.run_one(product(gallery, "abcde"[:length]), {"sequence.length": length})

    assert outcome.reason == "too-few-images"


def test_among_images_about_as_good_one_that_shows_the_back_does_not_win_by_being_listed_first(gallery: Path) -> None:
    stand = seeing(Stand(), a="back", b="front", c="angle")
    stand.selector(lambda images, context: [{"a": 0.7, "b": 0.7, "c": 0.8}[image.id] for image in images])

    outcome = stand.run_one(product(gallery), {"primary.margin": 0.25})

    assert outcome.sequence[0] == "b"


class TestOfAViolatingPair:
    def test_the_primary_image_stays(self, gallery: Path) -> None:
        outcome = Stand().pair_checker(twins("ac")).run_one(product(gallery, "abcd"))

        assert states(outcome)["c"] == "removed"
        assert outcome.sequence == ("a", "b", "d")

    def test_the_primary_image_stays_even_when_it_is_listed_later(self, gallery: Path) -> None:
        stand = Stand().selector(lambda images, context: [float(image.id == "c") for image in images])

        outcome = stand.pair_checker(twins("ac")).run_one(product(gallery, "abcd"))

        assert states(outcome)["a"] == "removed"
        assert outcome.sequence[0] == "c"

    @pytest.mark.parametrize(("p_of_larger", "first"), [(0.79, "b"), (0.7, "a")])
    def test_the_larger_copy_is_primary_where_it_is_as_good(
        self, gallery: Path, tmp_path: Path, p_of_larger: float, first: str
    ) -> None:
        for name, side in (("a", 200), ("b", 400)):
            Image.new("RGB", (side, side), "white").save(tmp_path / f"{name}.png")
        stand = Stand().selector(
            lambda images, context: [{"a": 0.8, "b": p_of_larger}.get(one.id, 0.6) for one in images]
        )
        images = [str(tmp_path / "a.png"), str(tmp_path / "b.png"), *product(gallery, "cde")["images"]]

        outcome = stand.pair_checker(twins("ab")).run_one({"id": "P1", "images": images})

        assert outcome.sequence[0] == first
        assert states(outcome)["ab".replace(first, "")] == "removed"

    def test_the_image_with_the_smaller_p_nc_stays(self, gallery: Path) -> None:
        p_nc = {"a": 0.45, "b": 0.4, "c": 0.3, "d": 0.2}

        def judge(images: Sequence[DecodedImage], context: Context) -> list[Finding]:
            for image in images:
                context.provide(image, "p_noncompliant", p_nc[image.id])
            return []

        stand = Stand().image_checker(judge, provides=frozenset({"p_noncompliant"})).pair_checker(twins("bc"))
        outcome = stand.run_one(product(gallery, "abcd"))

        assert states(outcome)["b"] == "removed"
        assert [image.p_noncompliant for image in outcome.images] == [0.45, 0.4, 0.3, 0.2]

    def test_the_earlier_one_stays_when_nothing_tells_them_apart(self, gallery: Path) -> None:
        outcome = Stand().pair_checker(twins("bc")).run_one(product(gallery, "abcd"))

        assert states(outcome)["c"] == "removed"

    def test_a_chain_of_pairs_loses_only_what_must_go(self, gallery: Path) -> None:
        # b-c and c-d are twins: with c gone, the other pair is harmless.
        stand = (
            Stand().pair_checker(twins("bc"), name="one").pair_checker(twins("cd", score=0.7), name="two", rules=[TWIN])
        )

        outcome = stand.run_one(product(gallery, "abcde"))

        assert [image_id for image_id, state in states(outcome).items() if state == "removed"] == ["c"]
        assert codes(outcome) == ["TST201", "TST201"]


class TestImagesThatCannotBeRead:
    def test_one_of_them_becomes_a_finding_and_the_others_go_on(self, gallery: Path) -> None:
        outcome = Stand().run_one(product(gallery, "a!bc"))

        assert outcome.status == "submit"
        assert states(outcome)["broken"] == "unreadable"
        (finding,) = outcome.findings
        assert (finding.code, finding.name, finding.images) == ("AGP901", "unreadable-image", ("broken",))
        assert "broken.png" in finding.message
        assert "use JPEG, PNG or WebP" in finding.message

    def test_without_any_readable_image_the_product_ends_with_too_few(self, gallery: Path) -> None:
        outcome = Stand().run_one(product(gallery, "!"))

        assert (outcome.status, outcome.reason) == ("none", "too-few-images")
        assert outcome.detail == "0 of 1 images left after single-image recognition; 3 are needed"

    def test_one_beyond_the_limit_on_pixels_is_named_as_such(self, gallery: Path) -> None:
        outcome = Stand().run_one(product(gallery, "abc"), {"media.max_pixels": 100})

        assert codes(outcome) == ["AGP904"] * 3
        assert "raise media.max_pixels" in outcome.findings[0].message

    def test_of_an_animated_one_the_first_frame_is_used_and_that_is_said(self, gallery: Path, tmp_path: Path) -> None:
        frames = [Image.new("RGB", (40, 30), color) for color in ("red", "blue")]
        frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
        record = product(gallery, "ab")
        record["images"].append(str(tmp_path / "moving.gif"))

        outcome = Stand().run_one(record)

        assert outcome.sequence == ("a", "b", "moving")
        (finding,) = outcome.findings
        assert (finding.code, finding.images) == ("AGP905", ("moving",))
        assert finding.message == "2 frames; only the first was looked at"


def test_images_beyond_the_limit_are_named_and_take_no_part(gallery: Path) -> None:
    outcome = Stand().run_one(product(gallery, "abc"), {"media.max_images": 2, "sequence.length": 2})

    assert states(outcome)["c"] == "unreadable"
    (finding,) = [one for one in outcome.findings if one.code == "AGP907"]
    assert finding.images == ("c",)
    assert finding.message == "3 images are listed; the first 2 were looked at (media.max_images)"
