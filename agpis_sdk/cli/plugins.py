"""`agpis plugins`: what is installed, what became of it, and what it brings; `new` begins one of your own."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from agpis_sdk.cli.options import ConfigOption, JsonOption, NoPluginsOption, SetOption, settings
from agpis_sdk.errors import ConfigError
from agpis_sdk.plugins import PluginStatus

app = typer.Typer(help="List all plugins, or begin a new one.")


@app.callback(invoke_without_command=True)
def plugins(
    context: typer.Context,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
    no_plugins: NoPluginsOption = False,
) -> None:
    """List all plugins, as `agpis plugins list` does, or begin a new one."""
    if context.invoked_subcommand is None:
        list_plugins(as_json, config, overrides, no_plugins)
    elif as_json or config or overrides or no_plugins:
        raise ConfigError(
            "an option of the listing precedes it",
            item=f"agpis plugins … {context.invoked_subcommand}",
            remedy="options come last: agpis plugins list --json",
        )


@app.command("list")
def list_plugins(
    as_json: JsonOption = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
    no_plugins: NoPluginsOption = False,
) -> None:
    """List all plugins: status, version, hooks, components, rule codes and import seconds."""
    _, host = settings(config, overrides, no_plugins=no_plugins)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(status) for status in host.statuses], indent=2))
        return
    for status in host.statuses:
        _print(status)


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help='What it is called: "shiny" makes the package agpis-shiny.')],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where its folder is made.")] = Path(),
    prefix: Annotated[
        str | None, typer.Option("--prefix", help="2-4 letters that its rule codes begin with; by default from NAME.")
    ] = None,
) -> None:
    """Write a complete plugin package: one rule, its checker, settings, tests, README and CI."""
    from agpis_sdk.testing.new_plugin import write_plugin

    folder = write_plugin(name, output, prefix=prefix)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        typer.echo(path)
    typer.echo(f"Next: cd {folder} && pip install -e '.[test]' && pytest", err=True)


def _print(status: PluginStatus) -> None:
    typer.echo(f"{status.name}  {status.distribution} {status.version}  {status.state}  {status.seconds:.3f} s")
    for label, values in (("hooks", status.hooks), ("components", status.components), ("rules", status.codes)):
        if values:
            typer.echo(f"    {label}: {', '.join(values)}")
    if status.reason:
        typer.echo(f"    reason: {status.reason}")
    if status.state == "failed":
        typer.echo(f"    remedy: {status.remedy}")
