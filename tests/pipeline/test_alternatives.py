"""A remedy names the listed image that is the answer, where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agpis_sdk.components import Context, ImageSequence
from agpis_sdk.pipeline.audit import Audit
from agpis_sdk.records import Finding, Outcome, SequenceVerdict
from agpis_sdk.rules import MendedBy, Rule
from tests.pipeline.fakes import BAD, NOTE, Stand, configured, flag, product, seeing, twins, verdict

ONE_OF_THREE = {"sequence.length": 2}


def sequence_rule(mended_by: MendedBy) -> Rule:
    return Rule(
        code="TST302",
        name="odd-gallery",
        summary="It is odd.",
        category="multi-image",
        remedy="Mend it.",
        mended_by=mended_by,
    )


def objecting(stand: Stand, rule: Rule) -> Stand:
    """Let the scorer object to every sequence."""

    def check(sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
        for sequence in sequences:
            finding = Finding(code=rule.code, images=sequence.ids, score=0.9, message="odd")
            yield verdict(sequence, p_qualified=0.2, findings=(finding,))

    return stand.scorer(check, rules=(rule,))


def remedies(record: Any) -> dict[str, str]:
    return {finding.code: finding.remedy for finding in record.findings}


def audited(stand: Stand, gallery: Path, letters: str = "abc") -> Any:
    (audit,) = Audit(configured({}), host=stand.host()).run([product(gallery, letters)])
    return audit


class TestInARun:
    def test_a_chosen_image_with_a_warning_may_give_way_to_one_that_was_not_chosen(self, gallery: Path) -> None:
        outcome = Stand().image_checker(flag({"b": 1.0}, NOTE)).run_one(product(gallery), ONE_OF_THREE)

        assert remedies(outcome) == {"TST102": 'Choose image "c" instead.'}

    def test_an_image_that_has_the_same_fault_is_not_proposed(self, gallery: Path) -> None:
        outcome = Stand().image_checker(flag({"b": 1.0, "c": 1.0}, NOTE)).run_one(product(gallery), ONE_OF_THREE)

        assert "" in {finding.remedy for finding in outcome.findings if finding.images == ("b",)}

    def test_of_two_copies_it_says_which_one_stays(self, gallery: Path) -> None:
        outcome = Stand().pair_checker(twins("ab")).run_one(product(gallery), ONE_OF_THREE)

        assert remedies(outcome) == {"TST201": 'Keep image "a" and remove image "b".'}
        assert outcome.sequence == ("a", "c")

    def test_a_first_listed_image_that_was_removed_names_what_comes_first_now(self, gallery: Path) -> None:
        outcome = Stand().image_checker(flag({"a": 1.0})).run_one(product(gallery), ONE_OF_THREE)

        assert remedies(outcome) == {"TST101": 'Image "b" was chosen as the first image instead.'}

    def test_where_another_image_should_come_first_one_that_shows_the_front_is_named(self, gallery: Path) -> None:
        stand = objecting(seeing(Stand(), a="back", b="detail", c="front"), sequence_rule("first"))

        outcome = stand.run_one(product(gallery), ONE_OF_THREE)

        assert remedies(outcome) == {"TST302": 'Choose image "c" as the first image.'}

    def test_where_a_view_is_missing_an_image_that_shows_one_is_named(self, gallery: Path) -> None:
        stand = objecting(seeing(Stand(), a="front", b="front", c="back"), sequence_rule("view"))

        outcome = stand.run_one(product(gallery), ONE_OF_THREE)

        assert remedies(outcome) == {"TST302": 'Mend it. Image "c" shows another view: choose it.'}

    @pytest.mark.parametrize("mended_by", ["first", "view", "none"])
    def test_where_no_image_is_the_answer_the_remedy_of_the_rule_stays(
        self, gallery: Path, mended_by: MendedBy
    ) -> None:
        stand = objecting(seeing(Stand(), a="back", b="back", c="back"), sequence_rule(mended_by))

        assert remedies(stand.run_one(product(gallery), ONE_OF_THREE)) == {"TST302": "Mend it."}


class TestInAnAudit:
    def test_another_image_may_come_first_in_place_of_a_bad_one(self, gallery: Path) -> None:
        stand = seeing(Stand().image_checker(flag({"a": 1.0})), a="front", b="detail", c="front")

        assert remedies(audited(stand, gallery)) == {"TST101": 'Choose image "c" as the first image.'}

    def test_one_that_shows_the_front_is_preferred(self, gallery: Path) -> None:
        stand = seeing(Stand().image_checker(flag({"a": 1.0})), a="front", b="angle", c="front")

        assert remedies(audited(stand, gallery)) == {"TST101": 'Choose image "c" as the first image.'}

    def test_an_image_further_on_has_no_alternative_as_all_are_listed(self, gallery: Path) -> None:
        assert remedies(audited(Stand().image_checker(flag({"b": 1.0})), gallery)) == {"TST101": ""}

    def test_of_two_copies_the_faulty_one_goes(self, gallery: Path) -> None:
        stand = Stand().image_checker(flag({"a": 1.0}, BAD)).pair_checker(twins("ab"))

        assert remedies(audited(stand, gallery))["TST201"] == 'Keep image "b" and remove image "a".'

    def test_an_unreadable_first_image_has_an_alternative_too(self, gallery: Path) -> None:
        (finding,) = audited(Stand().image_checker(flag({})), gallery, "!ab").findings

        assert finding.remedy == 'Upload the file again. Or choose image "a" as the first image.'


def test_an_outcome_without_findings_is_as_it_was(gallery: Path) -> None:
    outcome: Outcome = Stand().run_one(product(gallery))

    assert outcome.findings == ()
