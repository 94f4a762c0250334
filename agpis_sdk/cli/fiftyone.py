"""`agpis review fiftyone`: outcomes to FiftyOne, and what people tagged there back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from agpis_sdk.cli.options import ConfigOption, ProfileOption, SetOption, opened, settings
from agpis_sdk.errors import InputFileError

app = typer.Typer(help="Exchange with FiftyOne.", no_args_is_help=True)


@app.command("export")
def export(
    outcomes: Annotated[Path, typer.Argument(help="Output of agpis run.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder that FiftyOne imports as a FiftyOneDataset.")],
    products: Annotated[
        Path | None, typer.Option("--products", help="The products of the run: titles, categories and whole addresses.")
    ] = None,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    overrides: SetOption = None,
) -> None:
    """Write a sample for each image of each proposed sequence, with the run's findings as detections."""
    loaded, host = settings(config, overrides, profile)
    from agpis_sdk.review.fiftyone_dataset import METADATA, SAMPLES, metadata, samples
    from agpis_sdk.review.outcomes import read_run
    from agpis_sdk.review.versions import versions_of
    from agpis_sdk.review.web.pictures import Pictures

    run = read_run(outcomes, products)
    pictures = Pictures(loaded.config.media)

    def size_of(uri: str) -> tuple[int, int]:
        picture = pictures.get(uri, "small")
        return picture.original_width, picture.original_height

    written = list(samples(run.products, host.rules, size_of))
    out.mkdir(parents=True, exist_ok=True)
    about = metadata(versions_of(loaded.config, host).model)
    (out / METADATA).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    (out / SAMPLES).write_text(json.dumps({"samples": written}, indent=1) + "\n", encoding="utf-8")
    typer.echo(f"{len(written)} samples written to {out}", err=True)


@app.command("import")
def import_tags(
    exported: Annotated[Path, typer.Argument(help="Folder that FiftyOne exported as a FiftyOneDataset.")],
    products: Annotated[Path, typer.Option("--products", help="The products of the run.")],
    out: Annotated[str, typer.Option("-o", "--out", help="Reviews, one JSON object a line; - is stdout.")] = "-",
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Write what the tags decide as reviews, which `agpis train` reads."""
    _, host = settings(config, overrides)
    from agpis_sdk.review.fiftyone_dataset import SAMPLES, reviews_from
    from agpis_sdk.review.outcomes import products_by_id

    known = products_by_id(products)
    path = exported / SAMPLES
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["samples"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputFileError(f"cannot be read: {error}", item=str(path), remedy="export as FiftyOneDataset") from None
    with opened(out) as stream:
        for review in reviews_from(found, known, host.rules):
            stream.write(review.model_dump_json() + "\n")
