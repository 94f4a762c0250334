"""The list of facts against what the SDK's own components announce."""

from __future__ import annotations

from agpis_sdk.facts import FACTS
from agpis_sdk.plugins import PluginHost

SPECS = [owned.spec for _, owned in PluginHost.load(discover=False).all_specs()]


def test_the_list_holds_every_fact_that_a_builtin_component_provides() -> None:
    assert frozenset().union(*(spec.provides for spec in SPECS)) == FACTS.keys()


def test_no_builtin_component_requires_a_fact_beyond_the_list() -> None:
    assert frozenset().union(*(spec.requires for spec in SPECS)) <= FACTS.keys()
