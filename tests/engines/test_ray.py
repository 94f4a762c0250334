"""A run on a cluster of several nodes, all of them on this machine: the outcomes of the local engine, whatever is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engines.cluster import small_cluster
from tests.engines.command import agpis, command, environment, outcomes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
pytest.importorskip("ray.cluster_utils", reason="needs the extra ray")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with small_cluster(nodes=2) as cluster:
        yield cluster


def on_ray(cluster: Any, *arguments: str) -> list[str]:
    sizes = ("--set", "ray.shard_size=4", "--set", "ray.actors=2", "--engine", "ray", "--address", cluster.address)
    return [*arguments, *sizes]


def wait_for_shards(folder: Path, count: int, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 200
    while len(list(folder.glob("receipts/*.json"))) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)


def test_gives_the_outcomes_of_the_local_engine(cluster: Any, shop: Path) -> None:
    finished = agpis(shop, *on_ray(cluster, "products.jsonl", "-o", "out"))

    assert finished.returncode == 1, finished.stderr  # as the local engine: some records failed
    assert outcomes(shop / "out") == outcomes(shop / "local.jsonl")


def test_reads_parquet_too(cluster: Any, shop: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"id": f"P{number}", "images": ["a.png", "b.png", "c.png"]} for number in range(9)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), shop / "products.parquet")
    agpis(shop, "products.parquet", "-o", "local-parquet.jsonl")

    finished = agpis(shop, *on_ray(cluster, "products.parquet", "-o", "out"))

    assert finished.returncode == 0, finished.stderr
    assert outcomes(shop / "out") == outcomes(shop / "local-parquet.jsonl")


def test_continues_after_the_process_that_hands_out_shards_was_killed(cluster: Any, shop: Path) -> None:
    arguments = on_ray(cluster, "products.jsonl", "-o", "out")
    process = subprocess.Popen(command(*arguments), cwd=shop, env=environment(), stderr=subprocess.PIPE, text=True)
    wait_for_shards(shop / "out", 3, process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    before = {path.name: path.stat().st_mtime_ns for path in (shop / "out").glob("receipts/*.json")}
    assert 0 < len(before) < 16

    refused = agpis(shop, *arguments)
    finished = agpis(shop, *arguments, "--resume")

    assert refused.returncode == 2
    assert "add --resume" in refused.stderr
    assert finished.returncode == 1, finished.stderr
    assert outcomes(shop / "out") == outcomes(shop / "local.jsonl")
    kept = [name for name in before if part_of(shop / "out", name).stat().st_mtime_ns <= before[name]]
    assert len(kept) == len(before)


def part_of(folder: Path, receipt: str) -> Path:
    return folder / f"part-{receipt.removesuffix('.json')}.jsonl"


def test_a_product_that_ends_its_process_fails_alone(cluster: Any, shop: Path, deadly: str) -> None:
    finished = agpis(shop, *on_ray(cluster, deadly, "-o", "out"), "--set", "ray.retries=0")

    written = outcomes(shop / "out")
    (failed,) = [one for one in written if one["product_id"] == "deadly"]
    assert finished.returncode == 1, finished.stderr
    assert failed["status"] == "failed"
    assert "each process that worked on it was lost" in failed["reason"]
    assert [one for one in written if one != failed] == outcomes(shop / "local.jsonl")[:6]


def test_loses_and_doubles_nothing_when_a_node_is_killed(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for mark in shop.glob("*.py.*"):
        mark.unlink()
    monkeypatch.setenv("PAUSE_OF_THE_FAKES", "0.5")
    with small_cluster(nodes=2) as cluster:
        arguments = on_ray(cluster, "products.jsonl", "-o", "out")
        process = subprocess.Popen(command(*arguments), cwd=shop, env=environment(), stderr=subprocess.PIPE, text=True)
        wait_for_shards(shop / "out", 3, process)
        while len(list(shop.glob("*.py.*"))) < 2:  # until both nodes work
            time.sleep(0.05)
        assert len(list((shop / "out").glob("receipts/*.json"))) < 12

        cluster.kill_one()
        _, said = process.communicate(timeout=300)

    assert process.returncode == 1, said
    assert "a worker was lost with shard" in said
    assert outcomes(shop / "out") == outcomes(shop / "local.jsonl")
