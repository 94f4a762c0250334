"""What the plugin announces. Light: this file is imported by every `agpis` command, the others only by a run."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from agpis_sdk import Context, ImageCheckerSpec, PairCheckerSpec, SequenceCheckerSpec, hookimpl
from agpis_vlm.config import HeadTrainingConfig, VlmConfig
from agpis_vlm.spending import SPENDING

TABLE = "vlm"
VERDICTS = "vlm.verdicts"


@hookimpl
def agpis_image_checkers() -> Iterable[ImageCheckerSpec]:
    """Announce the check of single images by the model, and by the heads that take its place."""
    yield ImageCheckerSpec(
        name="vlm",
        factory="agpis_vlm.checker:ImageSentences",
        rules_from="agpis_vlm.rules:image_rules",
        config=VlmConfig,
        provides=frozenset({VERDICTS}),
        batch_size=8,
        costly=True,
        evaluator="agpis_vlm.evaluation:evaluate_model",
    )
    yield ImageCheckerSpec(
        name="vlm-heads",
        factory="agpis_vlm.heads:HeadChecker",
        rules_from="agpis_vlm.rules:head_rules",
        config=VlmConfig,
        table=TABLE,
        requires=frozenset({"embedding"}),
        trainer="agpis_vlm.training:train",
        trainer_config=HeadTrainingConfig,
        evaluator="agpis_vlm.evaluation:evaluate_heads",
    )


@hookimpl
def agpis_pair_checkers() -> Iterable[PairCheckerSpec]:
    """Announce the check of image pairs."""
    yield PairCheckerSpec(
        name="vlm-pairs",
        factory="agpis_vlm.checker:PairSentences",
        rules_from="agpis_vlm.rules:pair_rules",
        config=VlmConfig,
        table=TABLE,
        batch_size=8,
    )


@hookimpl
def agpis_sequence_checkers() -> Iterable[SequenceCheckerSpec]:
    """Announce the check of sequences; it gives no p^t."""
    yield SequenceCheckerSpec(
        name="vlm-sequences",
        factory="agpis_vlm.checker:SequenceSentences",
        rules_from="agpis_vlm.rules:sequence_rules",
        config=VlmConfig,
        table=TABLE,
        batch_size=8,
    )


@hookimpl
def agpis_run_started(context: Context) -> None:
    """Begin the books of a run."""
    del context
    SPENDING.begin()


@hookimpl
def agpis_run_finished(context: Context, summary: Mapping[str, Any]) -> None:
    """Say what was asked and what it cost, where anything was."""
    del context, summary
    for line in SPENDING.lines():
        sys.stderr.write(f"agpis-vlm: {line}\n")
