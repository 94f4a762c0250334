"""The `agpis` command: one file per subcommand, nothing heavy imported before it is needed.

Data goes to stdout or `-o`, everything for people to stderr.
Exit codes: see `exit_codes`.
"""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from agpis_sdk import __version__
from agpis_sdk.cli import (
    adapt,
    apply,
    audit,
    bench,
    cache,
    config,
    doctor,
    evaluate,
    fix,
    import_products,
    index,
    models,
    options,
    plugins,
    profiles,
    review,
    rules,
    run,
    train,
)
from agpis_sdk.cli.exit_codes import REFUSED
from agpis_sdk.cli.streams import flush_stdout, leave, name_errors_of_stdout
from agpis_sdk.errors import AgpisError, OutputError

app = typer.Typer(
    name="agpis",
    help="Choose and order a product's images, and explain every rule that is broken.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command(
    "run",
    epilog=options.examples(
        "agpis run products.jsonl -o outcomes.jsonl --report report.html",
        "agpis run products_export.csv -o outcomes.jsonl --export shopify",
        "agpis run photos/ -o outcomes.jsonl --export folder",
        "agpis run s3://shop/products-*.jsonl --engine ray --address auto -o s3://shop/outcomes",
    ),
)(run.run)
app.command(
    "audit", epilog=options.examples("agpis audit products.jsonl", "agpis audit feed.xml --select AGP1 --format github")
)(audit.audit)
app.command(
    "import",
    epilog=options.examples(
        "agpis import wc-product-export.csv -o products.jsonl",
        'agpis import pim.csv --map id=SKU,images="Main Image" -o products.jsonl',
    ),
)(import_products.import_products)
app.command(
    "apply",
    epilog=options.examples(
        "agpis apply outcomes.jsonl products_export.csv --dry-run", "agpis apply outcomes.jsonl --to folder"
    ),
)(apply.apply)
app.command(
    "fix",
    epilog=options.examples("agpis fix products.jsonl -o fixed/", "agpis fix photos/ -o fixed/ --longest-side 2000"),
)(fix.fix)
app.command("rules")(rules.rules)
app.add_typer(plugins.app, name="plugins")
app.add_typer(config.app, name="config")
app.command("profiles")(profiles.profiles)
app.command("doctor")(doctor.doctor)
app.command(
    "adapt",
    epilog=options.examples(
        "agpis adapt products.jsonl -o our-shop", "agpis run products.jsonl --shop our-shop -o outcomes.jsonl"
    ),
)(adapt.adapt)
app.command("train", context_settings=train.FREE_OPTIONS)(train.train)
app.command("evaluate")(evaluate.evaluate)
app.add_typer(models.app, name="models")
app.add_typer(cache.app, name="cache")
app.add_typer(bench.app, name="bench")
app.add_typer(index.app, name="index")
app.add_typer(review.app, name="review")


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"agpis {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    """Options that stand before the command."""


def main() -> None:
    """Run the command line; an error that a user can act on is one line on stderr and exit code 2."""
    try:
        app()
    except AgpisError as error:
        typer.echo(f"agpis: {error}", err=True)
        sys.exit(REFUSED)


def command() -> NoReturn:
    """Run the command line as a process of its own, which ends even where a plugin has left threads running."""
    name_errors_of_stdout()
    code = 0
    try:
        main()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    try:
        flush_stdout()
    except OutputError as error:
        if code != REFUSED:  # else it has been said
            typer.echo(f"agpis: {error}", err=True)
        code = REFUSED
    leave(code)


if __name__ == "__main__":
    command()
