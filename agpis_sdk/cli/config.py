"""`agpis config`: the settings in force and where each comes from, or the JSON schema of all of them."""

from __future__ import annotations

import json

import typer

from agpis_sdk.cli.options import ConfigOption, JsonOption, NoPluginsOption, ProfileOption, SetOption, settings
from agpis_sdk.config import config_schema, flatten

app = typer.Typer(help="Show the settings in force, or their schema.", no_args_is_help=True)


@app.command("show")
def show(
    as_json: JsonOption = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
    profile: ProfileOption = None,
    no_plugins: NoPluginsOption = False,
) -> None:
    """Print every setting with its value and where the value comes from."""
    loaded, host = settings(config, overrides, profile, no_plugins=no_plugins)
    host.check_component_tables(loaded.config.components)
    rows = {key: (value, loaded.origins.get(key, "default")) for key, value in flatten(loaded.config).items()}
    if as_json:
        typer.echo(
            json.dumps({key: {"value": value, "origin": origin} for key, (value, origin) in rows.items()}, indent=2)
        )
        return
    width = max(len(key) for key in rows)
    for key, (value, origin) in rows.items():
        typer.echo(f"{key:<{width}}  {json.dumps(value, ensure_ascii=False)}  ({origin})")


@app.command("schema")
def schema(config: ConfigOption = None, overrides: SetOption = None, no_plugins: NoPluginsOption = False) -> None:
    """Print the JSON schema of the config, the settings of all installed components included."""
    _, host = settings(config, overrides, no_plugins=no_plugins)
    models = {owned.spec.table: owned.spec.config for _, owned in host.all_specs()}
    typer.echo(json.dumps(config_schema(models), indent=2, ensure_ascii=False))
