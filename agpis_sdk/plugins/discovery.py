"""Which plugins there are: installed entry points, what became of each, and what a config asks of them."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from agpis_sdk.errors import ConfigError, PluginLoadError, UnknownNameError, nearest

ENTRY_POINT_GROUP = "agpis"
OURS = "agpis-sdk"  # the distribution of the built-in plugins
LOCAL = "local"  # the version of a plugin that is no installed distribution

PluginState = Literal["active", "blocked", "failed"]


@dataclass(frozen=True, kw_only=True)
class PluginStatus:
    """What became of one plugin when it was loaded; `seconds` is the time its import took.

    `module` is what was imported; it is empty where the plugin was handed over as an object.
    """

    name: str
    distribution: str
    version: str
    state: PluginState
    module: str = ""
    reason: str = ""
    hooks: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def owner(self) -> str:
        """The plugin as error messages name it: "agpis-shiny 0.1.0 (shiny)"."""
        return f"{self.distribution} {self.version} ({self.name})"

    @property
    def remedy(self) -> str:
        """What to do about a plugin that is in the way."""
        if self.version == LOCAL:
            return f'mend it, or take "{self.name}" out of plugins.load'
        return f'upgrade it, or set plugins.block = ["{self.name}"]'


@dataclass(frozen=True)
class FoundPlugin:
    """A plugin before it is imported; `module` is its name, or the module or object itself."""

    name: str
    distribution: str
    version: str
    module: str | ModuleType | object

    @property
    def owner(self) -> str:
        """The plugin as error messages name it."""
        return f"{self.distribution} {self.version} ({self.name})"


def find_plugins() -> list[FoundPlugin]:
    """Return the installed plugins without importing any: the built-in ones first, then by name."""
    found = []
    # Of one distribution the object is one, too; each look at its name or version parses its metadata anew.
    distributions: dict[int, tuple[str, str]] = {}
    for entry_point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
        distribution = entry_point.dist
        if id(distribution) not in distributions:
            known = distribution.metadata if distribution else {"Name": "unknown", "Version": "?"}
            distributions[id(distribution)] = (known["Name"], known["Version"])
        found.append(FoundPlugin(entry_point.name, *distributions[id(distribution)], entry_point.value))
    # An editable install beside a wheel's metadata lists an entry point twice.
    unique = {(plugin.name, plugin.distribution): plugin for plugin in found}
    return sorted(unique.values(), key=lambda plugin: (plugin.distribution != OURS, plugin.name))


def check_blocks(found: Sequence[FoundPlugin], block: Iterable[str]) -> None:
    """Raise `UnknownNameError` where `plugins.block` names nothing that is installed."""
    known = {plugin.name for plugin in found} | {plugin.distribution for plugin in found}
    for name in block:
        if name not in known:
            raise UnknownNameError("blocks nothing", item=f'plugins.block = ["{name}"]', remedy=nearest(name, known))


def check_requirements(statuses: Sequence[PluginStatus], requirements: Iterable[str]) -> None:
    """Raise `PluginLoadError` where a distribution in `plugins.require` is missing or of another version."""
    active = {canonicalize_name(status.distribution): status.version for status in statuses if status.state == "active"}
    for text in requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise ConfigError(str(error), item=f'plugins.require = ["{text}"]') from None
        version = active.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            have = f"version {version} is active" if version else "it is not active"
            raise PluginLoadError(f"required, but {have}", item=text, remedy=f'pip install "{text}"')
