"""`agpis plugins`: what is installed, what became of it, and what it brings."""

from __future__ import annotations

import dataclasses
import json

import typer

from agpis_sdk.cli.options import ConfigOption, JsonOption, NoPluginsOption, SetOption, settings
from agpis_sdk.plugins import PluginStatus


def plugins(
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


def _print(status: PluginStatus) -> None:
    typer.echo(f"{status.name}  {status.distribution} {status.version}  {status.state}  {status.seconds:.3f} s")
    for label, values in (("hooks", status.hooks), ("components", status.components), ("rules", status.codes)):
        if values:
            typer.echo(f"    {label}: {', '.join(values)}")
    if status.reason:
        typer.echo(f"    reason: {status.reason}")
