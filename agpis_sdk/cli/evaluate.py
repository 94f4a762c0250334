"""`agpis evaluate`: what a trained model is worth on products that it has not seen."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from agpis_sdk.cli.options import ConfigOption, SetOption, backbone, fail
from agpis_sdk.components import Backbone
from agpis_sdk.datasets.splits import Split
from agpis_sdk.errors import ConfigError, TrainingDataError


class EvaluatedSplit(StrEnum):
    """Which reviews are judged."""

    test = "test"
    validation = "validation"
    all = "all"


def evaluate(
    model: Annotated[str, typer.Argument(help="A folder of `agpis train`, or for MUIsC a hub id.")],
    reviews: Annotated[Path | None, typer.Argument(help="Reviews, one JSON object a line.")] = None,
    photos: Annotated[
        list[Path] | None,
        typer.Option("--photos", help="Stage 1: folder with products.jsonl, taken as accepted; repeatable."),
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
    """Measure a sequence model (AUC, per rule, calibration, feedback), or a model of stage 1 (printed as JSON)."""
    from agpis_sdk.training.stage1_evaluation import stage1_file

    weights = stage1_file(Path(model))
    if weights:
        _evaluate_stage1(weights, reviews, photos or [], split, seed, backbone(config, overrides))
        return
    if reviews is None:
        raise fail(ConfigError("a sequence model is measured on REVIEWS", item="agpis evaluate"))
    from agpis_sdk.builtin.muisc.checkpoints import load_muisc
    from agpis_sdk.datasets.galleries import read_reviews, split_of_review
    from agpis_sdk.evaluation.metrics import evaluate as measured
    from agpis_sdk.evaluation.predict import judge
    from agpis_sdk.evaluation.table import evaluation_table
    from agpis_sdk.training.muisc.trainer import learnable

    chosen = [
        review
        for review in read_reviews(reviews)
        if split is EvaluatedSplit.all or split_of_review(review, seed=seed) == split.value
    ]
    if not chosen:
        raise TrainingDataError(f"has no review of the {split.value} split", item=str(reviews), remedy="--split all")
    muisc, text = load_muisc(Path(model) if Path(model).exists() else model)
    source = learnable(chosen, backbone(config, overrides), muisc.config, seed=seed)
    judged = judge(muisc, text, source, source.every_row)
    report = measured(judged, seed=seed)
    for skipped in source.skipped:
        typer.echo(f"skipped {skipped.product}: {skipped.reason}", err=True)
    if plots:
        from agpis_sdk.evaluation.plots import write_plots

        for path in write_plots(judged, report, plots):
            typer.echo(f"written to {path}", err=True)
    if as_json:
        typer.echo(json.dumps({**report.as_dict(), "skipped_reviews": len(source.skipped)}, indent=2))
    else:
        from rich.console import Console

        Console().print(evaluation_table(report))


def _evaluate_stage1(
    weights: Path, reviews: Path | None, photos: list[Path], split: EvaluatedSplit, seed: int, model: Backbone
) -> None:
    from agpis_sdk.datasets.galleries import read_galleries, read_reviews
    from agpis_sdk.training.stage1_evaluation import evaluate_stage1

    if (reviews is None) == (not photos):
        raise fail(ConfigError("name either REVIEWS or --photos", item="agpis evaluate"))
    name: Split = "validation" if split is EvaluatedSplit.validation else "test"
    if split is EvaluatedSplit.all:
        raise fail(ConfigError("models of stage 1 are measured on one split", item="--split", remedy="test"))
    accepted = read_reviews(reviews) if reviews else read_galleries(photos)
    figures = evaluate_stage1(weights, accepted, photos, model, split=name, seed=seed)
    typer.echo(json.dumps(figures, indent=2))
