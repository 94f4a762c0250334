"""`agpis review label-studio`: outcomes out as tasks, annotations back as reviews."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from agpis_sdk.cli.options import ConfigOption, SetOption, opened, settings
from agpis_sdk.errors import InputFileError

app = typer.Typer(help="Exchange with Label Studio.", no_args_is_help=True)

ProductsOption = Annotated[Path | None, typer.Option("--products", help="The products of the run.")]


@app.command("export")
def export(
    outcomes: Annotated[Path, typer.Argument(help="Output of agpis run.")],
    products: ProductsOption = None,
    out: Annotated[str, typer.Option("-o", "--out", help="Tasks as JSON; - is stdout.")] = "-",
    interface: Annotated[
        Path | None, typer.Option("--interface", help="Write the labeling interface (XML) that the tasks need.")
    ] = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Write a task for each sequence, with the run's findings and words as its prediction."""
    loaded, host = settings(config, overrides)
    from agpis_sdk.pipeline.plan import reportable_rules
    from agpis_sdk.review.label_studio import labeling_config, longest_sequence, tasks
    from agpis_sdk.review.outcomes import read_run
    from agpis_sdk.review.versions import versions_of
    from agpis_sdk.review.web.pictures import Pictures
    from agpis_sdk.rules import RuleSet

    run = read_run(outcomes, products)
    rules = RuleSet(reportable_rules(host, loaded.config))
    pictures = Pictures(loaded.config.media)

    def size_of(uri: str) -> tuple[int, int]:
        picture = pictures.get(uri, "small")
        return picture.original_width, picture.original_height

    version = versions_of(loaded.config, host).model
    with opened(out) as stream:
        json.dump(list(tasks(run.products, rules, size_of, version)), stream, indent=1)
    if interface is not None:
        interface.write_text(labeling_config(rules, longest_sequence(run.products)) + "\n", encoding="utf-8")


@app.command("import")
def import_annotations(
    annotations: Annotated[Path, typer.Argument(help="Label Studio's JSON export.")],
    products: Annotated[Path, typer.Option("--products", help="The products of the run.")],
    out: Annotated[str, typer.Option("-o", "--out", help="Reviews, one JSON object a line; - is stdout.")] = "-",
) -> None:
    """Write the annotations as reviews, which `agpis train` reads."""
    from agpis_sdk.review.label_studio import reviews_from
    from agpis_sdk.review.outcomes import products_by_id

    known = products_by_id(products)
    try:
        exported = json.loads(annotations.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputFileError(f"cannot be read: {error}", item=str(annotations), remedy="export it as JSON") from None
    with opened(out) as stream:
        for review in reviews_from(exported, known):
            stream.write(review.model_dump_json() + "\n")
