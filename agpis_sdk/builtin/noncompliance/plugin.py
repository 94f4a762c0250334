"""Announces the non-compliance checker."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.builtin.noncompliance.config import NoncomplianceConfig, NoncomplianceTrainingConfig
from agpis_sdk.builtin.noncompliance.kinds import KINDS
from agpis_sdk.builtin.noncompliance.rules import RULES
from agpis_sdk.components import ImageCheckerSpec
from agpis_sdk.hookspecs import hookimpl


@hookimpl
def agpis_image_checkers() -> Iterable[ImageCheckerSpec]:
    """Announce the checker that gives p_nc and the most probable kind."""
    yield ImageCheckerSpec(
        name="noncompliance",
        factory="agpis_sdk.builtin.noncompliance.checker:NoncomplianceChecker",
        rules=tuple(RULES),
        also_raises=tuple(code for code, _, _ in KINDS.values() if code not in RULES),
        config=NoncomplianceConfig,
        requires=frozenset({"stride32", "stride16", "stride8", "foreground"}),
        provides=frozenset({"p_noncompliant", "noncompliance.kinds"}),
        batch_size=8,
        trainer="agpis_sdk.training.noncompliance:train",
        trainer_config=NoncomplianceTrainingConfig,
        evaluator="agpis_sdk.training.noncompliance:evaluate",
        adapter="agpis_sdk.training.adaptation.noncompliance:ThresholdAdapter",
        cacheable=True,
    )
