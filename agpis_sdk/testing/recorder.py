"""A plugin that announces nothing and remembers every hook that is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agpis_sdk.components import (
    BackboneSpec,
    Context,
    FixerSpec,
    ImageCheckerSpec,
    PairCheckerSpec,
    PrimarySelectorSpec,
    Profile,
    ReaderSpec,
    ReporterSpec,
    SequenceBuilderSpec,
    SequenceCheckerSpec,
    WriterSpec,
)
from agpis_sdk.hookspecs import hookimpl


@dataclass(frozen=True)
class HookCall:
    """One call of a hook: its name and its arguments as they were then."""

    hook: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


class HookRecorder:
    """Add it to a host: `host.add(recorder, name="recorder")`; `calls` are in the order in which they came."""

    def __init__(self) -> None:
        self.calls: list[HookCall] = []

    def of(self, hook: str) -> list[HookCall]:
        """Return the calls of one hook."""
        return [call for call in self.calls if call.hook == hook]

    def _note(self, hook: str, **arguments: Any) -> None:
        self.calls.append(HookCall(hook, arguments))

    @hookimpl
    def agpis_image_checkers(self) -> list[ImageCheckerSpec]:
        """Note the call."""
        self._note("agpis_image_checkers")
        return []

    @hookimpl
    def agpis_pair_checkers(self) -> list[PairCheckerSpec]:
        """Note the call."""
        self._note("agpis_pair_checkers")
        return []

    @hookimpl
    def agpis_sequence_checkers(self) -> list[SequenceCheckerSpec]:
        """Note the call."""
        self._note("agpis_sequence_checkers")
        return []

    @hookimpl
    def agpis_primary_selectors(self) -> list[PrimarySelectorSpec]:
        """Note the call."""
        self._note("agpis_primary_selectors")
        return []

    @hookimpl
    def agpis_sequence_builders(self) -> list[SequenceBuilderSpec]:
        """Note the call."""
        self._note("agpis_sequence_builders")
        return []

    @hookimpl
    def agpis_backbones(self) -> list[BackboneSpec]:
        """Note the call."""
        self._note("agpis_backbones")
        return []

    @hookimpl
    def agpis_profiles(self) -> list[Profile]:
        """Note the call."""
        self._note("agpis_profiles")
        return []

    @hookimpl
    def agpis_reporters(self) -> list[ReporterSpec]:
        """Note the call."""
        self._note("agpis_reporters")
        return []

    @hookimpl
    def agpis_fixers(self) -> list[FixerSpec]:
        """Note the call."""
        self._note("agpis_fixers")
        return []

    @hookimpl
    def agpis_readers(self) -> list[ReaderSpec]:
        """Note the call."""
        self._note("agpis_readers")
        return []

    @hookimpl
    def agpis_writers(self) -> list[WriterSpec]:
        """Note the call."""
        self._note("agpis_writers")
        return []

    @hookimpl
    def agpis_run_started(self, context: Context) -> None:
        """Note the call with its context."""
        self._note("agpis_run_started", context=context)

    @hookimpl
    def agpis_run_finished(self, context: Context, summary: Mapping[str, Any]) -> None:
        """Note the call with a copy of the summary."""
        self._note("agpis_run_finished", context=context, summary=dict(summary))
