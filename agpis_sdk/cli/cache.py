"""`agpis cache`: what `run.cache` holds, and how to empty it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from agpis_sdk.cli.options import ConfigOption, JsonOption, NoPluginsOption, SetOption, settings
from agpis_sdk.wording import counted

if TYPE_CHECKING:
    from agpis_sdk.config.sections import RunSection

app = typer.Typer(
    help="What run.cache holds, and how to empty it; the user's cache folder where it is not set.", no_args_is_help=True
)
MEGABYTE = 1_000_000


@app.command("info")
def info(
    as_json: JsonOption = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
    no_plugins: NoPluginsOption = False,
) -> None:
    """Print where the cache is, how many entries it has, and their bytes."""
    from agpis_sdk.pipeline.result_cache.store import info_of

    section = _section(config, overrides, no_plugins=no_plugins)
    found = info_of(_folder(section))
    if as_json:
        counts = {
            "entries": found.entries,
            "bytes": found.size,
            "limit": section.cache_bytes,
            "on": bool(section.cache),
        }
        typer.echo(json.dumps({"file": str(found.file), **counts}))
        return
    sizes = f"{found.size / MEGABYTE:,.1f} of {section.cache_bytes / MEGABYTE:,.0f} MB"
    typer.echo(f"{found.file}: {counted(found.entries, 'result')}, {sizes}")
    if not section.cache:
        typer.echo('runs do not use it: run.cache is empty ("auto" is this folder)')


@app.command("clear")
def clear(config: ConfigOption = None, overrides: SetOption = None, no_plugins: NoPluginsOption = False) -> None:
    """Delete all that is kept; the next run computes everything."""
    from agpis_sdk.pipeline.result_cache.store import clear as clear_store

    folder = _folder(_section(config, overrides, no_plugins=no_plugins))
    typer.echo(f"freed {clear_store(folder) / MEGABYTE:,.1f} MB in {folder}")


def _section(config: Path | None, overrides: list[str] | None, *, no_plugins: bool) -> RunSection:
    loaded, _ = settings(config, overrides, no_plugins=no_plugins)
    return loaded.config.run


def _folder(section: RunSection) -> Path:
    from agpis_sdk.pipeline.result_cache.store import AUTO, folder_of

    return folder_of(section.cache or AUTO)
