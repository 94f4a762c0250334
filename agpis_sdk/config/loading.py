"""Where settings come from: `agpis.toml` or `[tool.agpis]` in pyproject.toml, a profile, a shop's folder, and `--set`."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agpis_sdk.config.sections import Config
from agpis_sdk.config.validation import validate
from agpis_sdk.errors import ConfigError
from agpis_sdk.wording import shortened

SHOP_FILE = "shop.json"
CONFIG_FILE = "agpis.toml"
PYPROJECT_TABLE = re.compile(r"^\s*\[tool\.agpis[.\]]", re.MULTILINE)
MAX_DEPTH = 20


@dataclass(frozen=True)
class LoadedConfig:
    """A validated config, for each dotted key where its value came from, and the files that were read."""

    config: Config
    origins: Mapping[str, str]
    files: tuple[Path, ...] = ()


def load_config(
    path: Path | None = None,
    *,
    overrides: Iterable[str] = (),
    profile: tuple[str, Mapping[str, Any]] | None = None,
    shop: Path | None = None,
    directory: Path | None = None,
) -> LoadedConfig:
    """Read the config file (or look for one in `directory`), lay it over the profile, a shop's folder over both, and `key=value` over all.

    Raises `ConfigError` naming the key and the nearest known one, and where a file of a folder above, which nobody named,
    would have code loaded.
    """
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    if profile is not None:
        merge(merged, profile[1], origins, f"profile {profile[0]}")
    here = directory or Path.cwd()
    found = path if path is not None else _find(here)
    if found is not None:
        read = _read(found)
        if path is None and found.parent != here:
            _refuse_to_load(read, found)
        merge(merged, read, origins, str(found))
    if shop is not None:
        merge(merged, _read_shop(shop), origins, str(shop))
    for override in overrides:
        key, value = _parse_override(override)
        nested: dict[str, Any] = {}
        _put(nested, key, value)
        merge(merged, nested, origins, "--set")
    files = (*([found] if found is not None else []), *([shop / SHOP_FILE] if shop is not None else []))
    return LoadedConfig(validate(Config, merged, item="config", origins=origins), origins, files)


def _find(directory: Path) -> Path | None:
    for folder in (directory, *directory.parents):
        if (folder / CONFIG_FILE).is_file():
            return folder / CONFIG_FILE
        project = folder / "pyproject.toml"
        if project.is_file() and _has_settings(project.read_text(encoding="utf-8", errors="replace")):
            return project
    return None


def _refuse_to_load(settings: Mapping[str, Any], path: Path) -> None:
    """Refuse to run code because of a file that lies somewhere above: whoever means it names the file."""
    plugins = settings.get("plugins")
    if isinstance(plugins, Mapping) and plugins.get("load"):
        raise ConfigError(
            "would load local plugins, and was found in a folder above this one",
            item=f"{path}: plugins.load",
            remedy=f"to allow it: --config {path}",
        )


def _has_settings(project: str) -> bool:
    """Tell whether the text of a pyproject.toml has settings for agpis, as a table or as `agpis = …` under [tool]."""
    if PYPROJECT_TABLE.search(project):
        return True
    if "agpis" not in project:
        return False
    try:
        tool = tomllib.loads(project).get("tool")
    except (ValueError, RecursionError):
        return False  # a project of someone else's, whose faults are not ours to report
    return isinstance(tool, dict) and "agpis" in tool


def _read(path: Path) -> dict[str, Any]:
    """Return the settings of a file; raises `ConfigError` where it is no TOML, or holds no table of them."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", item=str(path), remedy="check --config") from None
    except RecursionError:
        raise _too_deep(str(path)) from None
    except ValueError as error:  # no TOML, no UTF-8, or a number of 5,000 digits
        raise ConfigError(f"is not TOML: {error}", item=str(path)) from None
    if path.name == "pyproject.toml":
        for table, dotted in (("tool", "tool"), ("agpis", "tool.agpis")):
            data = data.get(table, {})
            if not isinstance(data, dict):
                what = f'"{dotted}" is {shortened(repr(data))}, not a table'
                raise ConfigError(what, item=str(path), remedy="write the settings under [tool.agpis]")
    return data


def _read_shop(folder: Path) -> dict[str, Any]:
    """Return what `agpis adapt` wrote; a value that begins with "./" is a file in the shop's folder."""
    path = folder / SHOP_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is not JSON"
        raise ConfigError(reason, item=str(path), remedy="name a folder that `agpis adapt` wrote") from None
    if not isinstance(data, dict):
        raise ConfigError("is not an object", item=str(path), remedy="run `agpis adapt` again")
    return _with_paths(data, folder)


def _with_paths(settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    return {
        key: _with_paths(value, folder)
        if isinstance(value, dict)
        else str(folder / value)
        if isinstance(value, str) and value.startswith("./")
        else value
        for key, value in settings.items()
    }


def _too_deep(item: str) -> ConfigError:
    return ConfigError(f"is nested deeper than {MAX_DEPTH} levels", item=item, remedy="see: agpis config schema")


def _parse_override(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(
            "is not key=value", item=f"--set {shortened(text)}", remedy="for example --set sequence.length=4"
        )
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except RecursionError:
        raise _too_deep(f"--set {shortened(text)}") from None
    except ValueError:  # no TOML: a plain word
        return key.strip(), value.strip()


def _put(target: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    for parent in parents:
        target = target.setdefault(parent, {})
    target[last] = value


def merge(base: dict[str, Any], new: Mapping[str, Any], origins: dict[str, str], origin: str, prefix: str = "") -> None:
    """Lay settings over others, table by table, and note in `origins` where each dotted key came from."""
    if prefix.count(".") > MAX_DEPTH:
        raise _too_deep(origin)
    for key, value in new.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, Mapping):
            below = base.setdefault(key, {})
            if not isinstance(below, dict):
                below = base[key] = {}
            merge(below, value, origins, origin, f"{dotted}.")
        else:
            base[key] = value
            origins[dotted] = origin
