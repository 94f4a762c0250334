"""`agpis-vlm`: what goes beyond a run: answers as reviews, and a test of the model's own steadiness."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from agpis_sdk.cli.options import ConfigOption, SetOption, opened, settings
from agpis_sdk.errors import AgpisError
from agpis_sdk.wording import counted, percent

REFUSED = 2

cli = typer.Typer(
    name="agpis-vlm",
    help="Answers of a vision-language model as reviews, and whether they depend on the order of the rules.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@cli.command("reviews")
def reviews(
    products: Annotated[str, typer.Argument(help="Products, as for `agpis run`.")],
    output: Annotated[str, typer.Option("-o", "--output", help="Reviews, one JSON object a line.")] = "-",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Look at the first N products only.")] = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Write the model's answers about single images as reviews; what it has answered before is not asked again."""
    from agpis_sdk.media.products import read_products
    from agpis_sdk.pipeline.image_facts import image_facts
    from agpis_vlm.plugin import VERDICTS
    from agpis_vlm.reviews import reviews_of
    from agpis_vlm.spending import SPENDING

    loaded, host = settings(config, overrides)
    SPENDING.begin()
    facts = image_facts(read_products(products, limit=limit), frozenset({VERDICTS}), host=host, config=loaded.config)
    written = 0
    with opened(output) as stream:
        for review in (review for known in facts for review in reviews_of(known, host.rules)):
            stream.write(review.model_dump_json(exclude_defaults=True) + "\n")
            written += 1
    for line in (f"{counted(written, 'review')} written", *SPENDING.lines()):
        typer.echo(f"agpis-vlm: {line}", err=True)


@cli.command("order")
def order(
    products: Annotated[str, typer.Argument(help="Products, as for `agpis run`.")],
    together: Annotated[int, typer.Option("--together", min=2, help="Rules in one request, as rules_per_call.")] = 4,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Look at the first N products only.")] = 20,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Ask each image its rules alone, together, and together in reverse; exit code 1 where a verdict changes."""
    from agpis_sdk.media.products import read_products
    from agpis_vlm.order import compare_orders

    loaded, host = settings(config, overrides)
    found = compare_orders(host, loaded.config, read_products(products, limit=limit), together)
    for name, one in found.items():
        typer.echo(
            f"{name}: {one.changed} of {counted(one.verdicts, 'verdict')} changed ({percent(one.share)}), "
            f"the scores by at most {one.largest:.2f}"
        )
    if any(one.changed for one in found.values()):
        raise typer.Exit(1)


def app() -> None:
    """Run the command line; an error that a user can act on is one line on stderr and exit code 2."""
    try:
        cli()
    except AgpisError as error:
        typer.echo(f"agpis-vlm: {error}", err=True)
        sys.exit(REFUSED)
