"""Every code block in the README and the docs works as written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from agpis_sdk.config import Config, validate
from agpis_sdk.plugins import PluginHost

ROOT = Path(__file__).parents[2]
WRITTEN_BY_US = [
    ROOT / "README.md",
    *(path for path in (ROOT / "docs").rglob("*.md") if "reference/rules" not in path.as_posix()),
]
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def blocks(language: str) -> list[object]:
    parameters: list[object] = []
    for path in WRITTEN_BY_US:
        text = path.read_text(encoding="utf-8")
        found = [code for kind, code in BLOCK.findall(text) if kind == language and "--8<--" not in code]
        for number, code in enumerate(found, start=1):
            parameters.append(pytest.param(code, id=f"{path.relative_to(ROOT)}-{number}"))
    return parameters


@pytest.mark.slow
@pytest.mark.parametrize("code", blocks("python"))
def test_python_blocks_run(code: str, tmp_path: Path) -> None:
    script = tmp_path / "block.py"
    script.write_text(code, encoding="utf-8")

    finished = subprocess.run([sys.executable, script], cwd=ROOT, capture_output=True, text=True, check=False)

    assert finished.returncode == 0, finished.stderr


@pytest.mark.slow
@pytest.mark.parametrize("code", blocks("bash"))
def test_shell_blocks_run(code: str, tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for line in (line.strip() for line in code.splitlines() if line.strip() and not line.startswith("#")):
        command = line.split()[0]
        if command == "make":
            assert line.split()[1] in MAKE_TARGETS
            continue
        if command in ("git", "cd", "pip", "mkdir"):
            continue
        assert command == "agpis", f"no test knows how to run: {line}"
        line = line.replace(" demo/", f" {tmp_path}/")
        finished = subprocess.run(
            ["bash", "-c", line],
            cwd=ROOT,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        # 1 says that some record failed: the example catalog holds one that is meant to.
        assert finished.returncode in (0, 1), finished.stderr
        assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("code", blocks("toml"))
def test_settings_in_the_docs_are_known(code: str) -> None:
    settings = tomllib.loads(code)
    config = validate(Config, settings, item="docs")
    host = PluginHost.load()
    host.check_component_tables({name: table for name, table in config.components.items() if name != "shiny"})


@pytest.mark.parametrize("code", blocks("json"))
def test_json_in_the_docs_is_json(code: str) -> None:
    assert json.loads(code)
