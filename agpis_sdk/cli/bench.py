"""`agpis bench`: reviewed sequences made from clean photos, for training and for measuring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

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
    from agpis_sdk.bench.reviews import REVIEWS, build_reviews

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
    from agpis_sdk.bench.contact_sheets import write_contact_sheets

    paths = write_contact_sheets(bench, out, split=split)
    typer.echo(f"{len(paths)} contact sheets in {out}", err=True)
