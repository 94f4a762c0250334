"""Thresholds, select and ignore decide what is reported and what is removed; findings come out sorted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agpis_sdk.components import Context, ImageSequence
from agpis_sdk.errors import ConfigError
from agpis_sdk.records import CandidateImage, Finding, Product, SequenceVerdict
from tests.pipeline.fakes import BAD, DULL, NOTE, Stand, always, codes, flag, product, states, twins, verdict


def test_a_finding_below_its_threshold_is_not_reported_and_removes_nothing(gallery: Path) -> None:
    outcome = Stand().image_checker(flag({"a": 0.49})).run_one(product(gallery))

    assert codes(outcome) == []
    assert states(outcome)["a"] == "primary"


def test_a_finding_exactly_at_its_threshold_is_reported_and_removes(gallery: Path) -> None:
    outcome = Stand().image_checker(flag({"a": 0.5})).run_one(product(gallery, "abcd"))

    assert codes(outcome) == ["TST101"]
    assert states(outcome)["a"] == "removed"


@pytest.mark.parametrize("key", ["TST101", "bad-picture", "tst101"])
def test_a_threshold_is_set_by_code_or_by_name(gallery: Path, key: str) -> None:
    stand = Stand().image_checker(flag({"a": 0.6}))

    assert codes(stand.run_one(product(gallery), {"rules.thresholds": {key: 0.7}})) == []


@pytest.mark.parametrize("key", ["TST101", "bad-picture"])
def test_an_error_that_is_set_to_a_warning_removes_nothing(gallery: Path, key: str) -> None:
    outcome = Stand().image_checker(flag({"a": 1.0})).run_one(product(gallery), {"rules.severities": {key: "warning"}})

    assert codes(outcome) == ["TST101"]
    assert states(outcome)["a"] == "primary"


def test_a_warning_is_reported_and_removes_nothing(gallery: Path) -> None:
    outcome = Stand().image_checker(flag({"a": 1.0}, NOTE)).run_one(product(gallery))

    assert codes(outcome) == ["TST102"]
    assert outcome.sequence == ("a", "b", "c")


@pytest.mark.parametrize("entry", ["TST101", "bad-picture", "TST1", "tst1"])
def test_an_ignored_rule_is_neither_reported_nor_removes(gallery: Path, entry: str) -> None:
    stand = Stand().image_checker(flag({"a": 1.0})).pair_checker(twins("bc"))

    outcome = stand.run_one(product(gallery, "abcd"), {"rules.ignore": {entry: "our shop allows it"}})

    assert codes(outcome) == ["TST201"]
    assert states(outcome)["a"] == "primary"


def test_only_selected_rules_are_reported(gallery: Path) -> None:
    stand = Stand().image_checker(flag({"a": 1.0})).pair_checker(twins("bc"))

    assert codes(stand.run_one(product(gallery, "abcd"), {"rules.select": ("TST2",)})) == ["TST201"]


def test_engine_rules_are_reported_whatever_is_selected(gallery: Path) -> None:
    assert codes(Stand().run_one(product(gallery, "abc!"), {"rules.select": ("TST301",)})) == ["AGP901"]


def test_a_checker_of_ignored_rules_is_not_even_created(gallery: Path) -> None:
    def never(images: object, context: object) -> None:
        raise AssertionError("it was called")

    outcome = Stand().image_checker(never).run_one(product(gallery), {"rules.ignore": {"TST1": "not wanted"}})

    assert codes(outcome) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"rules.select": ("bad-pictur",)},
        {"rules.select": ("bad",)},
        {"rules.select": ("",)},
        {"rules.ignore": {"bad-pictur": "typo"}},
        {"rules.thresholds": {"bad-pictur": 0.1}},
    ],
)
def test_a_rule_that_nobody_declares_is_refused_with_the_nearest_name(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"rule.*(did you mean|known)"):
        Stand().image_checker(flag({})).pipeline(settings)


def test_findings_are_sorted_by_code_and_then_by_images(gallery: Path) -> None:
    stand = Stand().image_checker(flag({"d": 1.0, "b": 1.0}, NOTE)).pair_checker(twins("dc", "ab"))
    stand.image_checker(flag({"e": 1.0}), name="another", rules=[BAD])

    outcome = stand.run_one(product(gallery, "edcab"), {"sequence.length": 1})

    assert [(finding.code, finding.images) for finding in outcome.findings] == [
        ("TST101", ("e",)),
        ("TST102", ("b",)),
        ("TST102", ("d",)),
        ("TST201", ("a", "b")),
        ("TST201", ("d", "c")),
    ]


def test_a_finding_carries_its_rule_name_and_its_checker(gallery: Path) -> None:
    def unnamed(images: Sequence[Any], context: Context) -> Iterator[Finding]:
        yield Finding(code="TST101", images=("a",), score=0.987654, message="bad")

    (finding,) = Stand().image_checker(unnamed).run_one(product(gallery)).findings

    assert (finding.name, finding.checker, finding.score) == ("bad-picture", "looker", 0.9877)


def test_the_findings_of_the_scorer_are_reported(gallery: Path) -> None:
    def score(sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
        for sequence in sequences:
            dull = Finding(code="TST301", images=sequence.ids, score=0.9, message="dull")
            yield verdict(sequence, p_qualified=0.1, feedback="dull sequence", findings=(dull,))

    outcome = Stand().scorer(score, rules=[DULL]).run_one(product(gallery))

    assert codes(outcome) == ["TST301"]
    assert outcome.feedback == "dull sequence"
    assert outcome.status == "hold"


def test_a_sequence_checker_beside_the_scorer_reports_and_changes_nothing_else(gallery: Path) -> None:
    def read(sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
        for sequence in sequences:
            dull = Finding(code="TST301", images=sequence.ids, score=0.9, message="dull")
            yield verdict(sequence, p_qualified=0.0, findings=(dull,))

    outcome = Stand().sequence_checker(read).scorer(always(0.8)).run_one(product(gallery))

    assert codes(outcome) == ["TST301"]
    assert (outcome.status, outcome.probability) == ("submit", 0.8)


def test_of_several_sequences_the_one_with_the_largest_probability_is_taken(gallery: Path) -> None:
    def two(candidates: Any, length: int, context: Context) -> Iterator[ImageSequence]:
        for candidate in candidates:
            for others in (candidate.others[:2], candidate.others[1:3]):
                yield ImageSequence(product=candidate.product, images=(candidate.primary, *others))

    def score(sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
        for sequence in sequences:
            yield verdict(sequence, p_qualified=0.9 if sequence.ids == ("a", "c", "d") else 0.4)

    stand = Stand().builder(two, name="two").scorer(score)
    outcome = stand.run_one(product(gallery, "abcd"), {"sequence.builder": "two"})

    assert (outcome.sequence, outcome.probability) == (("a", "c", "d"), 0.9)


def test_pairs_are_given_in_listed_order_and_each_once(gallery: Path) -> None:
    seen: list[str] = []

    def note(pairs: Any, context: Context) -> list[Finding]:
        seen.extend(f"{pair.first.id}{pair.second.id}" for pair in pairs)
        return []

    Stand().pair_checker(note).run_one(product(gallery, "cab"))

    assert seen == ["ca", "cb", "ab"]


def test_an_outcome_says_where_each_image_is(gallery: Path) -> None:
    outcome = Stand().run_one(product(gallery, "ab"))

    assert [image.uri for image in outcome.images] == [str(gallery / "a.png"), str(gallery / "b.png")]


def test_an_outcome_carries_no_token_of_an_address(gallery: Path) -> None:
    uri = "https://me:secret@shop.invalid/a.jpg?token=abc&w=80"
    signed = Product(id="p", images=(CandidateImage(id="a", uri=uri),))

    outcome = Stand().run_one(signed)

    assert outcome.images[0].uri == "https://***@shop.invalid/a.jpg?token=***&w=80"


def test_a_run_says_which_image_it_could_not_read_first(gallery: Path) -> None:
    pipeline = Stand().pipeline({})

    list(pipeline.run([product(gallery, "a!"), product(gallery, "b", "P2")]))

    (fault,) = pipeline.summary.faults
    assert fault.startswith(f"1 image could not be read; first: {gallery / 'broken.png'}")
