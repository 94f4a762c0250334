"""How fast is a default run beside CleanVision, imagededup, and the bare library calls that its decisions need?

python benchmarks/throughput.py PRODUCTS [--images 1400] [--rounds 3] [--peers PYTHON] [--growth] [--json OUT]

PRODUCTS is a catalog of real photos. It is repeated under new ids, each file with one more byte at its end, until it has as many
images as asked. Every contender runs in a process of its own, in turn, `--rounds` times; medians are printed. On a machine
with other jobs read CPU seconds (user and system): wall seconds are those of the neighbors, too.

PYTHON is the interpreter of the peers' environment: `uv venv build/peers && uv pip install -p build/peers -r
benchmarks/stage1_peers.txt`, then `--peers build/peers/bin/python`. Without it only our run and the floor are measured.
`--growth --rounds 0` measures how costs grow, and nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
OURS, SHARED, FLOOR = "agpis run", "agpis run, a process a core", "floor"
PEERS = {"CleanVision": "cleanvision", "imagededup pHash": "phash", "imagededup CNN": "cnn"}
SIZES = (100, 300, 1000)  # images
CANDIDATES = (3, 7, 14, 28, 40)  # K^c
CANDIDATE_IMAGES = 400  # about, the same ones for each K^c, so that the start of a process weighs little
MOST_CANDIDATES = 300  # of one product, of which `media.max_images` are looked at
# Installed packages are compiled to bytecode, so that nobody pays for that at every start.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True)
class Cost:
    """What one process took with all that it started; `peak_mib` is the most that one of them had."""

    cpu_seconds: float
    wall_seconds: float
    peak_mib: float


def main() -> None:
    """Measure all contenders in turn, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("products", type=Path)
    parser.add_argument("--images", type=int, default=1400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--growth", action="store_true", help="measure more products, and more images a product, too")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        catalog, count = repeated(arguments.products, arguments.images, Path(folder) / "all")
        result: dict[str, Any] = {"start": start_up(catalog)}
        if arguments.rounds:
            found = [one_round(catalog, arguments.peers) for _ in range(arguments.rounds)]
            result |= {"images": count, "rounds": found, "components": components(catalog)}
            print_costs(found, count)
        if arguments.growth:
            result["growth"] = growth(arguments.products, Path(folder), result["start"]["cpu_seconds"])
    print_rest(result)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1, default=asdict) + "\n", encoding="utf-8")


def repeated(products: Path, images: int, out: Path) -> tuple[Path, int]:
    """Write a catalog of at least `images` images out of another; return its path and how many it has."""
    records = [json.loads(line) for line in products.read_text(encoding="utf-8").splitlines()]
    written: list[dict[str, Any]] = []
    count = 0
    for copy in range(images):
        for record in records:
            if count >= images:
                break
            written.append(copied(record, products.parent, out, copy))
            count += len(record["images"])
    return write_catalog(written, out), count


def copied(record: dict[str, Any], base: Path, out: Path, copy: int) -> dict[str, Any]:
    """Return a product under a new id, with a copy of each of its files."""
    new_id = f"{record['id']}-{copy}"
    own = []
    for position, image in enumerate(record["images"]):
        file = base / (image if isinstance(image, str) else image["uri"])
        target = out / "images" / new_id / f"{position}-{file.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        # Decoders read no further than a picture's end, so that the pixels stay the same.
        target.write_bytes(file.read_bytes() + bytes([copy % 256]))
        own.append(str(target))
    return {**record, "id": new_id, "images": own}


def write_catalog(records: Sequence[dict[str, Any]], out: Path) -> Path:
    """Write records as products.jsonl into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "products.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def one_round(catalog: Path, peers: Path | None) -> dict[str, Cost]:
    """Measure every contender once."""
    commands = {OURS: run_command(catalog, catalog.parent / "outcomes.jsonl")}
    commands[SHARED] = [*run_command(catalog, catalog.parent / "shared.jsonl"), "--set", "run.workers=0"]
    commands[FLOOR] = [sys.executable, str(HERE / "throughput_floor.py"), str(catalog)]
    if peers is not None:
        script = str(HERE / "throughput_peers.py")
        commands |= {name: [str(peers), script, method, str(catalog)] for name, method in PEERS.items()}
    return {name: cost_of(command) for name, command in commands.items()}


def run_command(catalog: Path, out: Path) -> list[str]:
    """Return the command of a default run."""
    return [sys.executable, "-m", "agpis_sdk.cli", "run", str(catalog), "-o", str(out), "--no-plugins", "--quiet"]


def cost_of(command: Sequence[str]) -> Cost:
    """Run a command; its exit code 1 says that a record failed, which is part of the work."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - started, usage.ru_maxrss / 1024)


def start_up(catalog: Path) -> dict[str, float]:
    """Return CPU and wall seconds of a run of one product: from the start of the process to the first outcome."""
    first = write_catalog([json.loads(catalog.read_text(encoding="utf-8").splitlines()[0])], catalog.parent / "first")
    costs = [cost_of(run_command(first, first.parent / "outcomes.jsonl")) for _ in range(4)][1:]
    return {
        "cpu_seconds": statistics.median(cost.cpu_seconds for cost in costs),
        "wall_seconds": statistics.median(cost.wall_seconds for cost in costs),
    }


def components(catalog: Path) -> dict[str, list[float]]:
    """Return seconds and items by component of one more run."""
    log = catalog.parent / "log.json"
    cost_of([*run_command(catalog, catalog.parent / "outcomes.jsonl"), "--log-json", str(log)])
    told = json.loads(log.read_text(encoding="utf-8"))
    return {name: [seconds, told["component_items"][name]] for name, seconds in told["component_seconds"].items()}


def growth(products: Path, folder: Path, start: float) -> dict[str, list[dict[str, float]]]:
    """Return costs of ever more images, and of products with ever more of them; CPU seconds without `start`, those of no product."""
    by_size = []
    for images in SIZES:
        catalog, count = repeated(products, images, folder / f"n{images}")
        cost = cost_of(run_command(catalog, folder / "outcomes.jsonl"))
        by_size.append({"images": count, **asdict(cost), "cpu_seconds": cost.cpu_seconds - start})
    by_candidates = []
    for candidates in (*CANDIDATES, MOST_CANDIDATES):
        catalog, count = merged(products, candidates, folder / f"k{candidates}")
        cost = cost_of(run_command(catalog, folder / "outcomes.jsonl"))
        by_candidates.append(
            {"candidates": candidates, **asdict(cost), "cpu_seconds": (cost.cpu_seconds - start) / count}
        )
    return {"images": by_size, "candidates": by_candidates}


def merged(products: Path, candidates: int, out: Path) -> tuple[Path, int]:
    """Write products that each have the photos of several of a catalog; return the path, and how many there are."""
    records = [json.loads(line) for line in products.read_text(encoding="utf-8").splitlines()]
    pool = [image for record in records for image in record["images"]]
    pool *= 1 + candidates // len(pool)
    count = min(max(1, CANDIDATE_IMAGES // candidates), len(pool) // candidates)
    chunks = [pool[candidates * row : candidates * (row + 1)] for row in range(count)]
    written = [
        copied({"id": f"k{candidates}-{row}", "title": "", "images": images}, products.parent, out, row)
        for row, images in enumerate(chunks)
    ]
    return write_catalog(written, out), count


def print_costs(rounds: Sequence[dict[str, Cost]], images: int) -> None:
    """Print the medians of each contender, and how they compare with our run."""
    medians = {name: median([one[name] for one in rounds]) for name in rounds[0]}
    table = Table(title=f"{images} images, medians of {len(rounds)}")
    for heading in ("", "CPU s", "CPU ms an image", "wall s", "images/s", "peak MiB", "CPU of ours", "wall of ours"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, cost in rows_of(medians):
        table.add_row(
            name, f"{cost.cpu_seconds:.1f}", f"{1000 * cost.cpu_seconds / images:.1f}", f"{cost.wall_seconds:.1f}",
            f"{images / cost.wall_seconds:.1f}", f"{cost.peak_mib:.0f}",
            f"{cost.cpu_seconds / medians[OURS].cpu_seconds:.2f}", f"{cost.wall_seconds / medians[OURS].wall_seconds:.2f}",
        )  # fmt: skip
    Console().print(table)


def rows_of(medians: dict[str, Cost]) -> Iterator[tuple[str, Cost]]:
    """Yield each contender, and CleanVision and imagededup's CNN one after the other."""
    yield from medians.items()
    both = [medians[name] for name in ("CleanVision", "imagededup CNN") if name in medians]
    if len(both) == 2:
        yield (
            "CleanVision, then CNN",
            Cost(
                sum(cost.cpu_seconds for cost in both),
                sum(cost.wall_seconds for cost in both),
                max(cost.peak_mib for cost in both),
            ),
        )


def median(costs: Sequence[Cost]) -> Cost:
    """Return the median of each figure."""
    return Cost(*(statistics.median(values) for values in zip(*(asdict(cost).values() for cost in costs), strict=True)))


def print_rest(result: dict[str, Any]) -> None:
    """Print start-up, the components' shares, and growth."""
    start = result["start"]
    print(f"start to first outcome: {start['cpu_seconds']:.1f} CPU s, {start['wall_seconds']:.1f} s")
    shares = result.get("components", {})
    total = sum(seconds for seconds, _ in shares.values())
    for name, (seconds, items) in sorted(shares.items(), key=lambda item: -item[1][0]):
        print(f"{seconds / total:5.0%}  {name.split(' ')[0]}: {seconds:.1f} s for {items:,} items")
    for name, rows in result.get("growth", {}).items():
        for row in rows:
            each = " a product" if name == "candidates" else ""
            print(f"{row[name]:.0f} {name}: {row['cpu_seconds']:.1f} CPU s{each}, {row['peak_mib']:.0f} MiB")


if __name__ == "__main__":
    main()
