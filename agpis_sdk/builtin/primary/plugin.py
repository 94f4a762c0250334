"""Announces the primary selectors."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.builtin.primary.config import LearnedPrimaryConfig, PrimaryTrainingConfig
from agpis_sdk.components import PrimarySelectorSpec
from agpis_sdk.hookspecs import hookimpl


@hookimpl
def agpis_primary_selectors() -> Iterable[PrimarySelectorSpec]:
    """Announce `primary`, learned as in the paper, and `first`, which follows the shop's order."""
    yield PrimarySelectorSpec(
        name="primary",
        aliases=("learned",),
        factory="agpis_sdk.builtin.primary.selectors:LearnedPrimarySelector",
        config=LearnedPrimaryConfig,
        requires=frozenset({"composition", "view", "p_noncompliant", "product_embedding"}),
        provides=frozenset({"primary_reasons"}),
        batch_size=256,
        trainer="agpis_sdk.training.primary:train",
        trainer_config=PrimaryTrainingConfig,
        evaluator="agpis_sdk.training.primary:evaluate",
        adapter="agpis_sdk.training.adaptation.primary:PrimaryAdapter",
        cacheable=True,
    )
    yield PrimarySelectorSpec(
        name="first", factory="agpis_sdk.builtin.primary.selectors:FirstListedSelector", cacheable=True
    )
