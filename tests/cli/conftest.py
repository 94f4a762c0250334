"""A command line whose config names fakes alone: no model is loaded."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agpis_sdk.cli.app import main
from agpis_sdk.plugins import PluginHost

FAKES = """
    from tests.pipeline.fakes import Stand

    stand = Stand()
    stand.host()
    agpis_primary_selectors = stand.agpis_primary_selectors
    agpis_sequence_checkers = stand.agpis_sequence_checkers
    agpis_backbones = stand.agpis_backbones
"""
KEPT = ("builders", "catalog-formats", "report")
# Only fakes take part in a run beside these: no model is loaded.
SETTINGS = """
    [backbone]
    name = "plain"
    [primary]
    selector = "first"
    [sequence]
    scorer = "steady"
    builder = "listed"
    min_length = 0
    [plugins]
    load = ["fakes_for_the_command_line"]
    block = ["marketplaces", {block}]
    isolate = "none"  # the fakes are made in this process
"""


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Agpis = Callable[..., Answer]


@pytest.fixture
def gallery(gallery: Path, tmp_path: Path) -> Path:
    """Copy the pictures below the folder of the products: a catalog names no files elsewhere."""
    return shutil.copytree(gallery, tmp_path / "gallery")


@pytest.fixture
def agpis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Agpis:
    """Return a function that runs `agpis` in a folder whose config names fakes alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "fakes_for_the_command_line", raising=False)
    (tmp_path / "fakes_for_the_command_line.py").write_text(textwrap.dedent(FAKES))
    builtin = [status.name for status in PluginHost.load(discover=False).statuses if status.name not in KEPT]
    block = ", ".join(json.dumps(name) for name in builtin)
    (tmp_path / "agpis.toml").write_text(textwrap.dedent(SETTINGS).format(block=block))

    def run(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["agpis", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else int(left.code is not None)
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return run
