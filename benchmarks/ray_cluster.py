"""Does a run on a cluster give what a run on one machine gives, where a node is killed on the way?

python benchmarks/ray_cluster.py [PRODUCTS] [--products 1000] [--shard-size 20] [--set KEY=VALUE] [--json OUT]

PRODUCTS, the example catalog where nothing is named, is repeated under new ids until it has as many products as asked.
The local engine and the Ray engine run it side by side, the latter on a cluster of two nodes of one CPU each, both on this
machine. One of the nodes is killed without a word when a quarter of the shards is finished. Every outcome of the one is compared
with every outcome of the other, field by field.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.engines.cluster import small_cluster

EXAMPLES = Path(__file__).parents[1] / "examples" / "catalog" / "products.jsonl"
SHARE_BEFORE_KILL = 0.25


def main() -> None:
    """Run both engines, compare, and print what was found; exit with 1 where they differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("catalog", type=Path, nargs="?", default=EXAMPLES)
    parser.add_argument("--products", type=int, default=1000)
    parser.add_argument("--shard-size", type=int, default=20)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_catalog(arguments.catalog, arguments.products, place / "products.jsonl")
        overrides = [part for one in arguments.settings for part in ("--set", one)]
        found = measure(place, overrides, arguments.products, arguments.shard_size)
    print(json.dumps(found, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.exit(0 if found["equal"] else 1)


def write_catalog(catalog: Path, count: int, target: Path) -> None:
    """Write products of a catalog, repeated under new ids, their images beside them."""
    records = [json.loads(line) for line in catalog.read_text(encoding="utf-8").splitlines() if line.strip()]
    (target.parent / "images").symlink_to(catalog.resolve().parent / "images")
    with target.open("w", encoding="utf-8") as lines:
        for number in range(count):
            record = records[number % len(records)]
            lines.write(json.dumps({**record, "id": f"{record['id']}-{number // len(records)}"}) + "\n")


def measure(place: Path, overrides: list[str], products: int, size: int) -> dict[str, Any]:
    """Run both engines and return what came of them."""
    shared = [*overrides, "--set", "media.allow_outside=true", "--quiet"]
    local = start(place, ["-o", "local.jsonl", *shared])
    shards = -(-products // size)
    with small_cluster(nodes=2) as cluster:
        ray = start(
            place,
            ["-o", "out", "--engine", "ray", "--address", cluster.address, "--set", f"ray.shard_size={size}", *shared],
        )
        finished = wait_for(place / "out" / "receipts", int(shards * SHARE_BEFORE_KILL), ray)
        cluster.kill_one()
        killed = time.monotonic()
        said = ray.communicate()[1]
        after = time.monotonic() - killed
        codes = {"ray": ray.returncode, "local": local.wait()}
    return {
        "products": products,
        "shards": shards,
        "shards finished when the node was killed": finished,
        "seconds from the kill to the end": round(after),
        "shards that were lost with it": said.count("a worker was lost with shard"),
        "exit codes": codes,
        **compared(outcomes(place / "local.jsonl"), outcomes(place / "out")),
    }


def start(place: Path, arguments: list[str]) -> subprocess.Popen[str]:
    """Start `agpis run` on the products."""
    command = [sys.executable, "-m", "agpis_sdk.cli", "run", "products.jsonl", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=place, env=environment, stderr=subprocess.PIPE, text=True)


def wait_for(receipts: Path, count: int, process: subprocess.Popen[str]) -> int:
    """Wait until so many shards are finished, and return how many are."""
    while (finished := len(list(receipts.glob("*.json")))) < max(count, 1):
        if process.poll() is not None:
            raise SystemExit(f"the run ended early: {process.communicate()[1]}")
        time.sleep(0.2)
    return finished


def outcomes(path: Path) -> list[dict[str, Any]]:
    """Return the outcomes of a file, or of a folder of shards."""
    parts = sorted(path.glob("part-*.jsonl")) if path.is_dir() else [path]
    return [json.loads(line) for part in parts for line in part.read_text(encoding="utf-8").splitlines()]


def compared(local: list[dict[str, Any]], ray: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how two runs differ: by product, and field by field."""
    expected = {one["product_id"]: one for one in local}
    times = Counter(one["product_id"] for one in ray)
    differing = Counter(
        field for one in ray for field, value in one.items() if value != expected.get(one["product_id"], {}).get(field)
    )
    return {
        "lost": len(expected.keys() - times.keys()),
        "doubled": sum(count - 1 for count in times.values()),
        "fields that differ": dict(differing),
        "statuses": dict(Counter(one["status"] for one in ray)),
        "equal": local == ray,
    }


if __name__ == "__main__":
    main()
