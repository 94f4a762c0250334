"""Announces the MUIsC scorer."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.builtin.muisc.config import MuiscScorerConfig, MuiscTrainingConfig
from agpis_sdk.builtin.muisc.rules import RULES
from agpis_sdk.components import EVERY_RULE, SequenceCheckerSpec
from agpis_sdk.hookspecs import hookimpl


@hookimpl
def agpis_sequence_checkers() -> Iterable[SequenceCheckerSpec]:
    """Announce the learned scorer; a trained one has a class for each image rule that it learned."""
    yield SequenceCheckerSpec(
        name="muisc",
        factory="agpis_sdk.builtin.muisc.scorer:MuiscScorer",
        rules=tuple(RULES),
        also_raises=(EVERY_RULE,),
        config=MuiscScorerConfig,
        requires=frozenset(
            {"embedding", "stride32", "stride16", "stride8", "composition", "view", "p_noncompliant"}
            | {"noncompliance.kinds", "color_histogram", "product_embedding"}
        ),
        batch_size=16,
        trainer="agpis_sdk.training.muisc.trainer:train",
        trainer_config=MuiscTrainingConfig,
        evaluator="agpis_sdk.training.muisc.evaluator:evaluate",
        adapter="agpis_sdk.training.adaptation.muisc:MuiscAdapter",
        gives_probability=True,
        cacheable=True,
    )
