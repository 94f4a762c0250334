"""Every code that an outcome can hold has words."""

from __future__ import annotations

from typing import get_args

import pytest

from agpis_sdk.facts import VIEWS
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.records import Finding, ImageState, Status
from agpis_sdk.report.phrases import (
    REASON_WORDS,
    STATE_WORDS,
    STATUS_WORDS,
    STATUSES,
    VIEW_WORDS,
    reason_in_words,
    rule_explanation,
    sureness_in_words,
)
from agpis_sdk.rules import Rule


def test_every_status_has_words() -> None:
    assert set(STATUS_WORDS) == set(STATUSES) == set(get_args(Status))


def test_every_state_has_words() -> None:
    assert set(STATE_WORDS) == set(get_args(ImageState))


@pytest.mark.parametrize("reason", ["no-primary", "too-few-images"])
def test_every_reason_of_the_design_has_a_sentence_of_its_own(reason: str) -> None:
    assert reason in REASON_WORDS


def test_an_unknown_code_is_read_out() -> None:
    assert reason_in_words("disk-is-full") == "Disk is full."


def test_a_reason_in_words_is_left_alone() -> None:
    assert reason_in_words("Line 7 is not JSON.") == "Line 7 is not JSON."


def test_a_missing_reason_is_admitted() -> None:
    assert reason_in_words(None) == "The run does not say why."


@pytest.mark.parametrize("rule", shipped_rules(), ids=lambda rule: rule.code)
def test_every_rule_is_explained_by_its_summary(rule: Rule) -> None:
    assert rule_explanation(rule).startswith(rule.summary)


def test_a_finding_says_who_found_it_and_how_sure_that_is() -> None:
    finding = Finding(code="AGP103", images=(), score=0.98, message="", checker="image-quality")
    assert sureness_in_words(finding, None) == "Found by image-quality; 98% sure."


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_has_words(view: str) -> None:
    assert view in VIEW_WORDS
