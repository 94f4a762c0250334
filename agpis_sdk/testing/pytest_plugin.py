"""The pytest plugin: fixtures for plugin authors. Loaded by every pytest run, so it imports nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from agpis_sdk.plugins import PluginHost
    from agpis_sdk.testing.recorder import HookRecorder

pytest.register_assert_rewrite("agpis_sdk.testing.contracts")


@pytest.fixture
def agpis_host() -> PluginHost:
    """A plugin host of the built-in plugins alone; `agpis_host.add(module, name="shiny")` adds one."""
    from agpis_sdk.testing.hosts import isolated_host

    return isolated_host()


@pytest.fixture
def agpis_recorder(agpis_host: PluginHost) -> HookRecorder:
    """A recorder of the hooks that `agpis_host` calls from now on."""
    from agpis_sdk.testing.recorder import HookRecorder

    recorder = HookRecorder()
    agpis_host.add(recorder, name="recorder")
    return recorder
