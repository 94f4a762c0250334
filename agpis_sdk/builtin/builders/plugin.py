"""Announces the built-in sequence builders."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.components import SequenceBuilderSpec
from agpis_sdk.hookspecs import hookimpl


@hookimpl
def agpis_sequence_builders() -> Iterable[SequenceBuilderSpec]:
    """Announce `random`, as in the paper, and `listed`."""
    yield SequenceBuilderSpec(name="random", factory="agpis_sdk.builtin.builders.builders:RandomBuilder")
    yield SequenceBuilderSpec(name="listed", factory="agpis_sdk.builtin.builders.builders:ListedBuilder")
