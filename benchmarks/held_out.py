"""What the whole pipeline does on products that no shipped weights were trained on.

python benchmarks/held_out.py FOLDER [--set key=value]

FOLDER holds products.jsonl and facts.json (product id → image id → view, role). Only products of the test split are run,
once with all candidates and once with the merchant's own gallery (color variants left out).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agpis_sdk import Outcome, Pipeline, Product, load_config
from agpis_sdk.datasets.galleries import without_variants
from agpis_sdk.datasets.splits import split_of
from agpis_sdk.media.products import read_products

Facts = dict[str, dict[str, Any]]


def best_image(outcome: Outcome) -> str:
    """Return the image with the largest p_primary, removed or not: what the selector alone says."""
    scored = [image for image in outcome.images if image.p_primary is not None]
    return max(scored, key=lambda image: image.p_primary or 0.0).id


def share(outcomes: list[Outcome], right: Callable[[Outcome], bool]) -> str:
    """Return a share with its count in words."""
    hits = sum(right(outcome) for outcome in outcomes)
    return f"{hits / max(len(outcomes), 1):.3f} ({hits} of {len(outcomes)})"


def main() -> None:
    """Run both catalogs and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    arguments = parser.parse_args()
    facts: dict[str, Facts] = json.loads((arguments.folder / "facts.json").read_text(encoding="utf-8"))
    products = [
        product
        for product in read_products(arguments.folder / "products.jsonl")
        if isinstance(product, Product) and split_of(product) == "test"
    ]
    pipeline = Pipeline(load_config(overrides=arguments.settings).config)
    several = [product for product in products if len(product.images) > 1]
    galleries = [without_variants(product, facts[product.id]) for product in several]
    galleries = [gallery for gallery in galleries if len(gallery.images) > 1]
    first = {product.id: product.images[0].id for product in products}
    own = list(pipeline.run(galleries))
    print("primary top-1 in the own gallery:", share(own, lambda o: best_image(o) == first[o.product_id]))
    everything = list(pipeline.run(products))
    judged = [outcome for outcome in everything if len(outcome.images) > 1]
    print(
        "main view first, variants in:    ",
        share(judged, lambda o: facts[o.product_id].get(best_image(o), {}).get("view") == "main"),
    )
    long = [outcome for outcome in everything if len(outcome.images) >= pipeline.config.sequence.length]
    print("got a sequence:                  ", share(long, lambda o: o.status in ("submit", "hold")))
    print("statuses:", dict(Counter(outcome.status for outcome in everything)))
    print("reasons:", dict(Counter(outcome.detail or outcome.reason for outcome in long if outcome.status == "none")))
    print("findings:", Counter(finding.code for outcome in everything for finding in outcome.findings).most_common())


if __name__ == "__main__":
    main()
