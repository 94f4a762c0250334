"""Announces the duplicate-content checker."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.builtin.duplicates.config import DuplicatesConfig
from agpis_sdk.builtin.duplicates.rules import RULES
from agpis_sdk.components import PairCheckerSpec
from agpis_sdk.hookspecs import hookimpl


@hookimpl
def agpis_pair_checkers() -> Iterable[PairCheckerSpec]:
    """Announce the check for crops, flips and copies of the same picture."""
    yield PairCheckerSpec(
        name="duplicates",
        factory="agpis_sdk.builtin.duplicates.checker:DuplicateChecker",
        rules=tuple(RULES),
        config=DuplicatesConfig,
        requires=frozenset({"stride16"}),
        provides=frozenset({"duplicates.picture"}),
        batch_size=64,
        trainer="agpis_sdk.training.duplicates:train",
        evaluator="agpis_sdk.training.duplicates:evaluate",
        cacheable=True,
    )
