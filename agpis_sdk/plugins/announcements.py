"""What plugins announce: specs by hook, and to whom each belongs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agpis_sdk.components import (
    BackboneSpec,
    ComponentSpec,
    FixerSpec,
    ImageCheckerSpec,
    PairCheckerSpec,
    PrimarySelectorSpec,
    ReporterSpec,
    SequenceBuilderSpec,
    SequenceCheckerSpec,
)
from agpis_sdk.errors import PluginContractError
from agpis_sdk.plugins.discovery import PluginStatus

SPECS_PER_HOOK = 1000
SPEC_OF_HOOK: Mapping[str, type[ComponentSpec]] = {
    "agpis_image_checkers": ImageCheckerSpec,
    "agpis_pair_checkers": PairCheckerSpec,
    "agpis_sequence_checkers": SequenceCheckerSpec,
    "agpis_primary_selectors": PrimarySelectorSpec,
    "agpis_sequence_builders": SequenceBuilderSpec,
    "agpis_backbones": BackboneSpec,
    "agpis_reporters": ReporterSpec,
    "agpis_fixers": FixerSpec,
}


@dataclass(frozen=True)
class OwnedSpec:
    """A component's spec together with the plugin that announced it."""

    spec: ComponentSpec
    plugin: PluginStatus


def taken_from(announced: Any, hook: str, kind: type[Any]) -> list[Any]:
    """Take everything that a hook yields; a wrong type is an error that names it."""
    if announced is None or isinstance(announced, str | bytes | Mapping) or not isinstance(announced, Iterable):
        raise PluginContractError(f"{hook} returned {type(announced).__name__}, not an iterable of {kind.__name__}")
    collected = []
    for spec in announced:
        if not isinstance(spec, kind):
            raise PluginContractError(f"{hook} yielded {type(spec).__name__}, not {kind.__name__}")
        collected.append(spec)
        if len(collected) > SPECS_PER_HOOK:
            raise PluginContractError(f"{hook} yielded more than {SPECS_PER_HOOK} specs: an endless generator?")
    return collected


def unique_names(spec: ComponentSpec) -> list[str]:
    """Return, as error messages write it, every name that no other component may have."""
    names = [f'component "{name}"' for name in (spec.name, *spec.aliases)]
    return [*names, f'format "{spec.format}" for {spec.reports}'] if isinstance(spec, ReporterSpec) else names
