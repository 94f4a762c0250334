"""The tutorial's files are what `agpis plugins new shiny --prefix SHY` writes, and a working plugin."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from agpis_sdk.plugins import PluginHost
from agpis_sdk.testing.new_plugin import FILES, write_plugin

OWN_RULE = Path(__file__).parents[2] / "docs" / "plugins" / "own-rule"
PLUGIN = Path(__file__).parents[2] / "docs" / "tutorials" / "first-plugin"


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(PLUGIN)
    yield
    for name in [name for name in sys.modules if name.startswith("agpis_shiny")]:
        del sys.modules[name]


@pytest.mark.usefixtures("importable")
def test_its_entry_point_names_a_module_that_registers() -> None:
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module = importlib.import_module(project["entry-points"]["agpis"]["shiny"])

    status = PluginHost.load(discover=False).add(module, name="shiny")

    assert (status.state, status.codes) == ("active", ("SHY101",))


def test_its_files_are_those_that_the_command_writes(tmp_path: Path) -> None:
    written = write_plugin("shiny", tmp_path, prefix="SHY")

    for target in FILES:
        path = target.format(module="agpis_shiny", snake="shiny")
        assert (PLUGIN / path).read_text(encoding="utf-8") == (written / path).read_text(encoding="utf-8"), path


def test_its_own_tests_pass() -> None:
    finished = run_tests(PLUGIN)

    assert finished.returncode == 0, finished.stdout


def test_the_rule_of_the_page_on_writing_takes_the_place_of_the_first_one(tmp_path: Path) -> None:
    folder = write_plugin("shiny", tmp_path, prefix="SHY")
    for path in OWN_RULE.iterdir():
        target = folder / ("tests" if path.suffix == ".yml" else "agpis_shiny") / path.name
        assert target.is_file()
        shutil.copy(path, target)

    finished = run_tests(folder)

    assert finished.returncode == 0, finished.stdout


def run_tests(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a package's tests in a process of their own, without installing it."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        env={**os.environ, "PYTHONPATH": str(PLUGIN.parents[2])},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
