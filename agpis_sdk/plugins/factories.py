"""Components are made: what a spec names is imported and called."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

from agpis_sdk.components import ComponentConfig
from agpis_sdk.errors import PluginLoadError
from agpis_sdk.plugins.announcements import OwnedSpec


@contextlib.contextmanager
def refusing_to_exit(refuses: bool) -> Iterator[None]:
    """Make `os._exit` raise `SystemExit` while code of a plugin runs in this process, so that the plugin is named.

    It would end any command at once, with whatever exit code and without a word. Machine code that ends the process is
    not caught.
    """
    if not refuses:
        yield
        return
    ends = os._exit

    def refuse(code: int) -> NoReturn:
        raise SystemExit(f"os._exit({code}) was called")

    os._exit = refuse  # type: ignore[assignment]
    try:
        yield
    finally:
        os._exit = ends


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
