"""The data: every number has a source, a date and a grade, and the page in the docs says what the data says."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from agpis_marketplaces.data import MarketplaceProfile, profile, profiles, read_profile
from agpis_marketplaces.page import page
from agpis_marketplaces.plugin import settings_of
from agpis_marketplaces.requirements import KIND_OF
from agpis_marketplaces.rules import KINDS, RULES
from pydantic import ValidationError

from agpis_sdk.config import Config
from agpis_sdk.errors import UnknownNameError
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.rules import PAGE_HEADINGS, Rule

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "profiles.md"
ALL = list(profiles().values())
SMALLEST = """
title: Shop
summary: A shop.
version: "2026-11"
sources: {help: {name: help page, read: "2026-11-02"}}
requirements:
  - {quantity: longer-side, operator: at-least, value: 500, level: hard, grade: A, sources: [help]}
"""


def test_the_marketplaces_are_there() -> None:
    assert set(profiles()) == {
        "amazon-main", "amazon-secondary", "ebay", "etsy", "google", "jd", "meta", "shopee", "shopify", "taobao-tmall",
        "tiktok-shop", "vtex", "walmart",
    }  # fmt: skip


def test_the_page_in_the_docs_says_what_the_data_says() -> None:
    stale = "stale: run python -m agpis_marketplaces.page > docs/reference/profiles.md"

    assert PAGE.read_text(encoding="utf-8") == page(), stale


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_every_requirement_has_a_rule_that_is_as_grave_as_its_grade_allows(one: MarketplaceProfile) -> None:
    for requirement in one.requirements:
        kind = KINDS[KIND_OF[requirement.quantity, requirement.operator]]
        rule = kind.blocking if requirement.blocks else kind.warning
        assert (rule.severity == "error") == (requirement.grade == "A" and requirement.level == "hard")


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_the_settings_of_a_profile_are_a_config_that_selects_known_rules(one: MarketplaceProfile) -> None:
    config = Config.model_validate(settings_of(one))

    codes = {rule.code for rule in shipped_rules()}
    assert config.rules.select[0] == "AMP"
    assert set(config.rules.select[1:]) <= codes
    assert config.components["marketplaces"] == config.components["marketplaces-gallery"] == {"profile": one.name}


def test_what_only_third_parties_call_forbidden_is_a_warning() -> None:
    def severities(name: str) -> set[str]:
        return set(Config.model_validate(settings_of(profile(name))).rules.severities.values())

    assert severities("ebay") == {"error"}
    assert severities("google") == {"warning"}


@pytest.mark.parametrize(
    ("day", "smallest"),
    [("2026-04-13", [100, 250, 1500]), ("2027-01-30", [100, 250, 500, 1500]), ("2027-01-31", [500, 1500])],
)
def test_google_asks_for_other_numbers_from_the_last_of_january_2027(day: str, smallest: list[float]) -> None:
    in_force = profile("google").in_force(datetime.date.fromisoformat(day))

    assert [one.number for one in in_force if one.quantity == "shorter-side"] == smallest


def test_an_unknown_profile_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match='did you mean "ebay"'):
        profile("eaby")


def test_the_smallest_profile_is_read() -> None:
    read = read_profile("shop", SMALLEST)

    assert read.requirements[0].blocks
    assert read.attribution(read.requirements[0]) == "official text, help page, read 2026-11-02, grade A"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("grade: A", "grade: D", "Input should be 'A', 'B' or 'C'"),
        ("value: 500", "value: many", "value"),
        ("value: 500, ", "", "needs a value of another kind than None"),
        ("at-least", "one-of", "longer-side cannot be held against one-of"),
        ("sources: [help]", "sources: [elsewhere]", "sources named and listed differ: elsewhere, help"),
        ("sources: [help]", "sources: []", "at least 1 item"),
        (', read: "2026-11-02"', "", "Field required"),
        ("level: hard", "level: hard, color: red", "Extra inputs are not permitted"),
    ],
)
def test_data_at_fault_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        read_profile("shop", SMALLEST.replace(old, new))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_explains_itself_under_the_usual_headings(rule: Rule) -> None:
    assert all(f"## {heading}" in rule.page() for heading in PAGE_HEADINGS)


def test_a_warning_stands_fifty_further_on_than_the_rule_that_blocks() -> None:
    for kind in KINDS.values():
        assert int(kind.warning.code[3:]) - int(kind.blocking.code[3:]) == 50
        assert (kind.blocking.severity, kind.warning.severity) == ("error", "warning")
