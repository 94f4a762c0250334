"""A run shared by processes on this machine: the outcomes of one process, whatever is lost on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.engines.command import agpis, command, environment, outcomes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SHARED = ("--set", "run.workers=2", "--set", "run.batch_size=4")


def wait_for_lines(path: Path, count: int, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 120
    while not path.exists() or len(path.read_bytes().splitlines()) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)


def started(shop: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(command(*arguments), cwd=shop, env=environment(), stderr=subprocess.PIPE, text=True)


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        pytest.skip("the children of a process are known on Linux alone")
    return [int(pid) for pid in children.read_text().split()]


def test_gives_the_outcomes_of_one_process_in_the_order_of_the_input(shop: Path) -> None:
    finished = agpis(shop, "products.jsonl", "-o", "out.jsonl", *SHARED, "--log-json", "log.json")

    assert finished.returncode == 1, finished.stderr  # as of one process: some records failed
    assert (shop / "out.jsonl").read_bytes() == (shop / "local.jsonl").read_bytes()
    assert len(list(shop.glob("*.py.*"))) == 3  # the process of local.jsonl, and two workers
    assert json.loads((shop / "log.json").read_text())["products"] == len(outcomes(shop / "local.jsonl"))


def test_starts_no_more_workers_than_there_are_micro_batches(shop: Path) -> None:
    finished = agpis(shop, "products.jsonl", "-o", "out.jsonl", "--limit", "4", *SHARED)

    assert finished.returncode == 0, finished.stderr
    assert outcomes(shop / "out.jsonl") == outcomes(shop / "local.jsonl")[:4]
    assert len(list(shop.glob("*.py.*"))) == 2  # the process of local.jsonl, and one worker


def test_reports_show_the_images_though_workers_decoded_them(shop: Path) -> None:
    agpis(shop, "products.jsonl", "-o", "one.jsonl", "--limit", "6", "--report", "one.html")
    finished = agpis(shop, "products.jsonl", "-o", "two.jsonl", "--limit", "6", "--report", "two.html", *SHARED)

    assert finished.returncode == 0, finished.stderr
    pictures = [(shop / name).read_text().count("data:image") for name in ("one.html", "two.html")]
    assert pictures[0] == pictures[1] > 6


def test_a_worker_that_is_killed_costs_nothing(shop: Path) -> None:
    process = started(shop, "products.jsonl", "-o", "out.jsonl", *SHARED)
    wait_for_lines(shop / "out.jsonl.partial", 8, process)

    os.kill(workers_of(process)[0], signal.SIGKILL)
    _, said = process.communicate(timeout=200)

    assert process.returncode == 1, said
    assert "a worker was lost with shard" in said
    assert "its process was killed by SIGKILL" in said
    assert outcomes(shop / "out.jsonl") == outcomes(shop / "local.jsonl")


def test_a_product_that_ends_its_process_fails_alone(shop: Path, deadly: str) -> None:
    finished = agpis(shop, deadly, "-o", "out.jsonl", *SHARED)

    written = outcomes(shop / "out.jsonl")
    (failed,) = [one for one in written if one["product_id"] == "deadly"]
    assert finished.returncode == 1, finished.stderr
    assert failed["status"] == "failed"
    assert "each process that worked on it was lost" in failed["reason"]
    assert [one for one in written if one != failed] == outcomes(shop / "local.jsonl")[:6]


def test_finishes_what_is_in_flight_after_ctrl_c_and_can_be_resumed_by_one_process(shop: Path) -> None:
    process = started(shop, "products.jsonl", "-o", "out.jsonl", *SHARED)
    wait_for_lines(shop / "out.jsonl.partial", 8, process)
    workers = workers_of(process)

    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=100)
    kept = [line for line in (shop / "out.jsonl.partial").read_text().splitlines() if '"product_id"' in line]
    refused = agpis(shop, "products.jsonl", "-o", "out.jsonl")
    finished = agpis(shop, "products.jsonl", "-o", "out.jsonl", "--resume")

    assert process.returncode == 130
    assert f"SIGINT after {len(kept)} products" in said
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert refused.returncode == 2
    assert finished.returncode == 1, finished.stderr
    assert outcomes(shop / "out.jsonl") == outcomes(shop / "local.jsonl")


def test_no_worker_outlives_a_run_that_is_killed(shop: Path) -> None:
    process = started(shop, "products.jsonl", "-o", "out.jsonl", *SHARED)
    wait_for_lines(shop / "out.jsonl.partial", 4, process)
    workers = workers_of(process)

    process.kill()
    process.communicate()
    finished = agpis(shop, "products.jsonl", "-o", "out.jsonl", "--resume", *SHARED)

    assert len(workers) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert finished.returncode == 1, finished.stderr
    assert outcomes(shop / "out.jsonl") == outcomes(shop / "local.jsonl")


def test_says_what_is_wrong_with_settings_as_one_process_does(shop: Path) -> None:
    alone = agpis(shop, "products.jsonl", "-o", "out.jsonl", "--set", "sequence.builder=none-such")
    shared = agpis(shop, "products.jsonl", "-o", "out.jsonl", "--set", "sequence.builder=none-such", *SHARED)
    traced = agpis(shop, "products.jsonl", "-o", "out.jsonl", "--trace", "trace.json", *SHARED)

    assert (alone.returncode, alone.stderr) == (shared.returncode, shared.stderr)
    assert traced.returncode == 2
    assert "--trace: is of one process (set run.workers=1)" in traced.stderr
