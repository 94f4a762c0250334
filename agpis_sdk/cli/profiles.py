"""`agpis profiles`: the named sets of settings that `--profile` takes."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
from collections.abc import Iterator, Mapping
from typing import Any

import typer

from agpis_sdk.cli.options import ConfigOption, JsonOption, NoPluginsOption, SetOption, settings

MARKETPLACES = "agpis-marketplaces"


def profiles(
    as_json: JsonOption = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
    no_plugins: NoPluginsOption = False,
) -> None:
    """List the profiles of all plugins: what each is for, and what it sets."""
    _, host = settings(config, overrides, no_plugins=no_plugins)
    known = sorted(host.profiles.values(), key=lambda profile: profile.name)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(profile) for profile in known], indent=2, default=str))
        return
    from rich.console import Console
    from rich.text import Text

    from agpis_sdk.report.console_table import console_table

    table = console_table()
    table.add_column("profile", no_wrap=True)
    table.add_column("what it is for, and what it sets")
    for profile in known:
        table.add_row(profile.name, Text(profile.summary))
        for setting in _settings(profile.settings):
            table.add_row("", Text(setting, style="dim"))
    Console().print(table, markup=False)
    if hint := marketplaces_hint():
        typer.echo(f"agpis: {hint}", err=True)


def _settings(settings: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Yield settings as `--set` takes them, one by one."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _settings(value, f"{above}{key}.")
        else:
            yield f"{above}{key} = {json.dumps(value, ensure_ascii=False, default=str)}"


def marketplaces_hint() -> str:
    """Return how to get the rules of marketplaces; "" where they are installed."""
    if importlib.util.find_spec(MARKETPLACES.replace("-", "_")) is not None:
        return ""
    return f"the rules of Amazon, Google and other marketplaces come with: pip install {MARKETPLACES}"
