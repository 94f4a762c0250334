"""How much does choosing among many sequences gain over judging one? `random` against `search`, in one process.

python benchmarks/search_gain.py FOLDER... [--all] [--judge MODEL] [--set key=value]

A FOLDER holds products.jsonl; only products that no shipped weights were trained on are run, unless --all says so. A search
picks what its scorer likes, errors included, so its own p^t flatters it: --judge names a second model, such as one of
another seed, that says what it thinks of the same sequences. "one color" is the share of the sequences whose images are
of one color, where a facts.json beside the products says which color each is. --shuffle lists the images of each product
in another order, as candidates from many sources come in none.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from agpis_sdk import Outcome, Pipeline, Product, load_config
from agpis_sdk.datasets.splits import split_of
from agpis_sdk.media.products import read_products

Facts = dict[str, dict[str, dict[str, str]]]
BUILDERS = ("listed", "random", "search")


def outcomes_of(pipeline: Pipeline, products: list[Product]) -> tuple[list[Outcome], float]:
    """Return the outcomes that hold a sequence, and the seconds that the whole run took."""
    started = time.perf_counter()
    outcomes = [outcome for outcome in pipeline.run(products) if outcome.sequence]
    return outcomes, time.perf_counter() - started


def only_the_sequence(product: Product, outcome: Outcome) -> Product:
    """Return the product with nothing but the images of its sequence, in that order."""
    by_id = {image.id: image for image in product.images}
    return product.model_copy(update={"images": tuple(by_id[image] for image in outcome.sequence or ())})


def second_opinion(judge: str, products: dict[str, Product], outcomes: list[Outcome], settings: list[str]) -> float:
    """Return the mean p^t that another model gives to the same sequences."""
    chosen = ['primary.selector="first"', 'sequence.builder="listed"', f'components.muisc.model="{judge}"']
    # Stage 1 has spoken already; here it would only take images out.
    chosen.append("rules.ignore={AGP1='judged already', AGP2='judged already'}")
    pipeline = Pipeline(load_config(overrides=[*settings, *chosen]).config)
    shown = [only_the_sequence(products[outcome.product_id], outcome) for outcome in outcomes]
    return statistics.fmean(outcome.probability or 0.0 for outcome in pipeline.run(shown))


def one_color(outcomes: list[Outcome], facts: Facts) -> str:
    """Return the share of sequences, of those whose colors are all known, that show the product in one color."""
    colors = [
        {facts.get(outcome.product_id, {}).get(image, {}).get("file_color") for image in outcome.sequence or ()}
        for outcome in outcomes
    ]
    known = [len(one) for one in colors if None not in one]
    return f"{known.count(1) / len(known):.2f} of {len(known)}" if known else "–"


def shuffled(product: Product) -> Product:
    """Return the product with its images in another order, the same every time."""
    images = list(product.images)
    random.Random(product.id).shuffle(images)
    return product.model_copy(update={"images": tuple(images)})


def main() -> None:
    """Run all builders over the same products and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--all", action="store_true", help="products that the weights were trained on, too")
    parser.add_argument("--judge", help="folder of a second MUIsC that judges the chosen sequences")
    parser.add_argument("--shuffle", action="store_true", help="list the images of each product in another order")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    arguments = parser.parse_args()
    products = [
        product
        for folder in arguments.folders
        for product in read_products(folder / "products.jsonl")
        if isinstance(product, Product) and (arguments.all or split_of(product) == "test")
    ]
    products = [shuffled(product) for product in products] if arguments.shuffle else products
    by_id = {product.id: product for product in products}
    facts: Facts = {}
    for folder in arguments.folders:
        if (folder / "facts.json").is_file():
            facts |= json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    table = Table(title=f"{len(products)} products")
    for heading in ("builder", "sequences", "mean p^t", "submitted", "one color", "second opinion", "seconds"):
        table.add_column(heading, justify="left" if heading == "builder" else "right", no_wrap=True)
    for builder in BUILDERS:
        settings = [*arguments.settings, f'sequence.builder="{builder}"']
        outcomes, seconds = outcomes_of(Pipeline(load_config(overrides=settings).config), products)
        opinion = second_opinion(arguments.judge, by_id, outcomes, arguments.settings) if arguments.judge else None
        table.add_row(
            builder,
            str(len(outcomes)),
            f"{statistics.fmean(outcome.probability or 0.0 for outcome in outcomes):.3f}",
            f"{sum(outcome.status == 'submit' for outcome in outcomes) / len(outcomes):.3f}",
            one_color(outcomes, facts),
            "–" if opinion is None else f"{opinion:.3f}",
            f"{seconds:.1f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
