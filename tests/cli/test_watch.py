"""`--watch`: a command runs again when what it reads has changed, and ends cleanly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agpis_sdk.cli import watch
from tests.cli.conftest import Agpis, Answer

Edit = Callable[[], object]
Watching = Callable[..., Answer]


@pytest.fixture
def catalog(gallery: Path, tmp_path: Path) -> Path:
    path = tmp_path / "products.jsonl"
    path.write_text(json.dumps({"id": "P1", "images": ["gallery/a.png", "gallery/b.png"]}) + "\n")
    return path


@pytest.fixture
def runs() -> list[list[str]]:
    return []


@pytest.fixture
def watching(agpis: Agpis, monkeypatch: pytest.MonkeyPatch, runs: list[list[str]]) -> Watching:
    """Return a function that watches while files are edited one after another, and then presses Ctrl-C."""

    def start(*arguments: object, edits: list[Edit], code: int = 0) -> Answer:
        def record(command: list[str]) -> int:
            runs.append(command)
            return code

        def pause(seconds: float, moments: Iterator[Edit] = iter(edits)) -> None:
            edit = next(moments, None)
            if edit is None:
                raise KeyboardInterrupt
            edit()

        monkeypatch.setattr(watch, "_run", record)
        monkeypatch.setattr(watch.time, "sleep", pause)
        return agpis(*arguments, "--no-plugins", "--watch")

    return start


def nothing() -> None:
    """Leave the files alone for a moment."""


def touched(path: Path) -> Edit:
    return lambda: os.utime(path, (1, 1))


@pytest.mark.parametrize("command", ["audit", "run"])
def test_a_command_runs_again_when_a_listed_image_changes(
    watching: Watching, catalog: Path, gallery: Path, runs: list[list[str]], command: str
) -> None:
    answer = watching(command, catalog, edits=[touched(gallery / "b.png"), nothing])

    assert answer.code == 0
    assert [one[3:] for one in runs] == [[command, str(catalog), "--no-plugins"]] * 2
    assert "agpis: changed: b.png" in answer.err


@pytest.mark.parametrize("name", ["products.jsonl", "agpis.toml"])
def test_the_catalog_and_the_config_are_watched_too(
    watching: Watching, catalog: Path, tmp_path: Path, runs: list[list[str]], name: str
) -> None:
    watching("audit", catalog, edits=[touched(tmp_path / name), nothing])

    assert len(runs) == 2


def test_another_file_changes_nothing(watching: Watching, catalog: Path, gallery: Path, runs: list[list[str]]) -> None:
    watching("audit", catalog, edits=[touched(gallery / "c.png"), nothing])

    assert len(runs) == 1


def test_an_image_that_the_catalog_lists_only_now_is_watched_from_then_on(
    watching: Watching, catalog: Path, gallery: Path, runs: list[list[str]]
) -> None:
    more = json.dumps({"id": "P2", "images": ["gallery/c.png"]})
    edits = [lambda: catalog.write_text(more), nothing, touched(gallery / "c.png"), nothing]

    watching("audit", catalog, edits=edits)

    assert len(runs) == 3


def test_a_catalog_that_is_broken_for_a_moment_is_watched_on(
    watching: Watching, catalog: Path, runs: list[list[str]]
) -> None:
    good = catalog.read_text()
    edits = [lambda: catalog.write_text(""), nothing, lambda: catalog.write_text(good), nothing]

    assert watching("audit", catalog, edits=edits).code == 0
    assert len(runs) == 3


def test_an_image_that_comes_into_a_folder_is_seen(watching: Watching, gallery: Path, runs: list[list[str]]) -> None:
    watching("audit", gallery, edits=[lambda: (gallery / "new.png").write_bytes(b"x"), nothing])

    assert len(runs) == 2


def test_a_run_that_was_interrupted_is_not_started_again(
    watching: Watching, catalog: Path, runs: list[list[str]]
) -> None:
    assert watching("run", catalog, edits=[], code=130).code == 130
    assert len(runs) == 1


def test_standard_input_cannot_be_watched(agpis: Agpis) -> None:
    answer = agpis("audit", "-", "--watch")

    assert answer.code == 2
    assert "--watch -: cannot be watched (name a file or a folder)" in answer.err


@pytest.mark.slow
def test_ctrl_c_ends_a_real_process_that_waits(agpis: Agpis, catalog: Path, tmp_path: Path) -> None:
    # Engine rules alone need no model.
    command = [sys.executable, "-m", "agpis_sdk.cli", "audit", str(catalog), "--select", "AGP9", "--watch"]
    (tmp_path / "agpis.toml").unlink()
    with (tmp_path / "err").open("w") as err, subprocess.Popen(command, stderr=err, start_new_session=True) as process:
        while "watching" not in (tmp_path / "err").read_text():
            assert process.poll() is None
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(60) == 0
