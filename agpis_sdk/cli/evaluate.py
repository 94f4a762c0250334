"""`agpis evaluate`: what a trained model is worth on products that it has not seen."""

from __future__ import annotations

import json
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from agpis_sdk.cli.options import ConfigOption, SetOption, lazy_backbone, settings


class EvaluatedSplit(StrEnum):
    """Which reviews are judged."""

    test = "test"
    validation = "validation"
    all = "all"


def evaluate(
    model: Annotated[
        str, typer.Argument(help='Folder or file of `agpis train`, a hub id, or "muisc-lite", the one that ships.')
    ],
    reviews: Annotated[Path | None, typer.Argument(help="Reviews, one JSON object a line.")] = None,
    photos: Annotated[
        list[Path] | None,
        typer.Option("--photos", help="Folder with products.jsonl, taken as accepted; repeatable."),
    ] = None,
    component: Annotated[
        str | None, typer.Option("--component", help="Whose model it is, where its folder does not say.")
    ] = None,
    split: Annotated[
        EvaluatedSplit, typer.Option("--split", help="all: reviews of which none was trained on.")
    ] = EvaluatedSplit.test,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    plots: Annotated[Path | None, typer.Option("--plots", help="Folder for curves and diagrams, as PNG.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the split and of the intervals.")] = 0,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Measure a trained model with the evaluator of its component."""
    loaded, host = settings(config, overrides)
    from agpis_sdk.pipeline.image_facts import RunFacts, image_facts
    from agpis_sdk.training.components import evaluate as run_evaluator
    from agpis_sdk.training.request import EvaluationRequest

    request = EvaluationRequest(
        model=model,
        reviews=reviews,
        photos=tuple(photos or ()),
        split=split.value,
        seed=seed,
        plots=plots,
        backbone=lazy_backbone(loaded, host),
        image_facts=partial(image_facts, host=host, config=loaded.config),
        run_facts=partial(RunFacts, host=host, config=loaded.config),
        rules=host.rules,
        note=lambda line: typer.echo(line, err=True),
    )
    evaluation = run_evaluator(host, request, component, loaded.config.sequence.scorer)
    if as_json or evaluation.table is None:
        typer.echo(json.dumps(evaluation.figures, indent=2))
    else:
        from rich.console import Console

        Console().print(evaluation.table)
