"""Rules and how a config selects among them (agpis_sdk/rules.py)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from agpis_sdk.errors import PluginContractError, UnknownNameError
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.rules import Rule, RuleSet, selected

RULE = Rule(code="ACM101", name="shiny-spot", summary="A highlight.", category="single-image")


def renamed(**fields: Any) -> Rule:
    return Rule(**{**vars(RULE), **fields})


def test_there_are_46_image_rules_in_the_three_categories_of_the_paper() -> None:
    counts = Counter(rule.category for rule in shipped_rules())

    assert counts == {"single-image": 30, "image-pair": 8, "multi-image": 8, "engine": 7}


def test_no_two_built_in_rules_share_a_code_or_a_name() -> None:
    assert (
        len({rule.code for rule in shipped_rules()})
        == len({rule.name for rule in shipped_rules()})
        == len(shipped_rules())
    )


def test_no_alias_stands_for_two_rules() -> None:
    aliases = [alias for rule in shipped_rules() for alias in rule.aliases]

    assert len(set(aliases)) == len(aliases)


@pytest.mark.parametrize("key", ["AGP119", "agp119", "banner", "Banner"])
def test_a_code_or_a_name_serves_everywhere(key: str) -> None:
    rule_set = shipped_rules()

    assert rule_set[key].code == "AGP119"
    assert key in rule_set


@pytest.mark.parametrize(
    ("key", "suggestion"), [("baner", "banner"), ("AGP1119", "AGP119"), ("low-resoluton", "low-resolution")]
)
def test_an_unknown_rule_suggests_the_nearest(key: str, suggestion: str) -> None:
    with pytest.raises(UnknownNameError, match=f'no such rule.*did you mean "{suggestion}"'):
        shipped_rules()[key]


def test_a_rule_set_lists_its_rules_by_code() -> None:
    codes = [rule.code for rule in RuleSet(reversed(list(shipped_rules())))]

    assert codes == sorted(codes)
    assert len(RuleSet()) == 7


class TestTwoRulesThatClash:
    @pytest.mark.parametrize("other", [{"name": "other-name"}, {"code": "ACM102"}])
    def test_are_refused_naming_both_owners(self, other: dict[str, Any]) -> None:
        rule_set = RuleSet()
        rule_set.add(RULE, owner="agpis-shiny 1.0 (shiny)")

        with pytest.raises(PluginContractError, match=r"agpis-shiny 1.0 \(shiny\) and agpis-acme 2.0 \(acme\)"):
            rule_set.add(renamed(**other), owner="agpis-acme 2.0 (acme)")

    def test_leave_the_first_one_standing(self) -> None:
        rule_set = RuleSet()
        rule_set.add(RULE, owner="first")

        with pytest.raises(PluginContractError):
            rule_set.add(renamed(summary="Another."), owner="second")

        assert rule_set["ACM101"] is RULE
        assert rule_set.owner("ACM101") == "first"

    def test_do_not_clash_when_they_are_the_same_rule(self) -> None:
        rule_set = RuleSet()

        rule_set.add(RULE, owner="one")
        rule_set.add(RULE, owner="one")

        assert len(rule_set) == 8

    def test_a_copy_remembers_the_owners(self) -> None:
        rule_set = RuleSet()
        rule_set.add(RULE, owner="one")

        assert rule_set.copy().owner("ACM101") == "one"
        assert [*rule_set.copy()] == [*rule_set]


class TestARule:
    @pytest.mark.parametrize("code", ["A101", "ACMES101", "acm101", "ACM1", "ACM1011", "101"])
    def test_has_a_code_of_letters_and_three_digits(self, code: str) -> None:
        with pytest.raises(ValueError, match="2-4 capital letters and three digits"):
            renamed(code=code)

    @pytest.mark.parametrize("name", ["Shiny", "shiny spot", "shiny_spot", "-shiny", ""])
    def test_has_a_name_in_kebab_case(self, name: str) -> None:
        with pytest.raises(ValueError, match="kebab-case"):
            renamed(name=name)

    @pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
    def test_has_a_threshold_in_0_to_1(self, threshold: float) -> None:
        with pytest.raises(ValueError, match=r"not in 0..1"):
            renamed(threshold=threshold)

    def test_explains_itself_in_its_own_words(self) -> None:
        assert renamed(explanation="## What it checks").page() == "## What it checks"
        assert renamed(code="AGPX101").page() == ""


@pytest.mark.parametrize(
    ("select", "ignore", "wanted"),
    [
        ((), {}, True),
        (("AGP119",), {}, True),
        (("banner",), {}, True),
        (("AGP1",), {}, True),
        (("agp1",), {}, True),
        (("AGP2",), {}, False),
        (("watermark",), {}, False),
        (("AGP2", "banner"), {}, True),
        ((), {"AGP119": "allowed"}, False),
        ((), {"banner": "allowed"}, False),
        ((), {"AGP": "allowed"}, False),
        (("AGP1",), {"AGP119": "allowed"}, False),
        ((), {"AGP12": "allowed"}, True),
    ],
)
def test_select_and_ignore_take_codes_names_and_prefixes(
    select: tuple[str, ...], ignore: dict[str, str], wanted: bool
) -> None:
    assert selected(shipped_rules()["banner"], select, ignore) is wanted


def test_engine_rules_cannot_be_ignored() -> None:
    assert selected(shipped_rules()["AGP901"], ("AGP1",), {"AGP9": "noise"})
