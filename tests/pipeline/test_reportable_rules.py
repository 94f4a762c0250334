"""Which rules mean something in a run: those of a profile only where it is in force."""

from __future__ import annotations

import pytest

from agpis_sdk.config import Config
from agpis_sdk.pipeline.plan import reportable_rules
from agpis_sdk.plugins import PluginHost

pytest.importorskip("agpis_marketplaces")


@pytest.fixture(scope="module")
def host() -> PluginHost:
    return PluginHost.load()


def prefixes(host: PluginHost, **sections: object) -> set[str]:
    return {rule.code[:3] for rule in reportable_rules(host, Config.model_validate(sections))}


def test_rules_of_a_profile_that_is_not_in_force_are_left_out(host: PluginHost) -> None:
    assert "AGP" in prefixes(host)
    assert "AMP" not in prefixes(host)


def test_rules_of_the_profile_in_force_are_there(host: PluginHost) -> None:
    profile = host.profile("ebay").settings

    assert "AMP" in prefixes(host, **profile)


def test_rules_that_are_not_selected_are_left_out(host: PluginHost) -> None:
    codes = {rule.code for rule in reportable_rules(host, Config.model_validate({"rules": {"select": ["AGP121"]}}))}

    assert {code for code in codes if not code.startswith("AGP9")} == {"AGP121"}
