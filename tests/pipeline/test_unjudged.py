"""Fail closed: what a checker of an error rule could not judge is held, never submitted (DESIGN law 7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from agpis_sdk.components import Context, DecodedImage, ImagePair, ImageSequence, image_finding
from agpis_sdk.records import Outcome, Unjudged
from agpis_sdk.rules import Rule
from tests.pipeline.fakes import BAD, NOTE, Stand, codes, flag, plain_features, product, verdict

DREARY = Rule(code="TST302", name="dreary", summary="It is dreary.", category="multi-image", severity="error")


def failing(*names: str) -> Any:
    """Return an image check that cannot judge some images."""

    def check(images: Sequence[DecodedImage], context: Context) -> list[Any]:
        if any(image.id in names for image in images):
            raise ValueError("cannot judge")
        return []

    return check


def decision(outcome: Outcome) -> tuple[str, str | None]:
    return outcome.status, outcome.reason


def test_an_image_that_was_not_judged_holds_its_product_and_no_other(gallery: Path) -> None:
    stand = Stand().image_checker(failing("b"), rules=[BAD])

    first, second = stand.run([product(gallery, "abc", "P1"), product(gallery, "cde", "P2")])

    assert decision(first) == ("hold", "not-judged")
    assert first.detail == "b: looker (fakes local) failed: ValueError: cannot judge"
    assert first.sequence == ("a", "b", "c")
    assert first.probability == 0.8
    assert second.status == "submit"


def test_a_checker_whose_rules_only_warn_holds_nothing(gallery: Path) -> None:
    outcome = Stand().image_checker(failing("b"), rules=[NOTE]).run_one(product(gallery))

    assert (outcome.status, codes(outcome)) == ("submit", ["AGP902"])


def test_the_severity_in_the_config_counts(gallery: Path) -> None:
    stand = Stand().image_checker(failing("b"), rules=[NOTE])

    assert stand.run_one(product(gallery), {"rules.severities": {"TST102": "error"}}).status == "hold"


def test_a_rule_that_is_not_selected_holds_nothing(gallery: Path) -> None:
    stand = Stand().image_checker(failing("b"))

    assert stand.run_one(product(gallery), {"rules.ignore": {"TST101": "not here"}}).status == "submit"


def test_an_image_that_another_rule_removes_does_no_harm(gallery: Path) -> None:
    stand = Stand().image_checker(failing("b"), rules=[BAD])
    stand.image_checker(flag({"b": 1.0}, rule=NOTE), name="other", rules=[NOTE])

    outcome = stand.run_one(product(gallery, "abcd"), {"rules.severities": {"TST102": "error"}})

    assert (outcome.status, outcome.sequence) == ("submit", ("a", "c", "d"))


def test_a_pair_that_was_not_judged_holds_the_product(gallery: Path) -> None:
    def check(pairs: Sequence[ImagePair], context: Context) -> list[Any]:
        raise RuntimeError("no")

    outcome = Stand().pair_checker(check).run_one(product(gallery))

    assert decision(outcome) == ("hold", "not-judged")
    assert outcome.detail == "; ".join(
        f"{pair}: matcher (fakes local) failed: RuntimeError: no" for pair in ("a, b", "a, c", "b, c")
    )


def test_a_sequence_that_was_not_judged_holds_the_product(gallery: Path) -> None:
    stand = Stand().sequence_checker(lambda given, context: 1 / 0, rules=[DREARY])

    assert decision(stand.run_one(product(gallery))) == ("hold", "not-judged")


def test_a_missing_fact_holds_the_product(gallery: Path) -> None:
    def features(images: Sequence[DecodedImage]) -> list[Any]:
        return [1 / 0 if image.id == "b" else plain_features([image])[0] for image in images]

    stand = Stand().backbone(features).image_checker(failing(), requires=frozenset({"embedding"}))
    outcome = stand.run_one(product(gallery))

    assert decision(outcome) == ("hold", "not-judged")
    assert outcome.detail == "b: looker (fakes local) was skipped: no embedding"


def test_a_missing_p_nc_holds_the_product(gallery: Path) -> None:
    stand = Stand().image_checker(failing("b"), rules=[NOTE], provides=frozenset({"p_noncompliant"}))

    assert decision(stand.run_one(product(gallery))) == ("hold", "not-judged")


def test_a_checker_that_was_dropped_holds_all_that_it_no_longer_judges(gallery: Path) -> None:
    stand = Stand().image_checker(failing("a"), rules=[BAD])
    products = [product(gallery, letters, letters) for letters in ("abc", "bcd")]

    outcomes = stand.run(products, {"run.max_failures": 1, "run.batch_size": 1})

    assert [outcome.status for outcome in outcomes] == ["hold", "hold"]
    assert outcomes[1].detail is not None
    assert "looker (fakes local) was dropped after 1 failures" in outcomes[1].detail


def test_many_reasons_are_counted(gallery: Path) -> None:
    outcome = Stand().image_checker(failing(*"abcde"), rules=[BAD]).run_one(product(gallery, "abcde"))

    assert outcome.detail is not None
    assert outcome.detail.endswith("; and 2 more")


def test_the_config_may_submit_it_all_the_same(gallery: Path) -> None:
    stand = Stand().image_checker(failing("b"), rules=[BAD])

    assert decision(stand.run_one(product(gallery), {"run.hold_unjudged": False})) == ("submit", None)


def test_a_product_that_is_held_by_p_t_keeps_its_own_reason(gallery: Path) -> None:
    stand = Stand().image_checker(failing("b"), rules=[BAD])

    assert decision(stand.run_one(product(gallery), {"sequence.threshold": 0.9})) == ("hold", None)


class TestARuleThatACheckerSaysItCouldNotJudge:
    """`Unjudged` in place of a finding: it costs one rule on one item, and nothing else of the component."""

    @staticmethod
    def checker(code: str, *names: str) -> Any:
        def check(images: Sequence[DecodedImage], context: Context) -> Iterator[Any]:
            for image in images:
                if image.id in names:
                    yield Unjudged(product_id=image.product_id, code=code, images=(image.id,), reason="no answer")
                yield image_finding(image, NOTE, 0.9, "odd")

        return check

    def test_of_severity_error_holds_the_product(self, gallery: Path) -> None:
        outcome = Stand().image_checker(self.checker("TST101", "b")).run_one(product(gallery))

        assert decision(outcome) == ("hold", "not-judged")
        assert outcome.detail == "b: looker (fakes local) could not judge TST101: no answer"
        assert codes(outcome) == ["AGP902", "TST102", "TST102", "TST102"]

    def test_that_only_warns_is_named_and_holds_nothing(self, gallery: Path) -> None:
        outcome = Stand().image_checker(self.checker("TST102", "b")).run_one(product(gallery))

        assert decision(outcome) == ("submit", None)
        assert [finding.images for finding in outcome.findings if finding.code == "AGP902"] == [("b",)]

    def test_that_is_not_selected_is_not_even_named(self, gallery: Path) -> None:
        made = Stand().image_checker(self.checker("TST101", "b"))

        outcome = made.run_one(product(gallery), {"rules.ignore": {"TST101": "not here"}})

        assert (outcome.status, codes(outcome)) == ("submit", ["TST102"] * 3)

    def test_of_a_pair_holds_the_product(self, gallery: Path) -> None:
        def check(pairs: Sequence[ImagePair], context: Context) -> Iterator[Any]:
            for pair in pairs:
                ids = (pair.first.id, pair.second.id)
                yield Unjudged(product_id=pair.first.product_id, code="TST201", images=ids, reason="no answer")

        outcome = Stand().pair_checker(check).run_one(product(gallery))

        assert decision(outcome) == ("hold", "not-judged")
        assert codes(outcome) == ["AGP902"] * 3

    def test_of_a_sequence_holds_the_product(self, gallery: Path) -> None:
        def check(given: Sequence[ImageSequence], context: Context) -> Iterator[Any]:
            for one in given:
                missing = Unjudged(product_id=one.product.id, code=DREARY.code, images=one.ids, reason="no answer")
                yield verdict(one, unjudged=(missing,))

        outcome = Stand().sequence_checker(check, rules=[DREARY]).run_one(product(gallery))

        assert decision(outcome) == ("hold", "not-judged")

    def test_drops_no_component_and_makes_the_run_incomplete(self, gallery: Path) -> None:
        pipeline = Stand().image_checker(self.checker("TST102", *"abc")).pipeline({"run.max_failures": 1})

        list(pipeline.run([product(gallery)]))

        assert pipeline.summary.dropped == []
        assert pipeline.summary.failed
        assert pipeline.summary.notices == ["looker (fakes local) could not judge 3 items; last: no answer"]

    def test_of_an_image_that_it_was_not_given_is_its_failure(self, gallery: Path) -> None:
        def check(images: Sequence[DecodedImage], context: Context) -> Iterator[Any]:
            yield Unjudged(product_id="P1", code="TST101", images=("z",), reason="no answer")

        outcome = Stand().image_checker(check).run_one(product(gallery))

        assert "named images that it was not given: z" in (outcome.detail or "")

    def test_of_a_rule_that_it_does_not_declare_is_its_failure(self, gallery: Path) -> None:
        outcome = Stand().image_checker(self.checker("AGP101", "b"), rules=[BAD]).run_one(product(gallery))

        assert "raised AGP101, which its spec does not declare" in (outcome.detail or "")


def test_a_component_is_told_which_rules_are_selected(gallery: Path) -> None:
    told: dict[str, bool] = {}

    def check(images: Sequence[DecodedImage], context: Context) -> list[Any]:
        told.update({code: context.selected(code) for code in ("TST101", "TST102")})
        return []

    Stand().image_checker(check).run_one(product(gallery), {"rules.ignore": {"TST102": "not here"}})

    assert told == {"TST101": True, "TST102": False}
