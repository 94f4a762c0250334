"""The kit in pytest: found by its entry point, light, with fixtures; and the tools that stand beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from agpis_sdk import hookspecs, testing
from agpis_sdk.config import Config
from agpis_sdk.errors import PluginLoadError
from agpis_sdk.hookspecs import hookimpl
from agpis_sdk.pipeline.pipeline import Pipeline
from agpis_sdk.testing import HookRecorder, assert_light_import, isolated_host, make_product

ROOT = Path(__file__).parents[2]
TESTS = """
from agpis_sdk import Profile, hookimpl

class House:
    @hookimpl
    def agpis_profiles(self):
        yield Profile(name="house", summary="Ours.", settings={})

def test_the_host_knows_the_built_in_plugins_alone(agpis_host):
    assert {status.distribution for status in agpis_host.statuses} == {"agpis-sdk"}
    assert agpis_host.add(House(), name="house").state == "active"
    assert agpis_host.profile("house").summary == "Ours."

def test_each_test_gets_a_host_of_its_own(agpis_host):
    assert "house" not in agpis_host.profiles

def test_the_recorder_hears_the_hooks(agpis_host, agpis_recorder):
    agpis_host.notify("agpis_run_started", context=None)
    assert [call.arguments for call in agpis_recorder.of("agpis_run_started")] == [{"context": None}]
"""


def test_its_fixtures_work(tmp_path: Path) -> None:
    (tmp_path / "test_house.py").write_text(TESTS)
    # Named by hand, as an installation may be older than the entry point.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "agpis_sdk.testing.pytest_plugin", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}

    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_it_is_found_by_its_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["entry-points"]["pytest11"] == {"agpis": "agpis_sdk.testing.pytest_plugin"}
    assert {text.split(">")[0] for text in project["optional-dependencies"]["testing"]} == {"pytest", "pyyaml"}


@pytest.mark.parametrize("module", ["agpis_sdk.testing", "agpis_sdk.testing.pytest_plugin"])
def test_every_pytest_run_loads_it_so_it_is_light(module: str) -> None:
    assert_light_import(module, heavy=("torch", "cv2", "numpy", "PIL", "yaml", "pydantic"))


def test_every_public_name_can_be_imported() -> None:
    for name in testing.__all__:
        assert getattr(testing, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'chek'"):
        testing.chek  # noqa: B018


class TestAssertLightImport:
    def test_names_the_module_and_what_it_imports(self) -> None:
        with pytest.raises(AssertionError, match=r"agpis_sdk\.media\.decode imports PIL, cv2, numpy: every agpis"):
            assert_light_import("agpis_sdk.media.decode")

    def test_says_so_where_the_module_cannot_be_imported(self) -> None:
        with pytest.raises(AssertionError, match="no_such_module cannot be imported"):
            assert_light_import("no_such_module")


class TestAnIsolatedHost:
    def test_raises_what_keeps_a_plugin_from_registering(self) -> None:
        class Misspelled:
            @hookimpl
            def agpis_profile(self) -> None: ...

        with pytest.raises(PluginLoadError, match=r"Misspelled.*unknown hook 'agpis_profile'"):
            isolated_host(Misspelled())

    def test_leaves_out_what_is_blocked(self) -> None:
        assert "image-quality" not in isolated_host(block=("image-quality",)).specs("agpis_image_checkers")


class TestTheRecorder:
    def test_implements_every_hook(self) -> None:
        hooks = {name for name in vars(hookspecs) if name.startswith("agpis_")}

        assert hooks == {name for name in vars(HookRecorder) if name.startswith("agpis_")}

    def test_hears_a_whole_run(self, tmp_path: Path) -> None:
        recorder = HookRecorder()
        host = isolated_host(recorder, block=("noncompliance", "duplicates", "muisc"))
        config = Config.model_validate(
            {"primary": {"selector": "first"}, "sequence": {"builder": "listed", "scorer": "none", "length": 1}}
        )

        list(Pipeline(config, host=host).run([make_product(tmp_path, "plain")]))

        assert [call.hook for call in recorder.calls][-2:] == ["agpis_run_started", "agpis_run_finished"]
        assert recorder.of("agpis_image_checkers")
        assert recorder.calls[-1].arguments["summary"]["products"] == 1
