"""How many clean photos does p_nc flag once `agpis adapt` has set its threshold on a shop's own photos, and what is still caught?

python benchmarks/adapted_thresholds.py SHOP SHOP … --work DIR [--false-alarms 0.05] [-o FIGURES.json]

SHOP and DIR are those of `leave_one_shop_out.py`, which has put facts of each shop into DIR, with p_nc of heads that have not
seen the shop. Half of a shop's products set the threshold, without a label, and the labels of the other half judge it; four
random halves a shop.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from leave_one_shop_out import Figures, facts_of, folds

from agpis_sdk.components import FeatureSource
from agpis_sdk.config import Config
from agpis_sdk.datasets.labels import labeled_images
from agpis_sdk.pipeline.image_facts import ProductFacts
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.training.adaptation.noncompliance import ThresholdAdapter
from agpis_sdk.training.adaptation.request import AdaptationRequest

HALVES = 4
FEWEST = 3
"""Photos of a kind that a half has to have for a rate."""


def main() -> None:
    """Measure, print, and write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shops", nargs="+", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--false-alarms", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    fold_of = folds(options.shops, options.work, options.seed)
    figures = {}
    for folder in options.shops:
        overlaid = {(one.product.id, one.image.id): bool(one.overlays) for one in labeled_images(folder)}
        products = facts_of(folder, fold_of[folder.name], options.work)
        figures[folder.name] = measured(products, overlaid, options.false_alarms, options.seed)
        print(folder.name, json.dumps(figures[folder.name]), flush=True)
    if options.out:
        options.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def measured(
    products: Sequence[ProductFacts], overlaid: Mapping[tuple[str, str], bool], false_alarms: float, seed: int
) -> Figures:
    """Return shares of clean photos flagged and of overlays caught, before and after, means of the halves."""
    rates: dict[str, list[float]] = defaultdict(list)
    rng = np.random.default_rng(seed)
    now = Config().noncompliance.threshold
    for _ in range(HALVES):
        order = rng.permutation(len(products)).tolist()
        teach, test = order[: len(order) // 2], order[len(order) // 2 :]
        found = adapted_threshold([products[row] for row in teach], false_alarms, seed)
        rates["taken"].append(found != now)
        p_nc = {
            (one.product.id, image_id): facts["p_noncompliant"]
            for one in (products[row] for row in test)
            for image_id, facts in one.images.items()
        }
        for what, kind in (("clean flagged", False), ("caught", True)):
            own = np.array(
                [p_nc[name] for name, is_overlaid in overlaid.items() if is_overlaid == kind and name in p_nc]
            )
            if len(own) >= FEWEST:
                rates[f"{what} before"].append(float((own >= now).mean()))
                rates[f"{what} after"].append(float((own >= found).mean()))
    return {name: round(float(np.mean(values)), 3) for name, values in rates.items()}


def adapted_threshold(products: Sequence[ProductFacts], false_alarms: float, seed: int) -> float:
    """Return the threshold that `agpis adapt` sets on products as they are; the default one where it takes none."""
    config = Config()
    request = AdaptationRequest(
        products=products,
        out=Path(),
        config=config,
        rules=shipped_rules(),
        run_facts=_no_facts,
        false_alarms=false_alarms,
        seed=seed,
    )
    settings = ThresholdAdapter().adapt(request).settings
    return float(settings.get("noncompliance", {}).get("threshold", config.noncompliance.threshold))


def _no_facts(_: frozenset[str]) -> FeatureSource:
    raise AssertionError("a threshold is set on p_nc that is known")


if __name__ == "__main__":
    main()
