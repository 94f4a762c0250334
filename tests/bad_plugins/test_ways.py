"""A bad plugin costs only what is its own, by name, whatever it does; the run ends, and what it missed is not submitted."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from agpis_sdk.config import Config
from agpis_sdk.errors import AgpisError
from agpis_sdk.pipeline.interruption import Interruption
from agpis_sdk.pipeline.pipeline import Pipeline
from agpis_sdk.pipeline.summary import RunSummary
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Finding, Outcome
from agpis_sdk.testing import make_product
from tests.bad_plugins.ways import NAME, OWNER, WAYS, Way

SETTINGS: dict[str, Any] = {
    "primary.selector": "first",
    "sequence.builder": "listed",
    "sequence.scorer": "none",
    "run.max_failures": 2,
    "plugins.time_limit": 120.0,
    "plugins.block": ["agpis-example", "agpis-marketplaces", "duplicates", "muisc", "noncompliance"],
}
OF_THE_ENGINE = ("AGP902", "AGP903")  # what failed, and what could not be looked at for that reason


@dataclass(frozen=True)
class Ended:
    outcomes: list[Outcome]
    summary: RunSummary


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Two products of three pictures each, one of them gray."""
    product = make_product(tmp_path_factory.mktemp("catalog"), "plain", "highlight", "gray").model_dump()
    return [{**product, "id": product_id} for product_id in ("P1", "P2")]


@pytest.fixture(scope="module")
def undisturbed(catalog: list[dict[str, Any]]) -> Ended:
    return run(catalog, {})


def run(catalog: list[dict[str, Any]], settings: dict[str, Any]) -> Ended:
    nested: dict[str, Any] = {}
    for dotted, value in {**SETTINGS, **settings}.items():
        table, _, key = dotted.partition(".")
        nested.setdefault(table, {})[key] = value
    config = Config.model_validate(nested)
    interruption = Interruption()
    with interruption.listening():
        pipeline = Pipeline(config, host=PluginHost.load(config.plugins), interruption=interruption)
        outcomes = list(pipeline.run(catalog))
    summary = pipeline.summary
    del pipeline
    gc.collect()  # processes of plugins end with the pipeline
    return Ended(outcomes, summary)


@pytest.fixture
def installed(way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The plugin, as an installer leaves it."""
    (tmp_path / "bad_plugin.py").write_text(way.source())
    info = tmp_path / "agpis_bad-1.4.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: agpis-bad\nVersion: 1.4.0\n")
    (info / "entry_points.txt").write_text(f"[agpis]\n{NAME} = bad_plugin\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("bad_plugin", None)


def cases() -> list[Any]:
    return [
        pytest.param(way, id=f"{group}: {way.name}", marks=[pytest.mark.slow] if way.slow else [])
        for group, ways in WAYS.items()
        for way in ways
    ]


@pytest.mark.parametrize("way", cases())
@pytest.mark.usefixtures("installed")
def test_a_bad_plugin_costs_only_what_is_its_own(
    way: Way, catalog: list[dict[str, Any]], undisturbed: Ended, capfd: pytest.CaptureFixture[str]
) -> None:
    if way.cost == "no run":
        with pytest.raises(AgpisError) as refused:
            run(catalog, dict(way.configured))
        assert OWNER in str(refused.value) or f"components.{NAME}" in str(refused.value)
        assert way.says in str(refused.value)
        return

    ended = run(catalog, dict(way.configured))

    assert [outcome.product_id for outcome in ended.outcomes] == ["P1", "P2"]
    assert capfd.readouterr().out == ""
    assert not left_over()
    reasons = words_of(ended)
    if way.says:
        assert any(way.says in reason and "1.4.0" in reason for reason in reasons), reasons
    if way.cost == "its findings":
        assert [outcome.status for outcome in ended.outcomes if holds_failure(outcome)]
        assert all(outcome.status == "hold" for outcome in ended.outcomes if holds_failure(outcome))
    if way.cost == "its product":
        assert "failed" in [outcome.status for outcome in ended.outcomes]
    if way.cost in ("nothing", "the plugin"):
        assert [outcome.status for outcome in ended.outcomes] == [one.status for one in undisturbed.outcomes]
    assert findings_of_others(ended) == findings_of_others(undisturbed)
    assert max(map(len, reasons), default=0) < 2000


def words_of(ended: Ended) -> list[str]:
    """Return all that is said of the plugin: on its items, of its products, and at the end of the run."""
    findings = [
        finding.message for outcome in ended.outcomes for finding in outcome.findings if finding.code in OF_THE_ENGINE
    ]
    said = [*findings, *(outcome.reason or "" for outcome in ended.outcomes), *ended.summary.notices]
    return [text for text in said if "agpis-bad" in text]


def holds_failure(outcome: Outcome) -> bool:
    return any(finding.code == "AGP902" for finding in outcome.findings)


def findings_of_others(ended: Ended) -> dict[str, list[Finding]]:
    return {
        outcome.product_id: [
            finding for finding in outcome.findings if finding.checker != NAME and finding.code not in OF_THE_ENGINE
        ]
        for outcome in ended.outcomes
    }


def left_over() -> bool:
    """Tell whether a process that the plugin has started is still there, two seconds after it was killed at the latest."""
    for _ in range(20):
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        if "sleep 3612" not in listed.splitlines():
            return False
        time.sleep(0.1)
    return True


def test_a_run_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    """The process of a plugin dies with the run, even where it hangs in machine code."""
    way = next(way for way in WAYS["hanging"] if way.name == "holds the interpreter in machine code")
    (tmp_path / "bad_plugin.py").write_text(way.source().replace("sleep(3600)", "sleep(3613)"))
    Image.new("RGB", (120, 90), (200, 30, 30)).save(tmp_path / "a.png")
    (tmp_path / "products.jsonl").write_text(json.dumps({"id": "P1", "images": ["a.png"]}) + "\n")
    settings = {**SETTINGS, "plugins.load": ["bad_plugin"]}
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={json.dumps(value)}")]
    command = [sys.executable, "-m", "agpis_sdk.cli", "run", "products.jsonl", *options]
    running = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    try:
        (worker,) = wait_for(lambda: children_of(running.pid))
        wait_for(lambda: state_of(worker) == "S")
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()

    wait_for(lambda: state_of(worker) in ("", "Z"))


def children_of(process: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [int(child) for child, parent in (line.split() for line in listed.splitlines()) if int(parent) == process]


def state_of(process: int) -> str:
    """Return the letter by which the system says what a process does, "" where there is none."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def wait_for(condition: Callable[[], Any]) -> Any:
    until = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return found
