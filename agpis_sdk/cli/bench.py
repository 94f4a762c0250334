"""`agpis bench`: reviewed sequences made from clean photos, for training and for measuring."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Make reviewed sequences from clean photos.", no_args_is_help=True)


@app.callback()
def _bench() -> None:
    """Make reviewed sequences from clean photos."""


@app.command("build")
def build(
    photos: Annotated[list[Path], typer.Option("--photos", help="Folder with products.jsonl; repeatable.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for reviews.jsonl and its images.")],
    seed: Annotated[int, typer.Option("--seed", help="Seed of the split and of every draw.")] = 0,
    per_product: Annotated[int, typer.Option("--per-product", min=1, help="Sequences drawn per product.")] = 40,
) -> None:
    """Write accepted sequences, and rejected ones with a known violation, as reviews."""
    from agpis_sdk.bench.reviews import build_reviews

    count = build_reviews(photos, out, seed=seed, per_product=per_product)
    typer.echo(f"{count} reviews written to {out / 'reviews.jsonl'}", err=True)
