"""`agpis adapt`: a shop's galleries as they are listed in, a folder for `--shop` out; no reviews are needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agpis_sdk.cli.options import (
    ConfigOption,
    FromOption,
    MapOption,
    NoPluginsOption,
    ProductsArgument,
    ProductsGiven,
    ProfileOption,
    SetOption,
    settings,
)


def adapt(
    catalog: ProductsArgument,
    out: Annotated[Path, typer.Option("-o", "--out", help="The shop's folder, for `agpis run --shop`.")],
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Learn from the first N products; more teach little.")
    ] = 300,
    false_alarms: Annotated[
        float, typer.Option("--false-alarms", min=0, max=0.5, help="Share of its own photos that may be refused.")
    ] = 0.05,
    reviews: Annotated[
        Path | None, typer.Option("--reviews", help="The shop's own reviews; they count more than its galleries.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Leave out the sequence model, which takes minutes.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the cross-validation.")] = 0,
    file_format: FromOption = None,
    mapping: MapOption = None,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    overrides: SetOption = None,
    no_plugins: NoPluginsOption = False,
) -> None:
    """Learn a shop from its galleries as they are: which image comes first, how strict p_nc may be, what it accepts.

    Each part is taken only where cross-validation on the shop's own products says that it is better.
    """
    loaded, host = settings(config, overrides, profile, no_plugins=no_plugins)
    records = ProductsGiven(catalog, file_format, mapping, limit).read(loaded, host)
    from rich.console import Console

    from agpis_sdk.datasets.galleries import read_reviews
    from agpis_sdk.report.console_table import console_table
    from agpis_sdk.training.adaptation.shop import adapt_shop, percent

    shop = adapt_shop(
        records,
        out,
        host=host,
        config=loaded.config,
        false_alarms=false_alarms,
        reviews=list(read_reviews(reviews)) if reviews else (),
        quick=quick,
        seed=seed,
    )
    table = console_table()
    for heading in ("part", "measured", "examples", "before", "after", "taken"):
        table.add_column(heading, justify="right" if heading in ("examples", "before", "after") else "left")
    for row in shop.parts:
        figures = (str(row.examples), percent(row.before), percent(row.after))
        table.add_row(row.part, row.measure, *figures, "yes" if row.adopted else "no")
    console = Console(stderr=True)
    console.print(f"{shop.products} products, {shop.images} images")
    console.print(table)
    for row in shop.parts:
        console.print(f"{row.part}: {row.reason}", markup=False, highlight=False)
    console.print(f"written to {out}; use it: agpis run PRODUCTS --shop {out}", markup=False, soft_wrap=True)
