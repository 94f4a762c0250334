"""A component may take rules from its own settings: rules that a team writes in its config."""

from __future__ import annotations

import pytest
from pydantic import Field

from agpis_sdk.components import ComponentConfig
from agpis_sdk.errors import AgpisError, ConfigError, PluginContractError
from agpis_sdk.plugins import PluginHost
from agpis_sdk.rules import Rule
from tests.test_plugins import announcing, checker


class SentenceSettings(ComponentConfig):
    """Settings in which a team writes its own rules: code, and what it says."""

    sentences: dict[str, str] = Field(default_factory=dict)


def rules_of(settings: SentenceSettings) -> list[Rule]:
    return [
        Rule(code=code, name=f"sentence-{code.lower()}", summary=text, category="single-image")
        for code, text in settings.sentences.items()
    ]


def nothing(settings: SentenceSettings) -> list[Rule]:
    return []


def broken_rules(settings: SentenceSettings) -> list[Rule]:
    raise KeyError("sentences.txt")


def no_rules(settings: SentenceSettings) -> list[str]:
    return list(settings.sentences)


class TestRulesFromSettings:
    def host(self, sentences: dict[str, str]) -> PluginHost:
        spec = checker("sentences", (), config=SentenceSettings, rules_from=f"{__name__}:rules_of")
        host = PluginHost()
        assert host.add(announcing(spec), name="sentences").state == "active"
        host.add_rules_from({"sentences": {"sentences": sentences}})
        return host

    def test_are_rules_of_the_run_that_the_component_raises(self) -> None:
        host = self.host({"VLM101": "No hands in the picture."})

        assert host.rules["sentence-vlm101"].summary == "No hands in the picture."
        assert host.finders("VLM101") == ["sentences"]

    def test_may_not_take_the_sdk_s_own_prefix(self) -> None:
        with pytest.raises(PluginContractError, match="the prefix AGP belongs to agpis-sdk"):
            self.host({"AGP777": "No hands."})

    def test_may_not_take_another_rule_s_code(self) -> None:
        host = PluginHost()
        host.add(announcing(checker()), name="shiny")
        spec = checker("sentences", (), config=SentenceSettings, rules_from=f"{__name__}:rules_of")
        host.add(announcing(spec), name="sentences")

        with pytest.raises(PluginContractError, match=r"SHY101.*declared by both"):
            host.add_rules_from({"sentences": {"sentences": {"SHY101": "No hands."}}})

    @pytest.mark.parametrize(
        ("function", "cause"),
        [
            ("broken_rules", r"broken_rules raised KeyError: 'sentences.txt'"),
            ("no_rules", r"no_rules yielded str, not Rule"),
        ],
    )
    def test_a_function_that_fails_is_blamed_on_its_plugin(self, function: str, cause: str) -> None:
        spec = checker("sentences", (), config=SentenceSettings, rules_from=f"{__name__}:{function}")
        host = PluginHost()
        host.add(announcing(spec), name="house-rules")

        with pytest.raises(AgpisError, match=rf"house-rules local.*{cause}"):
            host.add_rules_from({"sentences": {"sentences": {"VLM101": "No hands."}}})

    def test_are_added_to_the_rules_that_the_component_declares(self) -> None:
        own = Rule(code="VLM100", name="always-asked", summary="Always asked.", category="single-image")
        spec = checker("sentences", (own,), config=SentenceSettings, rules_from=f"{__name__}:rules_of")
        host = PluginHost()
        host.add(announcing(spec), name="sentences")

        host.add_rules_from({"sentences": {"sentences": {"VLM101": "No hands."}}})

        assert host.finders("VLM100") == host.finders("VLM101") == ["sentences"]


class TestATableThatComponentsShare:
    def host(self) -> PluginHost:
        specs = [
            checker(name, (), config=SentenceSettings, table="sentences", rules_from=f"{__name__}:{function}")
            for name, function in (("sentences", "rules_of"), ("sentences-as-well", "nothing"))
        ]
        host = PluginHost()
        assert host.add(announcing(*specs), name="sentences").state == "active"
        return host

    def test_is_read_by_each_of_them(self) -> None:
        host, tables = self.host(), {"sentences": {"sentences": {"VLM101": "No hands."}}}

        settings = [host.settings_of(host.component(name), tables) for name in ("sentences", "sentences-as-well")]

        assert settings == [SentenceSettings(sentences={"VLM101": "No hands."})] * 2

    def test_is_the_only_one_that_they_have(self) -> None:
        with pytest.raises(
            ConfigError, match=r"components\.sentences-as-well: .* \(its table is components\.sentences\)"
        ):
            self.host().check_component_tables({"sentences-as-well": {}})

    def test_may_give_each_rules_of_its_own(self) -> None:
        host = self.host()

        host.add_rules_from({"sentences": {"sentences": {"VLM101": "No hands."}}})

        assert host.finders("VLM101") == ["sentences"]
