"""A product that has a usable image gets a sequence; one that is shorter than wanted says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from agpis_sdk.components import Context, DecodedImage
from agpis_sdk.config import Config, load_config
from agpis_sdk.plugins import PluginHost
from tests.pipeline.fakes import NOTE, Stand, codes, flag, product, states, twins

SHORTENED = {"sequence.min_length": 1}


def test_all_usable_images_make_the_sequence_where_fewer_are_left_than_wanted(gallery: Path) -> None:
    stand = Stand().image_checker(flag({"b": 1.0}))

    outcome = stand.run_one(product(gallery), SHORTENED)

    assert (outcome.status, outcome.sequence) == ("submit", ("a", "c"))
    assert outcome.detail == "2 of 3 images left after image-pair recognition; 3 are needed"


def test_one_usable_image_is_a_sequence_of_its_own(gallery: Path) -> None:
    outcome = Stand().pair_checker(twins("ab", "ac", "bc")).run_one(product(gallery), SHORTENED)

    assert outcome.sequence == ("a",)


def test_a_whole_sequence_has_no_detail(gallery: Path) -> None:
    assert Stand().run_one(product(gallery), SHORTENED).detail is None


def test_products_of_several_lengths_share_a_batch(gallery: Path) -> None:
    products = [product(gallery, letters, f"P{letters}") for letters in ("abcd", "a", "ab", "efg")]

    outcomes = list(Stand().run(products, SHORTENED))

    assert [outcome.sequence for outcome in outcomes] == [("a", "b", "c"), ("a",), ("a", "b"), ("e", "f", "g")]


def test_fewer_than_the_fewest_end_the_product(gallery: Path) -> None:
    outcome = Stand().run_one(product(gallery, "a"), {"sequence.min_length": 2})

    assert (outcome.status, outcome.reason) == ("none", "too-few-images")


class TestTheNoncomplianceThreshold:
    def provide(self, p_noncompliant: dict[str, float]):
        def check(images: list[DecodedImage], context: Context) -> list[object]:
            for image in images:
                context.provide(image, "p_noncompliant", p_noncompliant.get(image.id, 0.0))
            return []

        return Stand().image_checker(check, rules=(NOTE,), provides=frozenset({"p_noncompliant"}))

    @pytest.mark.parametrize(("p_noncompliant", "removed"), [(0.4999, False), (0.5, True), (0.9, True)])
    def test_an_image_that_reaches_it_is_never_in_a_sequence(
        self, gallery: Path, p_noncompliant: float, removed: bool
    ) -> None:
        settings = {**SHORTENED, "noncompliance.doubt": 1.0}

        outcome = self.provide({"b": p_noncompliant}).run_one(product(gallery), settings)

        assert ("b" not in outcome.sequence) == removed
        assert (states(outcome)["b"] == "removed") == removed
        assert codes(outcome) == (["AGP906"] if removed else [])

    def test_is_a_setting(self, gallery: Path) -> None:
        settings = {**SHORTENED, "noncompliance.threshold": 0.95, "noncompliance.doubt": 0.95}

        assert self.provide({"b": 0.9}).run_one(product(gallery), settings).sequence == ("a", "b", "c")

    def test_an_image_in_doubt_takes_no_part_where_another_is_left(self, gallery: Path) -> None:
        outcome = self.provide({"a": 0.3, "c": 0.4}).run_one(product(gallery), SHORTENED)

        assert outcome.sequence == ("b",)
        assert states(outcome) == {"a": "kept", "b": "primary", "c": "kept"}
        assert codes(outcome) == []
        assert outcome.detail == "1 of 3 images: left out in doubt (noncompliance.doubt): a, c"

    def test_doubt_begins_sooner_where_another_image_of_the_product_is_non_compliant(self, gallery: Path) -> None:
        alone = self.provide({"a": 0.25}).run_one(product(gallery), SHORTENED)
        beside_one = self.provide({"a": 0.25, "b": 0.9}).run_one(product(gallery), SHORTENED)

        assert alone.sequence == ("a", "b", "c")
        assert beside_one.sequence == ("c",)

    def test_images_in_doubt_make_the_sequence_where_no_other_is_left(self, gallery: Path) -> None:
        outcome = self.provide({"a": 0.3, "b": 0.6, "c": 0.4}).run_one(product(gallery), SHORTENED)

        assert outcome.sequence == ("a", "c")

    def test_images_in_doubt_take_part_where_a_whole_sequence_is_asked_for(self, gallery: Path) -> None:
        outcome = self.provide({"b": 0.3}).run_one(product(gallery), {"sequence.min_length": 0})

        assert outcome.sequence == ("a", "b", "c")

    def test_a_whole_sequence_without_images_in_doubt_has_no_detail(self, gallery: Path) -> None:
        outcome = self.provide({"b": 0.3}).run_one(product(gallery, "abcd"), SHORTENED)

        assert (outcome.sequence, outcome.detail) == (("a", "c", "d"), None)

    def test_a_doubt_of_one_doubts_none(self, gallery: Path) -> None:
        settings = {**SHORTENED, "noncompliance.doubt": 1.0, "noncompliance.threshold": 1.0}

        assert self.provide({"b": 1.0}).run_one(product(gallery), settings).sequence == ("a", "c")
        assert self.provide({"b": 0.9}).run_one(product(gallery), settings).sequence == ("a", "b", "c")


def test_the_profile_paper_asks_for_the_whole_length() -> None:
    profile = PluginHost.load(discover=False).profile("paper")

    config = load_config(profile=(profile.name, profile.settings), overrides=["sequence.length=4"]).config

    assert config.sequence.fewest == 4
    assert Config().sequence.fewest == 1


@pytest.mark.parametrize(("name", "threshold"), [("paper", 0.5), ("strict", 0.5), ("relaxed", 0.8)])
def test_a_profile_sets_what_its_name_promises(name: str, threshold: float) -> None:
    profile = PluginHost.load(discover=False).profile(name)

    config = load_config(profile=(profile.name, profile.settings)).config

    assert config.noncompliance.threshold == threshold
