"""Every built-in rule has a page of its own, under the headings that `agpis rules CODE` promises."""

from __future__ import annotations

import re
import tomllib
from importlib import resources

import pytest

from agpis_sdk.config import Config, validate
from agpis_sdk.plugins import PluginHost, shipped_rules
from agpis_sdk.rules import PAGE_HEADINGS, Rule

FEWEST_WORDS = 8
CODES = {rule.code for rule in shipped_rules()}
HOST = PluginHost.load(discover=False)

each_rule = pytest.mark.parametrize("rule", shipped_rules(), ids=lambda rule: rule.code)


def sections(page: str) -> list[tuple[str, str]]:
    """Return the headings of a page in order, each with the text below it."""
    _, *parts = re.split(r"^## ", page, flags=re.MULTILINE)
    return [(heading, text) for heading, _, text in (part.partition("\n") for part in parts)]


@each_rule
def test_the_title_names_code_and_name(rule: Rule) -> None:
    assert rule.page().splitlines()[0] == f"# {rule.code} {rule.name}"


@each_rule
def test_the_headings_stand_in_order(rule: Rule) -> None:
    assert tuple(heading for heading, _ in sections(rule.page())) == PAGE_HEADINGS


@each_rule
def test_every_section_says_something(rule: Rule) -> None:
    short = [heading for heading, text in sections(rule.page()) if len(text.split()) < FEWEST_WORDS]
    assert not short


@each_rule
def test_the_page_names_what_finds_the_rule_and_how_severe_it_is(rule: Rule) -> None:
    measured = dict(sections(rule.page()))["How it is measured"].lower()
    declared_by = next(iter(HOST.finders(rule.code)), "engine")
    assert declared_by in measured
    assert rule.severity in measured


@each_rule
def test_every_rule_says_what_to_do_in_one_sentence_of_its_own(rule: Rule) -> None:
    assert rule.remedy.endswith(".")
    assert rule.remedy[:1].isupper()
    assert len(rule.remedy) <= 100


@each_rule
def test_other_rules_are_named_by_codes_that_exist(rule: Rule) -> None:
    assert set(re.findall(r"AGP\d{3}", rule.page())) <= CODES


@each_rule
def test_settings_shown_are_settings_that_exist(rule: Rule) -> None:
    for snippet in re.findall(r"```toml\n(.*?)```", rule.page(), flags=re.DOTALL):
        validate(Config, tomllib.loads(snippet), item=rule.code)


@pytest.mark.parametrize("package", sorted({rule.pages for rule in shipped_rules()}))
def test_no_page_is_left_without_a_rule(package: str) -> None:
    pages = {entry.name for entry in (resources.files(package) / "rule_pages").iterdir()}
    assert pages == {f"{rule.code}.md" for rule in shipped_rules() if rule.pages == package}


def test_no_sentence_serves_two_rules() -> None:
    owners: dict[str, set[str]] = {}
    for rule in shipped_rules():
        for sentence in re.split(r"(?<=[.!?])\s+", rule.page()):
            if len(sentence.split()) > FEWEST_WORDS:
                owners.setdefault(sentence, set()).add(rule.code)
    assert not {sentence: codes for sentence, codes in owners.items() if len(codes) > 1}
