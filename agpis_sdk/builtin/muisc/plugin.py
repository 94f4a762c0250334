"""Announces the MUIsC scorer."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.builtin.muisc.config import MuiscScorerConfig
from agpis_sdk.components import SequenceCheckerSpec
from agpis_sdk.hookspecs import hookimpl
from agpis_sdk.rules import BUILTIN_RULES


@hookimpl
def agpis_sequence_checkers() -> Iterable[SequenceCheckerSpec]:
    """Announce the learned scorer; a trained one has a class for each image rule that there was."""
    yield SequenceCheckerSpec(
        name="muisc",
        factory="agpis_sdk.builtin.muisc.scorer:MuiscScorer",
        rules=tuple(rule for rule in BUILTIN_RULES if rule.category != "engine"),
        config=MuiscScorerConfig,
        requires=frozenset({"embedding", "tokens", "feature_map", "detail_map"}),
        batch_size=16,
        gives_probability=True,
    )
