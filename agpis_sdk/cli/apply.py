"""`agpis apply`: the decisions of a run, brought back into the shop or on to another tool."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agpis_sdk.cli.exports import DecisionExport, print_lines
from agpis_sdk.cli.options import (
    OUTPUT,
    ConfigOption,
    FromOption,
    HeldOption,
    MapOption,
    NoPluginsOption,
    ProductsGiven,
    SetOption,
    settings,
)
from agpis_sdk.errors import ConfigError
from agpis_sdk.wording import printable


def apply(
    outcomes: Annotated[Path, typer.Argument(help="Outcomes that `agpis run -o` wrote.")],
    products: Annotated[
        str | None, typer.Argument(help="The file that the products were read from: a shop's format is written anew.")
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="shopify, woocommerce, magento, google, google-xml, amazon, folder, csv, parquet, label-studio, fiftyone, or "
            "a format of a plugin; the format of PRODUCTS where it is left out.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Where to write; beside the outcomes where it is left out.", rich_help_panel=OUTPUT
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; print what would change.", rich_help_panel=OUTPUT)
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Replace an earlier export; in a folder, what others put there stays.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    held: HeldOption = False,
    products_format: FromOption = None,
    mapping: MapOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    no_plugins: NoPluginsOption = False,
) -> None:
    """Write the images of every submitted product in the order that a run has chosen; the file that they were read from stays as it is."""
    loaded, host = settings(config, overrides, no_plugins=no_plugins)
    source = None
    if products is not None:
        source = ProductsGiven(products, products_format, mapping, None).read(loaded, host).source
    name = file_format or (source.format if source is not None else "")
    if not name:
        raise ConfigError("is needed", item="--to", remedy="for example --to folder, or name the shop's file")
    export = DecisionExport(name, outcomes, output, loaded, host, held=held, replaces=force or dry_run)
    if not dry_run:
        print_lines(export.write(source))
        return
    for change in export.changes(source):
        typer.echo(printable(change))
