"""`agpis train NAME`: reviews, or galleries of photos, in; weights and what they are worth out.

Which components can be trained, and with which options, is up to the plugins.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_origin

import typer

from agpis_sdk.cli.options import ConfigOption, JsonOption, SetOption, lazy_backbone, settings, training_config
from agpis_sdk.components import ComponentConfig
from agpis_sdk.config import LoadedConfig
from agpis_sdk.errors import ConfigError, UnknownNameError, nearest
from agpis_sdk.plugins import OwnedSpec, PluginHost

if TYPE_CHECKING:
    from agpis_sdk.training.request import TrainingRequest

EVERY_COMPONENT = "all"
FREE_OPTIONS = {"allow_extra_args": True, "ignore_unknown_options": True}


def train(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="The component to train, or all; without it, they are listed.")
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder for weights and metrics.")] = None,
    photos: Annotated[
        list[Path] | None,
        typer.Option("--photos", help="Folder with products.jsonl or images.jsonl, taken as accepted; repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the split and of everything random.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint in OUT.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Train a component: agpis train NAME [REVIEWS] -o DIR [--photos DIR] [options of the trainer].

    What it writes is read by the table [components.NAME]. `agpis train` lists the components and their options.
    `agpis train all REVIEWS -o DIR` trains what reviewers teach: the first image, non-compliance and p^t, a folder each.
    """
    loaded, host = settings(config, overrides)
    from agpis_sdk.pipeline.image_facts import RunFacts, image_facts
    from agpis_sdk.training.components import train as run_trainer
    from agpis_sdk.training.components import trainable, trainer_settings
    from agpis_sdk.training.request import TrainingRequest

    known = trainable(host)
    if name is None:
        _list(known)
        return
    if name not in known and name != EVERY_COMPONENT:
        raise UnknownNameError("cannot be trained", item=name, remedy=nearest(name, known))
    if out is None:
        raise ConfigError("needs a folder for the weights", item=f"agpis train {name}", remedy="-o DIR")
    owned = known.get(name)
    reviews, options = _parsed(context.args, owned)
    request = TrainingRequest(
        reviews=reviews,
        photos=tuple(photos or ()),
        out=out,
        seed=seed,
        settings=trainer_settings(owned, options) if owned is not None else ComponentConfig(),
        backbone=lazy_backbone(loaded, host),
        image_facts=partial(image_facts, host=host, config=training_config(loaded.config)),
        run_facts=partial(RunFacts, host=host, config=loaded.config),
        rules=host.rules,
        resume=resume,
        note=lambda line: typer.echo(line, err=True),
    )
    figures = run_trainer(owned, request) if owned is not None else _train_all(host, loaded, request)
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
    else:
        from rich.console import Console

        from agpis_sdk.report.figures_table import figures_table

        Console().print(figures_table(figures))
    typer.echo(f"written to {out}; all figures: agpis train … --json, or metrics.json in it", err=True)


def _train_all(host: PluginHost, loaded: LoadedConfig, request: TrainingRequest) -> dict[str, Any]:
    from agpis_sdk.training.every_component import train_all

    results = train_all(host, loaded.config, request)
    errors = [one.error for one in results if one.error is not None]
    if errors and len(errors) == len(results):
        raise errors[0]  # each has been told; nothing was learned
    return {
        one.component: one.figures if one.error is None else {"learned": False, "reason": str(one.error)}
        for one in results
    }


def _list(known: Mapping[str, OwnedSpec]) -> None:
    for name, owned in known.items():
        typer.echo(f"{name}  ({owned.plugin.owner})")
        for field, info in owned.spec.trainer_config.model_fields.items():
            typer.echo(f"    --{field.replace('_', '-'):<16} {info.description or ''} Default: {info.get_default()}")


def _parsed(arguments: Sequence[str], owned: OwnedSpec | None) -> tuple[Path | None, dict[str, Any]]:
    """Return the file of reviews, and the trainer's options: "--batch-size 16" sets `batch_size`.

    Raises `ConfigError` for a second file, for an option without a value, and for any option of all components at once.
    """
    reviews: Path | None = None
    options: dict[str, Any] = {}
    waiting = list(arguments)
    while waiting:
        argument = waiting.pop(0)
        if not argument.startswith("--"):
            if reviews is not None:
                raise ConfigError("is one file too many", item=argument, remedy="one file of reviews")
            reviews = Path(argument)
            continue
        if owned is None:
            raise ConfigError("is an option of one trainer", item=argument, remedy="agpis train NAME")
        key, equals, value = argument[2:].partition("=")
        if not equals:
            if not waiting:
                raise ConfigError("needs a value", item=argument)
            value = waiting.pop(0)
        name = key.replace("-", "_")
        field = owned.spec.trainer_config.model_fields.get(name)
        repeatable = field is not None and get_origin(field.annotation) is tuple
        options[name] = [*options.get(name, []), value] if repeatable else value
    return reviews, options
