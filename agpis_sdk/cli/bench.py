"""`agpis bench`: reviewed sequences made from clean photos, for training and for measuring."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from agpis_sdk.errors import ConfigError, first_problem

app = typer.Typer(help="Make reviewed sequences from clean photos.", no_args_is_help=True)

BenchArgument = Annotated[Path, typer.Argument(help="A folder of `agpis bench build`.")]


@app.callback()
def _bench() -> None:
    """Make reviewed sequences from clean photos."""


@app.command("build")
def build(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for reviews.jsonl, its images and a manifest.")],
    photos: Annotated[list[Path], typer.Option("--photos", help="Folder with products.jsonl; repeatable.")],
    marked: Annotated[
        list[Path] | None,
        typer.Option("--marked-photos", help="Likewise, where the shop's mark in the corner is to be taken off first."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the split and of every draw.")] = 0,
    per_product: Annotated[int, typer.Option("--per-product", min=1, help="Sequences drawn per product.")] = 100,
) -> None:
    """Write accepted sequences, and rejected ones with a known violation, as reviews."""
    from agpis_sdk.synthetic.reviews import REVIEWS, build_reviews

    manifest = build_reviews(photos, out, marked=marked or (), seed=seed, per_product=per_product)
    typer.echo(json.dumps(manifest, indent=2))
    typer.echo(f"written to {out / REVIEWS}", err=True)


@app.command("show")
def show(
    bench: BenchArgument,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the contact sheets.")],
    split: Annotated[str | None, typer.Option("--split", help="train, validation or test; all when unset.")] = None,
) -> None:
    """Draw a contact sheet per rule, to look at before training on it."""
    from agpis_sdk.synthetic.contact_sheets import write_contact_sheets

    paths = write_contact_sheets(bench, out, split=split)
    typer.echo(f"{len(paths)} contact sheets in {out}", err=True)


@app.command("tables")
def tables(
    bench: BenchArgument,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for results; a run that was cut off goes on there.")],
    config: Annotated[
        Path, typer.Option("--config", help="Seeds, backbones and rows, such as benchmarks/tables.toml.")
    ],
) -> None:
    """Compute the paper's tables 2 and 3: single towers against MUIsC, and what each part of MUIsC adds."""
    import tomllib

    from pydantic import ValidationError

    from agpis_sdk.builtin.muisc.processor import FACTS
    from agpis_sdk.cli.options import lazy_backbone, settings
    from agpis_sdk.components import FeatureSource
    from agpis_sdk.datasets.galleries import read_reviews
    from agpis_sdk.pipeline.image_facts import RunFacts
    from agpis_sdk.synthetic.reviews import REVIEWS, read_manifest
    from agpis_sdk.training.paper_tables import TablesConfig, render_tables, run_tables

    def feature_source(overrides: Sequence[str], evidence: bool) -> FeatureSource:
        loaded, host = settings(None, list(overrides))
        return RunFacts(FACTS, host=host, config=loaded.config) if evidence else lazy_backbone(loaded, host)()

    read_manifest(bench)
    try:
        wanted = TablesConfig.model_validate(tomllib.loads(config.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        what = str(first_problem(error)) if isinstance(error, ValidationError) else str(error)
        raise ConfigError(what, item=str(config), remedy="see benchmarks/tables.toml") from error
    unknown = [row.backbone for row in wanted.row if row.backbone not in wanted.backbones]
    if unknown:
        raise ConfigError("is not under [backbones]", item=f"{config}: {unknown[0]}")
    results = run_tables(
        list(read_reviews(bench / REVIEWS)),
        wanted,
        out,
        feature_source,
        cache=bench / "features",
    )
    (out / "tables.md").write_text(render_tables(results, wanted), encoding="utf-8")
    typer.echo(render_tables(results, wanted))
    typer.echo(f"written to {out / 'tables.md'}", err=True)
