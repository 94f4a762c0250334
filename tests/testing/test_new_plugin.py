"""`agpis plugins new`: a package whose tests pass as written, and which agpis takes in as it is."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from agpis_sdk.errors import ConfigError
from agpis_sdk.testing import isolated_host
from agpis_sdk.testing.new_plugin import FILES, write_plugin

ROOT = Path(__file__).parents[2]


def environment(*folders: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(str(folder) for folder in (*folders, ROOT))}


@pytest.mark.parametrize("name", ["shiny", "two-words-9"])
def test_its_tests_pass_as_written(tmp_path: Path, name: str) -> None:
    folder = write_plugin(name, tmp_path)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
    assert "skipped" not in done.stdout


def test_its_style_is_that_of_the_sdk(tmp_path: Path) -> None:
    folder = write_plugin("shiny", tmp_path)
    ruff = [sys.executable, "-m", "ruff"]

    for command in (["check", "--select", "E,F,I,UP,B,D"], ["format", "--check"]):
        options = ["--isolated", "--line-length", "120", "--config", "lint.pydocstyle.convention='google'"]
        ignored = ["--ignore", "D102,D103,D107"] if command[0] == "check" else []
        done = subprocess.run(
            [*ruff, *command, *options, *ignored, "."], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_agpis_takes_it_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_plugin("glossy", tmp_path, prefix="GLS")
    monkeypatch.syspath_prepend(folder)
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    host = isolated_host(importlib.import_module(project["entry-points"]["agpis"]["glossy"]))

    assert host.statuses[-1].codes == ("GLS101",)
    assert host.rules["glossy-highlight"].page().startswith("# GLS101 glossy-highlight")


def test_it_has_every_file_and_nothing_is_left_of_the_template(tmp_path: Path) -> None:
    folder = write_plugin("shiny", tmp_path)

    written = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}

    assert set(written) == {target.format(module="agpis_shiny", snake="shiny") for target in FILES}
    assert not [path for path, text in written.items() if "{%" in text or "{{ n" in text]
    assert "python-version: ${{ matrix.python }}\n" in written[".github/workflows/tests.yml"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Shiny", '"Shiny": is no name for a plugin .lower-case letters'),
        ("shiny spot", "is no name for a plugin"),
        ("shiny_spot", "is no name for a plugin"),
        ("../shiny", "is no name for a plugin"),
        ("9lives", "is no name for a plugin"),
        ("", "is no name for a plugin"),
        ("agpis-shiny", 'begins with agpis-, which is added anyway .write "shiny"'),
        ("image-quality", "is the name of something built in"),
        ("exact-copies", "is the name of something built in"),
        ("agp", '"AGP": is no prefix for rule codes .--prefix'),
        ("x9", '"X": is no prefix for rule codes'),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_with_the_remedy(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        write_plugin(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "agpis-shiny").mkdir()

    with pytest.raises(ConfigError, match=r"agpis-shiny: is there already .choose another name"):
        write_plugin("shiny", tmp_path)
    assert not list((tmp_path / "agpis-shiny").iterdir())


def test_the_command_lists_what_it_wrote_and_says_what_is_next(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agpis_sdk.cli", "plugins", "new", "shiny", "-o", str(tmp_path), "--prefix", "SHY"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert f"{tmp_path}/agpis-shiny/agpis_shiny/checker.py" in done.stdout.splitlines()
    assert "pip install -e '.[test]' && pytest" in done.stderr
    assert 'code="SHY101"' in (tmp_path / "agpis-shiny" / "agpis_shiny" / "rules.py").read_text()
