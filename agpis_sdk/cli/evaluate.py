"""`agpis evaluate`: what a trained model is worth on products that it has not seen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agpis_sdk.cli.options import ConfigOption, SetOption, lazy_backbone, settings, training_config
from agpis_sdk.config import LoadedConfig
from agpis_sdk.plugins import PluginHost

if TYPE_CHECKING:
    from agpis_sdk.training.comparison import ModelComparison
    from agpis_sdk.training.request import EvaluationRequest


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
    compare: Annotated[
        str | None, typer.Option("--compare", help="A newer model of the same component, measured on the same data.")
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
    """Measure a trained model with the evaluator of its component, or two side by side."""
    loaded, host = settings(config, overrides)
    from agpis_sdk.training.components import evaluate as run_evaluator

    request = evaluation_request(loaded, host, model, reviews, photos=photos or (), split=split, seed=seed, plots=plots)
    if compare is not None:
        from agpis_sdk.training.comparison import compare_models

        compared = compare_models(host, request, compare, component, loaded.config.sequence.scorer)
        print_comparison(compared, as_json=as_json)
        return
    evaluation = run_evaluator(host, request, component, loaded.config.sequence.scorer)
    if as_json or evaluation.table is None:
        typer.echo(json.dumps(evaluation.figures, indent=2))
    else:
        from rich.console import Console

        Console().print(evaluation.table)


def evaluation_request(
    loaded: LoadedConfig,
    host: PluginHost,
    model: str,
    reviews: Path | None,
    *,
    photos: Sequence[Path] = (),
    split: EvaluatedSplit,
    seed: int,
    plots: Path | None = None,
) -> EvaluationRequest:
    """Return what an evaluator is asked for, with the settings of the run."""
    from agpis_sdk.pipeline.image_facts import RunFacts, image_facts
    from agpis_sdk.training.request import EvaluationRequest

    return EvaluationRequest(
        model=model,
        reviews=reviews,
        photos=tuple(photos),
        split=split.value,
        seed=seed,
        plots=plots,
        backbone=lazy_backbone(loaded, host),
        image_facts=partial(image_facts, host=host, config=training_config(loaded.config)),
        run_facts=partial(RunFacts, host=host, config=loaded.config),
        rules=host.rules,
        note=lambda line: typer.echo(line, err=True),
    )


def print_comparison(comparison: ModelComparison, *, as_json: bool = False) -> None:
    """Print the figures of two models side by side; the one that ranks them is marked."""
    if as_json:
        typer.echo(json.dumps(comparison.as_dict(), indent=2))
        return
    from rich.console import Console
    from rich.text import Text

    from agpis_sdk.report.console_table import console_table

    table = console_table()
    for heading in ("figure", "old", "new", "difference", ""):
        table.add_column(heading, justify="left" if heading in ("figure", "") else "right")
    for figure in comparison.figures:
        old, new = _with_interval(figure.old, figure.old_interval), _with_interval(figure.new, figure.new_interval)
        ranks = "decides" if figure.name == comparison.headline else ""
        table.add_row(Text(figure.name), old, new, f"{figure.difference:+.4g}", ranks)
    Console().print(table)
    Console().print(comparison.verdict)


def _with_interval(value: float, interval: tuple[float, float] | None) -> str:
    return f"{value:.4g}" if interval is None else f"{value:.4g} ({interval[0]:.3f} – {interval[1]:.3f})"
