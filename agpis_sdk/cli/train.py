"""`agpis train`: reviews, or galleries of photos, in; weights and what they are worth out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agpis_sdk.cli.options import ConfigOption, SetOption, fail, settings
from agpis_sdk.errors import ConfigError

if TYPE_CHECKING:
    from agpis_sdk.components import Backbone
    from agpis_sdk.records import Review

app = typer.Typer(help="Train the models of the pipeline.", no_args_is_help=True)

ReviewsArgument = Annotated[Path | None, typer.Argument(help="Reviews, one JSON object a line.")]
OutOption = Annotated[Path, typer.Option("-o", "--out", help="Folder for weights and metrics.")]
PhotosOption = Annotated[
    list[Path] | None,
    typer.Option("--photos", help="Folder with products.jsonl or images.jsonl, taken as accepted; repeatable."),
]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of the split and of everything random.")]


@app.command("primary")
def primary(
    out: OutOption,
    reviews: ReviewsArgument = None,
    photos: PhotosOption = None,
    seed: SeedOption = 0,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Train the primary head: which image do accepted sequences begin with?"""
    examples = _examples(reviews, photos)
    from agpis_sdk.learn.primary import train_primary

    _print(train_primary(examples, out, _backbone(config, overrides), seed=seed), out)


@app.command("noncompliance")
def noncompliance(
    out: OutOption,
    reviews: ReviewsArgument = None,
    photos: PhotosOption = None,
    seed: SeedOption = 0,
    epochs: Annotated[int, typer.Option("--epochs", min=1)] = 10,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Train the non-compliance head: accepted photos against the same photos with violations drawn in."""
    examples = _examples(reviews, photos)
    from agpis_sdk.learn.noncompliance import train_noncompliance

    _print(train_noncompliance(examples, out, _backbone(config, overrides), seed=seed, epochs=epochs), out)


@app.command("muisc")
def muisc(
    reviews: Annotated[Path, typer.Argument(help="Reviews, one JSON object a line; `agpis bench build` makes some.")],
    out: OutOption,
    seed: SeedOption = 0,
    epochs: Annotated[int, typer.Option("--epochs", min=1)] = 12,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Train MUIsC: which sequences do reviewers accept, and what do they say of the others?"""
    examples = _examples(reviews, None)
    from agpis_sdk.learn.muisc import train_muisc

    _print(train_muisc(examples, out, _backbone(config, overrides), seed=seed, epochs=epochs), out)


def _examples(reviews: Path | None, photos: list[Path] | None) -> Iterator[Review]:
    if (reviews is None) == (not photos):
        raise fail(ConfigError("name either REVIEWS or --photos", item="agpis train"))
    from agpis_sdk.learn.galleries import read_galleries, read_reviews

    return read_reviews(reviews) if reviews else read_galleries(photos or [])


def _backbone(config: Path | None, overrides: list[str] | None) -> Backbone:
    loaded, host = settings(config, overrides)
    owned = host.named("agpis_backbones", loaded.config.backbone.name, setting="backbone.name")
    backbone: Backbone = host.create(owned, loaded.config.components)
    return backbone


def _print(metrics: dict[str, Any], out: Path) -> None:
    typer.echo(json.dumps(metrics, indent=2))
    typer.echo(f"written to {out}", err=True)
