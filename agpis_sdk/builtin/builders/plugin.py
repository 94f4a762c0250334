"""Announces the built-in sequence builders."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.builtin.builders.config import SearchBuilderConfig
from agpis_sdk.components import SequenceBuilderSpec
from agpis_sdk.hookspecs import hookimpl


@hookimpl
def agpis_sequence_builders() -> Iterable[SequenceBuilderSpec]:
    """Announce `random`, as in the paper, `listed`, and `search`."""
    yield SequenceBuilderSpec(
        name="random", factory="agpis_sdk.builtin.builders.builders:RandomBuilder", cacheable=True
    )
    yield SequenceBuilderSpec(
        name="search",
        factory="agpis_sdk.builtin.builders.search:SearchBuilder",
        config=SearchBuilderConfig,
        requires=frozenset({"color_histogram", "product_embedding"}),
        needs_scorer=True,
        cacheable=True,
    )
    yield SequenceBuilderSpec(
        name="listed", factory="agpis_sdk.builtin.builders.builders:ListedBuilder", cacheable=True
    )
