"""How fast is a whole run, and what does each part cost? Ratios side by side in one process.

python benchmarks/run_speed.py [PRODUCTS] [--repeat N]

The default catalog is the example one. Every variant runs N times in turn, so that a busy machine slows all of them
alike; the fastest run of each is reported, models loaded beforehand.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from agpis_sdk import Pipeline, load_config
from agpis_sdk.media.products import read_products

EXAMPLES = Path(__file__).parents[1] / "examples" / "catalog" / "products.jsonl"
NO_PAIRS = "rules.ignore={AGP2='benchmark'}"
VARIANTS = {
    "whole run": (),
    "without the scorer": ('sequence.scorer="none"', 'sequence.builder="random"'),
    "one sequence judged": ('sequence.builder="random"',),
    "without pairs": (NO_PAIRS,),
    "without measures": ("rules.ignore={AGP10='benchmark', AGP11='benchmark'}",),
    "one decoding thread": ("run.threads=1",),
    "one product at a time": ("run.batch_size=1",),
}


def seconds_of(pipeline: Pipeline, products: Path) -> tuple[float, int]:
    """Return how long one run over a catalog takes, and how many images it holds."""
    started = time.perf_counter()
    images = sum(len(outcome.images) for outcome in pipeline.run(read_products(products)))
    return time.perf_counter() - started, images


def main() -> None:
    """Measure all variants in turn and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("products", type=Path, nargs="?", default=EXAMPLES)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    started = time.perf_counter()
    pipelines = {name: Pipeline(load_config(overrides=settings).config) for name, settings in VARIANTS.items()}
    loading = (time.perf_counter() - started) / len(pipelines)
    best: dict[str, float] = {}
    images = 0
    for _ in range(arguments.repeat):
        for name, pipeline in pipelines.items():
            seconds, images = seconds_of(pipeline, arguments.products)
            best[name] = min(seconds, best.get(name, seconds))
    table = Table(title=f"{arguments.products.name}: {images} images, fastest of {arguments.repeat}")
    for heading in ("variant", "seconds", "images/s", "of the whole run"):
        table.add_column(heading, justify="left" if heading == "variant" else "right")
    for name, seconds in best.items():
        table.add_row(name, f"{seconds:.2f}", f"{images / seconds:.1f}", f"{seconds / best['whole run']:.2f}")
    Console().print(table)
    Console().print(f"making a pipeline takes {loading:.1f} s on average, imports included")
    costs = Table(title="seconds by component, last whole run")
    costs.add_column("component")
    costs.add_column("seconds", justify="right")
    for component, seconds in sorted(
        pipelines["whole run"].summary.component_seconds.items(), key=lambda item: -item[1]
    ):
        costs.add_row(component, f"{seconds:.2f}")
    Console().print(costs)


if __name__ == "__main__":
    main()
