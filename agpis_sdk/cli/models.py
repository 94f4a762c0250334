"""`agpis models`: the versions of trained models, which of them runs, and the way back."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agpis_sdk.cli.evaluate import EvaluatedSplit, evaluation_request, print_comparison
from agpis_sdk.cli.options import ConfigOption, JsonOption, SetOption, ShopOption, settings
from agpis_sdk.errors import ConfigError

if TYPE_CHECKING:
    from agpis_sdk.review.registry import Registry
    from agpis_sdk.training.comparison import ModelComparison

app = typer.Typer(help="Versions of trained models, and which of them runs.", no_args_is_help=True)

RegistryOption = Annotated[Path, typer.Option("--registry", help="Folder of model versions.")]
NameArgument = Annotated[str, typer.Argument(help="The component.")]


@app.command("list")
def list_models(registry: RegistryOption = Path("models"), as_json: JsonOption = False) -> None:
    """List all versions; those that run are marked."""
    known = _registry(registry)
    versions = known.versions()
    if as_json:
        rows = [{**asdict(one), "runs": one.version == known.promoted(one.component)} for one in versions]
        typer.echo(json.dumps(rows, indent=2))
        return
    from rich.console import Console
    from rich.text import Text

    from agpis_sdk.report.console_table import console_table

    table = console_table()
    for heading in ("component", "version", "runs", "added", "after", "reviews"):
        table.add_column(heading)
    for one in versions:
        runs = "yes" if one.version == known.promoted(one.component) else ""
        after = f"version {one.parent}" if one.parent else "ships"
        cells = (one.component, str(one.version), runs, one.added_at, after, str(one.data.get("reviews", "")))
        table.add_row(*map(Text, cells))
    Console().print(table)


@app.command("add")
def add(
    folders: Annotated[list[Path], typer.Argument(help="Folders of agpis train.")],
    registry: RegistryOption = Path("models"),
    reviews: Annotated[Path | None, typer.Option("--reviews", help="What they learned from, for their cards.")] = None,
    outcomes: Annotated[
        Path | None,
        typer.Option("--outcomes", help="A run on what they learned from: drift is measured against its scores."),
    ] = None,
) -> None:
    """Add trained models as the next versions of their components; none of them runs yet."""
    reference = None
    if outcomes is not None:
        from agpis_sdk.review.metrics.drift import reference_of, scores_of
        from agpis_sdk.review.outcomes import read_outcomes

        reference = reference_of(scores_of([outcome for _, outcome in read_outcomes(outcomes)]))
    for folder in folders:
        added = _registry(registry).add(folder, reviews=reviews, reference=reference)
        typer.echo(f"{added.component} {added.version}")


@app.command("export")
def export(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the backbone.")] = Path("models/exported"),
    config: ConfigOption = None,
    overrides: SetOption = None,
    shop: ShopOption = None,
) -> None:
    """Export what a run with these settings computes in torch to ONNX graphs, so that it imports no torch (extra export)."""
    loaded, host = settings(config, overrides, shop=shop)
    try:
        import onnxscript  # noqa: F401
    except ImportError:
        raise ConfigError("needs onnxscript", item="models export", remedy="pip install 'agpis-sdk[export]'") from None
    from agpis_sdk.training.exports import export_models

    for one in export_models(host, loaded.config, output):
        if not one.files:
            typer.echo(f"{one.component}: runs without torch as it is")
        for file in one.files:
            typer.echo(f"{one.component}: {file}")
        for name, value in one.settings.items():
            typer.echo(f"{one.component}: to use it, set {name} = {json.dumps(value)}")


@app.command("promote")
def promote(
    name: NameArgument,
    version: Annotated[int, typer.Argument(help="The version.")],
    registry: RegistryOption = Path("models"),
    test: Annotated[Path | None, typer.Option("--test", help="Reviews on which it must not be worse.")] = None,
    split: Annotated[
        EvaluatedSplit, typer.Option("--split", help="all: reviews of which none was trained on.")
    ] = EvaluatedSplit.test,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the split, the same as in training.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Promote it whatever it is worth.")] = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Let a version run from now on; refused where it is worse than the one that runs, unless forced."""
    loaded, host = settings(config, overrides)
    known = _registry(registry)
    comparison: ModelComparison | None = None
    if test is not None:
        from agpis_sdk.training.comparison import compare_models
        from agpis_sdk.training.every_component import model_in_force

        running = known.promoted(name)
        old = str(known.place(name, running)) if running else model_in_force(host.component(name), host, loaded.config)
        request = evaluation_request(loaded, host, old, test, split=split, seed=seed)
        comparison = compare_models(host, request, str(known.place(name, version)), name, loaded.config.sequence.scorer)
        print_comparison(comparison)
    known.promote(host, name, version, comparison, force=force)
    typer.echo(f"{name} {version} runs; use it: agpis run PRODUCTS --shop {registry}", err=True)


@app.command("rollback")
def rollback(
    name: NameArgument,
    registry: RegistryOption = Path("models"),
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Let the version run again that ran before the present one."""
    _, host = settings(config, overrides)
    before = _registry(registry).rollback(host, name)
    typer.echo(f"{name} {before} runs" if before else f"the {name} that ships runs", err=True)


def _registry(folder: Path) -> Registry:
    from agpis_sdk.review.registry import Registry

    return Registry(folder)
