"""What do a process for each plugin and a file from which a run resumes cost? CPU seconds of whole runs, side by side.

python benchmarks/safety_cost.py [--products 160] [--repeat 5] [--whole]

The runs look for exact copies, and for what the example plugin finds, in the example products at the usual working size; with
`--whole` they are default runs, beside whatever plugins are installed. CPU seconds
(user and system, of the run and of what it started) are counted: on a busy machine they say more than the clock.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from soak import LIGHT, catalog

VARIANTS = {
    "plugins in process, outcomes on standard output": ("plugins.isolate=none", "-"),
    "plugins in a process of their own": ("plugins.isolate=third-party", "-"),
    "outcomes in a file that a run can resume": ("plugins.isolate=none", "outcomes.jsonl"),
}


def cpu_seconds(folder: Path, isolate: str, output: str, *, whole: bool) -> float:
    """Return the user and system time of one run and its children."""
    light = () if whole else tuple(one for one in LIGHT if not one.startswith("media."))
    settings = ("media.allow_outside=true", *light, isolate)
    options = [part for setting in settings for part in ("--set", setting)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "agpis_sdk.cli", "run", "products.jsonl", "-o", output, "--quiet", *options]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=False)
    if done.returncode > 1:
        sys.exit(f"the run ended with exit code {done.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Run the variants in turn and print the median, the least and the most of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=160)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--whole", action="store_true")
    arguments = parser.parse_args()
    measured: dict[str, list[float]] = {name: [] for name in VARIANTS}
    with tempfile.TemporaryDirectory() as name:
        catalog(Path(name), arguments.products)
        for _ in range(arguments.repeat):
            for variant, (isolate, output) in VARIANTS.items():
                measured[variant].append(cpu_seconds(Path(name), isolate, output, whole=arguments.whole))
                print(f"{measured[variant][-1]:8.2f} s  {variant}", flush=True)
    for variant, seconds in measured.items():
        middle = statistics.median(seconds)
        print(f"median {middle:.2f} s ({min(seconds):.2f} to {max(seconds):.2f}, n = {len(seconds)})  {variant}")


if __name__ == "__main__":
    main()
