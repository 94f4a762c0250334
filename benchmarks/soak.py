"""Does a long run keep to its memory, files and threads? The example products again and again, each time under new ids.

python benchmarks/soak.py [--products 10000] [--light] [--set KEY=VALUE …] [--every 500]

`--light` leaves all models out: exact copies and whatever is installed as a plugin are looked for in small pictures, so that
10,000 products take minutes. Printed are the memory of the process and of those of plugins, open files and threads. The exit
code is 1 where the peak of memory is more than 10 % above that of the first 300 products, or a file or a thread is left over.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agpis_sdk.config import load_config
from agpis_sdk.media.products import read_products
from agpis_sdk.pipeline.pipeline import Pipeline

EXAMPLES = Path(__file__).parents[1] / "examples" / "catalog" / "products.jsonl"
FIRST = 300
ALLOWED = 1.10
LIGHT = (
    "media.working_side=64",
    'rules.select=["exact-copy", "EXA"]',
    'primary.selector="first"',
    'sequence.scorer="none"',
    'sequence.builder="listed"',
    'plugins.block=["duplicates", "muisc", "noncompliance"]',
)


@dataclass(frozen=True)
class Sample:
    """The state of the process after some products: bytes of memory, its peak, those of plugins, and counts."""

    products: int
    seconds: float
    resident: int
    peak: int
    of_plugins: int
    files: int
    threads: int

    def __str__(self) -> str:
        mib = 2**20
        return (
            f"{self.products:7,d} products {self.seconds:8.1f} s   {self.resident / mib:6.0f} MiB, peak "
            f"{self.peak / mib:6.0f}, plugins {self.of_plugins / mib:5.0f}   {self.files:3d} files {self.threads:3d} threads"
        )


def catalog(folder: Path, products: int) -> Path:
    """Write so many products under ids of their own; return the file."""
    records = [json.loads(line) for line in EXAMPLES.read_text(encoding="utf-8").splitlines()]
    path = folder / "products.jsonl"
    with path.open("w", encoding="utf-8") as stream:
        for number in range(products):
            record = records[number % len(records)]
            images = [
                {"id": f"i{position}", "uri": str(EXAMPLES.parent / image)} if isinstance(image, str) else image
                for position, image in enumerate(record["images"])
            ]
            stream.write(json.dumps({**record, "id": f"{record['id']}-{number}", "images": images}) + "\n")
    return path


def status_of(process: int | str) -> dict[str, int]:
    """Return the numbers that the system keeps of a process, memory in bytes."""
    lines = (line.split() for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines())
    return {
        words[0].rstrip(":"): int(words[1]) * (1024 if words[2:] == ["kB"] else 1)
        for words in lines
        if len(words) > 1 and words[1].isdigit()
    }


def children() -> Iterator[int]:
    """Yield the processes that this one has started."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if status_of(entry.name)["PPid"] == os.getpid():
                    yield int(entry.name)
            except OSError:  # it has just ended
                continue


def sample(products: int, started: float) -> Sample:
    """Look at this process and at those of plugins."""
    own = status_of("self")
    return Sample(
        products=products,
        seconds=time.perf_counter() - started,
        resident=own["VmRSS"],
        peak=own["VmHWM"],
        of_plugins=sum(status_of(child).get("VmRSS", 0) for child in children()),
        files=len(list(Path("/proc/self/fd").iterdir())),
        threads=own["Threads"],
    )


def main() -> None:
    """Run, print the samples, and exit with 1 where something has grown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--light", action="store_true")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--every", type=int, default=500)
    arguments = parser.parse_args()
    samples: dict[int, Sample] = {}
    with tempfile.TemporaryDirectory() as name:
        path = catalog(Path(name), arguments.products)
        settings = ("media.allow_outside=true", *(LIGHT if arguments.light else ()), *arguments.settings)
        pipeline = Pipeline(load_config(overrides=settings).config)
        started = time.perf_counter()
        for count, _ in enumerate(pipeline.run(read_products(path)), start=1):
            if count == min(FIRST, arguments.products) or count % arguments.every == 0:
                samples[count] = sample(count, started)
                print(samples[count], flush=True)
    first, last = samples[min(FIRST, arguments.products)], samples[max(samples)]
    print(
        f"peak {last.peak / first.peak:.3f} of that of {first.products} products, plugins {last.of_plugins / max(first.of_plugins, 1):.3f}"
    )
    grown = last.peak > ALLOWED * first.peak or last.files > first.files or last.threads > first.threads
    grown = grown or last.of_plugins > ALLOWED * first.of_plugins
    sys.exit(1 if grown else 0)


if __name__ == "__main__":
    main()
