"""Components are made: what a spec names is imported and called."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import sys
from typing import Any

from agpis_sdk.components import ComponentConfig
from agpis_sdk.errors import PluginLoadError
from agpis_sdk.plugins.announcements import OwnedSpec


def make_component(factory: str, settings: ComponentConfig, device: str) -> Any:
    """Import a factory and call it with its validated settings, and with `device` where it takes one."""
    module, _, attribute = factory.partition(":")
    with contextlib.redirect_stdout(sys.stderr):  # standard output is for data
        make = getattr(importlib.import_module(module), attribute)
        takes_device = "device" in inspect.signature(make).parameters
        return make(settings, device=device) if takes_device else make(settings)


def cannot_be_made(owned: OwnedSpec, reason: str) -> PluginLoadError:
    """Return the error of a component whose factory fails: it names the component, the plugin and the remedy."""
    return PluginLoadError(
        f'component "{owned.spec.name}" cannot be made: {owned.spec.factory} {reason}',
        item=owned.plugin.owner,
        remedy=owned.plugin.remedy,
    )


def imported(owned: OwnedSpec, reference: str) -> Any:
    """Import what "package.module:name" refers to; raises `PluginLoadError` naming the plugin where there is no such."""
    module, _, attribute = reference.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise PluginLoadError(
            f"{reference} cannot be imported: {error}", item=owned.plugin.owner, remedy=owned.plugin.remedy
        ) from error
