"""Writes a new plugin: a complete package with one rule, whose tests pass unchanged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from agpis_sdk.errors import ConfigError
from agpis_sdk.plugins import PluginHost

NAME = re.compile(r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")
PREFIX = re.compile(r"^[A-Z]{2,4}$")
OWNED_BY_THE_SDK = "AGP"
# Every file of the package, and the template that it is made of.
FILES: Mapping[str, str] = {
    "pyproject.toml": "pyproject.toml.jinja",
    "README.md": "README.md.jinja",
    "{module}/__init__.py": "init.py.jinja",
    "{module}/plugin.py": "plugin.py.jinja",
    "{module}/rules.py": "rules.py.jinja",
    "{module}/config.py": "config.py.jinja",
    "{module}/checker.py": "checker.py.jinja",
    "{module}/py.typed": "",
    "tests/test_{snake}.py": "test_plugin.py.jinja",
    "tests/cases.yml": "cases.yml.jinja",
    ".github/workflows/tests.yml": "tests.yml.jinja",
}


def write_plugin(name: str, directory: Path, *, prefix: str | None = None) -> Path:
    """Write the package "agpis-NAME" into a new folder of that name below `directory`, and return the folder.

    `prefix` begins the codes of its rules; without it the name's first three letters do. Raises `ConfigError` for a name
    or prefix that cannot be used, and where the folder is there already.
    """
    _check_name(name)
    snake = name.replace("-", "_")
    values = {
        "name": name,
        "distribution": f"agpis-{name}",
        "snake": snake,
        "module": f"agpis_{snake}",
        "title": "".join(word.capitalize() for word in name.split("-")),
        "prefix": _checked_prefix(prefix, name),
    }
    if not directory.is_dir():
        raise ConfigError("the folder does not exist", item=str(directory), remedy="make it first")
    folder = directory / values["distribution"]
    if folder.exists():
        raise ConfigError("is there already", item=str(folder), remedy="choose another name, or another folder with -o")
    templates = Environment(  # noqa: S701 - no HTML
        loader=PackageLoader("agpis_sdk.testing", "template"), undefined=StrictUndefined, keep_trailing_newline=True
    )
    for target, template in FILES.items():
        path = folder / target.format_map(values)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(templates.get_template(template).render(values) if template else "", encoding="utf-8")
    return folder


def _check_name(name: str) -> None:
    if name.startswith(("agpis-", "agpis_")):
        raise ConfigError("begins with agpis-, which is added anyway", item=name, remedy=f'write "{name[6:]}"')
    if not NAME.match(name):
        raise ConfigError(
            "is no name for a plugin",
            item=f'"{name}"',
            remedy='lower-case letters, digits and "-", such as "shiny-spot"',
        )
    host = PluginHost.load(discover=False)
    taken = {status.name for status in host.statuses} | {owned.spec.name for _, owned in host.all_specs()}
    if name in taken:
        raise ConfigError("is the name of something built in", item=name, remedy="choose another name")


def _checked_prefix(prefix: str | None, name: str) -> str:
    letters = "".join(character for character in name if character.isalpha())
    chosen = letters[:3].upper() if prefix is None else prefix
    if chosen == OWNED_BY_THE_SDK or not PREFIX.match(chosen):
        raise ConfigError(
            "is no prefix for rule codes", item=f'"{chosen}"', remedy="--prefix with 2-4 capital letters, not AGP"
        )
    return chosen
