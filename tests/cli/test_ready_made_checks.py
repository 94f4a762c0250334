"""The pre-commit hook and the GitHub Action call `agpis audit` with options that it has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from agpis_sdk.cli.app import app

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).parents[2]


def options_of_audit() -> set[str]:
    command: Any = get_command(app)
    return {name for parameter in command.commands["audit"].params for name in parameter.opts}


def test_the_pre_commit_hook_audits_and_passes_no_file_names() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())

    assert hook["entry"].startswith("agpis audit")
    assert set(re.findall(r"--[a-z-]+", hook["entry"])) <= options_of_audit()
    assert hook["pass_filenames"] is False
    assert re.search(hook["files"], "shop/products_export.csv")


def test_the_action_audits_with_every_input_it_declares() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    steps = [step for step in action["runs"]["steps"] if "run" in step]

    used = {name for step in steps for value in step["env"].values() for name in re.findall(r"inputs\.(\w+)", value)}
    assert used == set(action["inputs"])
    assert "agpis audit" in steps[-1]["run"]
    assert set(re.findall(r"--[a-z-]+", steps[-1]["run"])) <= options_of_audit()
