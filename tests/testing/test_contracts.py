"""The contracts: who keeps them passes, and each broken clause is found by its own test."""

from __future__ import annotations

from pathlib import Path

import pytest

from agpis_sdk.errors import ComponentError
from agpis_sdk.testing import (
    AuditReporterContract,
    BackboneContract,
    ImageCheckerContract,
    OutcomeReporterContract,
    PairCheckerContract,
    PrimarySelectorContract,
    SequenceBuilderContract,
    SequenceCheckerContract,
)
from tests.testing.odd_checkers import PLUGIN


class TestOneThatKeepsTheContract(ImageCheckerContract):
    plugins = (PLUGIN,)
    component = "faithful"


class TestASequenceCheckerThatKeepsTheContract(SequenceCheckerContract):
    plugins = (PLUGIN,)
    component = "reading"


def contract(kind: type, name: str) -> object:
    """Return the contract of one kind of checker for one of the odd ones."""
    return type(f"Of{name}", (kind,), {"plugins": (PLUGIN,), "component": name})()


@pytest.mark.parametrize(
    ("name", "clause"),
    [
        ("comparing", "a_batch_says_what_its_images_say_one_by_one"),
        ("remembering", "it_says_the_same_again_and_when_made_anew"),
        ("remembering", "the_order_of_images_changes_nothing"),
        ("drawing", "it_leaves_the_pixels_alone"),
        ("silent", "it_finds_something_in_these_images"),
    ],
)
def test_an_image_checker_that_breaks_a_clause_fails_its_test(name: str, clause: str) -> None:
    with pytest.raises(AssertionError):
        getattr(contract(ImageCheckerContract, name), f"test_{clause}")()


def test_what_a_checker_draws_on_is_named() -> None:
    with pytest.raises(AssertionError, match='"plain" was changed: copy before you draw'):
        contract(ImageCheckerContract, "drawing").test_it_leaves_the_pixels_alone()


def test_a_code_that_is_not_declared_is_refused_as_the_engine_does() -> None:
    with pytest.raises(ComponentError, match="raised ODD201, which its spec does not declare"):
        contract(ImageCheckerContract, "undeclared").test_its_findings_are_in_order()


def test_a_checker_that_cannot_cope_with_nothing_raises_what_it_raises() -> None:
    with pytest.raises(IndexError):
        contract(ImageCheckerContract, "needstwo").test_an_empty_batch_has_no_findings()


def test_a_pair_checker_that_looks_at_one_side_is_found() -> None:
    with pytest.raises(AssertionError):
        contract(PairCheckerContract, "onesided").test_the_order_within_a_pair_changes_nothing()


def test_a_sequence_checker_that_leaves_one_out_is_found() -> None:
    with pytest.raises(AssertionError):
        contract(SequenceCheckerContract, "forgetful").test_every_sequence_gets_one_verdict()


@pytest.mark.parametrize(
    ("kind", "name", "clause"),
    [
        (PrimarySelectorContract, "ranking", "a_batch_says_what_its_images_say_one_by_one"),
        (PrimarySelectorContract, "ranking", "the_order_of_images_changes_nothing"),
        (PrimarySelectorContract, "counting", "every_image_gets_one_score_in_0_to_1"),
        (PrimarySelectorContract, "counting", "it_tells_these_images_apart"),
        (
            SequenceBuilderContract,
            "primarylast",
            "a_sequence_has_the_primary_image_first_and_at_most_its_length_of_different_ones",
        ),
        (SequenceBuilderContract, "moody", "it_builds_the_same_again_and_when_made_anew"),
        (BackboneContract, "sizeaware", "pictures_of_every_size_have_facts_of_one_shape"),
        (BackboneContract, "sizeaware", "a_batch_says_what_its_images_say_one_by_one"),
    ],
)
def test_a_choice_that_breaks_a_clause_fails_its_test(kind: type, name: str, clause: str) -> None:
    with pytest.raises(AssertionError):
        getattr(contract(kind, name), f"test_{clause}")()


@pytest.mark.parametrize("clause", ["every_finding_is_written", "a_record_that_was_no_product_is_written"])
def test_an_audit_reporter_that_loses_something_fails_its_test(clause: str) -> None:
    with pytest.raises(AssertionError):
        getattr(contract(AuditReporterContract, "terse"), f"test_{clause}")()


def test_an_audit_reporter_that_closes_the_stream_is_found() -> None:
    with pytest.raises(ValueError, match="closed file"):
        contract(AuditReporterContract, "closing").test_it_copes_with_an_audit_of_no_galleries()


@pytest.mark.parametrize("clause", ["its_file_appears_only_when_it_is_finished", "a_discarded_report_leaves_nothing"])
def test_an_outcome_reporter_that_writes_too_early_fails_its_test(tmp_path: Path, clause: str) -> None:
    with pytest.raises(AssertionError):
        getattr(contract(OutcomeReporterContract, "hasty"), f"test_{clause}")(tmp_path)
