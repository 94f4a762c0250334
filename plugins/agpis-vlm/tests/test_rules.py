"""Rules that are written in the config are rules of the run; mistakes in them are named before anything is asked."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from agpis_vlm import plugin
from conftest import NO_GREEN, NO_RED

from agpis_sdk.errors import AgpisError, ConfigError
from agpis_sdk.plugins import PluginHost
from agpis_sdk.rules import PAGE_HEADINGS
from agpis_sdk.testing import assert_light_import, isolated_host


def host_of(rules: dict[str, Any], **settings: Any) -> PluginHost:
    host = isolated_host(plugin)
    host.add_rules_from({"vlm": {"rules": rules, **settings}})
    return host


def test_a_sentence_is_a_rule_of_the_run() -> None:
    rule = host_of({"VLM101": NO_RED | {"severity": "error", "threshold": 0.7, "aliases": ["crimson"]}}).rules["no-red"]

    assert (rule.code, rule.summary, rule.category) == ("VLM101", "No red products.", "single-image")
    assert (rule.severity, rule.threshold, rule.aliases) == ("error", 0.7, ("crimson",))


@pytest.mark.parametrize(
    ("written", "finder"),
    [
        ({"applies_to": "image"}, "vlm"),
        ({"applies_to": "pair"}, "vlm-pairs"),
        ({"applies_to": "sequence"}, "vlm-sequences"),
        ({"judge": "head"}, "vlm-heads"),
    ],
)
def test_its_kind_and_its_judge_say_which_component_finds_it(written: dict[str, str], finder: str) -> None:
    assert host_of({"VLM101": NO_RED | written}).finders("VLM101")[0] == finder


@pytest.mark.parametrize("judge", ["model", "head"])
def test_its_page_has_the_headings_of_every_rule_s_page(judge: str) -> None:
    page = host_of({"VLM101": NO_RED | {"judge": judge, "fails": ["red.jpg"]}}).rules["VLM101"].page()

    assert all(f"## {heading}" in page for heading in PAGE_HEADINGS)
    assert "No red products." in page
    assert "Violates: `red.jpg`." in page


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"VLM101": {"name": "no-red"}}, "rules.VLM101.text: is missing"),
        ({"VLM101": NO_RED | {"applies": "pair"}}, 'applies: unknown key (did you mean "applies_to"?'),
        ({"VLM101": NO_RED | {"applies_to": "pair", "judge": "head"}}, "is for rules that apply to an image"),
        ({"VLM101": NO_RED | {"name": "No red!"}}, "use kebab-case"),
        ({"red": NO_RED}, "use 2-4 capital letters and three digits"),
        ({"AGP777": NO_RED}, "the prefix AGP belongs to agpis-sdk"),
        ({"VLM101": NO_RED, "VLM102": NO_RED}, 'rule "no-red" is declared by both'),
    ],
)
def test_a_mistake_in_it_is_named(rules: dict[str, Any], words: str) -> None:
    with pytest.raises(AgpisError) as raised:
        host_of(rules)

    assert words in str(raised.value)


def test_the_endpoint_is_an_address() -> None:
    with pytest.raises(ConfigError, match=r"components\.vlm: endpoint: write it with http:// or https://"):
        host_of({}, endpoint="localhost:8000")


def test_the_settings_of_the_readme_are_known() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (settings,) = re.findall(r"^```toml\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)

    host_of(tomllib.loads(settings)["components"]["vlm"]["rules"])


def test_the_four_components_share_one_table() -> None:
    host = host_of({"VLM101": NO_RED, "VLM102": NO_GREEN})

    host.check_component_tables({"vlm": {"rules": {"VLM101": NO_RED}}})
    with pytest.raises(ConfigError, match=r"components\.vlm-pairs: .* \(its table is components\.vlm\)"):
        host.check_component_tables({"vlm-pairs": {}})


def test_every_command_may_import_the_announcement() -> None:
    assert_light_import("agpis_vlm.plugin")
