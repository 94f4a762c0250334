"""`agpis train`: reviews, or galleries of photos, in; weights and what they are worth out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agpis_sdk.cli.options import ConfigOption, SetOption, backbone, fail
from agpis_sdk.errors import ConfigError

if TYPE_CHECKING:
    from agpis_sdk.records import Review

app = typer.Typer(help="Train the models of the pipeline.", no_args_is_help=True)


class ModelSize(StrEnum):
    """The configs of MUIsC that can be trained by name."""

    lite = "lite"
    paper = "paper"
    released = "released"


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
    from agpis_sdk.training.primary import train_primary

    _print(train_primary(examples, out, backbone(config, overrides), seed=seed), out)


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
    from agpis_sdk.training.noncompliance import train_noncompliance

    _print(train_noncompliance(examples, out, backbone(config, overrides), seed=seed, epochs=epochs), out)


@app.command("pairs")
def pairs(
    out: OutOption,
    photos: Annotated[
        list[Path], typer.Option("--photos", help="Folder with products.jsonl and facts.json; repeatable.")
    ],
    seed: SeedOption = 0,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Train the verdict on image pairs: duplicate, color variant, similar angle or fine?"""
    from agpis_sdk.training.duplicates import train_pairs

    _print(train_pairs(photos, out, backbone(config, overrides), seed=seed), out)


@app.command("muisc")
def muisc(
    reviews: Annotated[Path, typer.Argument(help="Reviews, one JSON object a line; `agpis bench build` makes some.")],
    out: OutOption,
    seed: SeedOption = 0,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Most passes over the train split.")] = 10,
    batch_size: Annotated[
        int | None,
        typer.Option("--batch-size", min=1, help="64; with --adapt 16, which makes more steps of few reviews."),
    ] = None,
    accumulation: Annotated[int, typer.Option("--accumulation", min=1, help="Batches per step.")] = 1,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            "--learning-rate", help="8e-4 for a model from nothing, 2e-4 with --adapt, 1.5e-4 for --size paper."
        ),
    ] = None,
    adapt: Annotated[
        str | None,
        typer.Option(
            "--adapt", help='A trained model to go on from: "muisc-lite", which ships, a folder, or a hub id.'
        ),
    ] = None,
    size: Annotated[ModelSize, typer.Option("--size", help="The small model, the paper's, or the released layout.")] = (
        ModelSize.lite
    ),
    switches: Annotated[
        list[str] | None,
        typer.Option("--switch", help='A field of MuiscConfig, e.g. "use_title=false" or "nlg_weight=0"; repeatable.'),
    ] = None,
    accepted_share: Annotated[
        float, typer.Option("--accepted-share", min=0.05, max=0.95, help="Most accepted reviews in the train split.")
    ] = 0.5,
    title_products: Annotated[
        int, typer.Option("--title-products", min=1, help="Do not read title words of fewer products; 1 reads all.")
    ] = 3,
    tower: Annotated[str | None, typer.Option("--tower", help="Pretrained weights of the config's own tower.")] = None,
    decoder: Annotated[str | None, typer.Option("--decoder", help="A GPT-2 folder or hub id to begin from.")] = None,
    tokenizer: Annotated[str | None, typer.Option("--tokenizer", help="A Hugging Face tokenizer to use.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint in OUT.")] = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Train MUIsC: which sequences do reviewers accept, and what do they say of the others?"""
    if adapt and (switches or size is not ModelSize.lite):
        raise fail(ConfigError("keeps its own config", item=f"--adapt {adapt}", remedy="leave out --size and --switch"))
    examples = list(_examples(reviews, None))
    from agpis_sdk.datasets.galleries import thinned
    from agpis_sdk.training.muisc.initialization import Beginning, switched_config
    from agpis_sdk.training.muisc.trainer import TrainingPlan, train_muisc

    plan = TrainingPlan(
        epochs=epochs,
        batch_size=batch_size or (16 if adapt else 64),
        accumulation=accumulation,
        learning_rate=learning_rate or (2e-4 if adapt else 8e-4 if size is ModelSize.lite else 1.5e-4),
        seed=seed,
        title_products=title_products,
    )
    metrics = train_muisc(
        thinned(examples, accepted_share=accepted_share, seed=seed),
        out,
        backbone(config, overrides),
        config=switched_config(size.value, switches or []),
        plan=plan,
        begin=Beginning(tower, decoder, tokenizer, adapt),
        cache=reviews.parent / "features",
        resume=resume,
    )
    for skipped in metrics["skipped_reviews"]:
        typer.echo(f"skipped {skipped['product']}: {skipped['reason']}", err=True)
    if metrics["unnamed_rules"]:
        typer.echo(f"{metrics['unnamed_rules']} rejected reviews name no rule that we know: class other", err=True)
    if not metrics["calibrated_on"]:
        typer.echo(
            "the validation split does not hold both decisions: p^t is not calibrated to these reviews", err=True
        )
    _print(metrics.get("test", metrics), out)


def _examples(reviews: Path | None, photos: list[Path] | None) -> Iterator[Review]:
    if (reviews is None) == (not photos):
        raise fail(ConfigError("name either REVIEWS or --photos", item="agpis train"))
    from agpis_sdk.datasets.galleries import read_galleries, read_reviews

    return read_reviews(reviews) if reviews else read_galleries(photos or [])


def _print(metrics: dict[str, Any], out: Path) -> None:
    typer.echo(json.dumps(metrics, indent=2))
    typer.echo(f"written to {out}", err=True)
