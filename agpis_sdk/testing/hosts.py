"""Plugin hosts for tests: what is installed, or the built-in plugins and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from types import ModuleType

from agpis_sdk.config import PluginsSection
from agpis_sdk.errors import PluginLoadError
from agpis_sdk.plugins import PluginHost


def isolated_host(*plugins: object, block: Sequence[str] = ()) -> PluginHost:
    """Return a host of the built-in plugins and the given ones; whatever else is installed stays out.

    A plugin is an imported module or an object with `@hookimpl` functions; `block` names built-in ones to leave out.
    Raises `PluginLoadError` with the cause where one does not register.
    """
    host = PluginHost.load(PluginsSection(block=tuple(block)), discover=False)
    for plugin in plugins:
        status = host.add(plugin, name=plugin_name(plugin))
        if status.state != "active":
            raise PluginLoadError(status.reason, item=status.owner)
    return host


@cache
def host_of(plugins: tuple[object, ...]) -> PluginHost:
    """Return an isolated host of some plugins, or that of everything installed where none is given.

    Raises `PluginLoadError` naming the plugin where one does not load.
    """
    return isolated_host(*plugins) if plugins else PluginHost.load(PluginsSection(strict=True))


def plugin_name(plugin: object) -> str:
    """Return a name for a module or object that is added by hand: "agpis_shiny.plugin"."""
    return plugin.__name__ if isinstance(plugin, ModuleType) else type(plugin).__name__
