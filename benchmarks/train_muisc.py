"""Train the sequence model on labeled shops, with and without evidence of stage 1, and measure it on shops left out.

python benchmarks/train_muisc.py SHOP SHOP … --work DIR [--marked SHOP …] [--seeds 0 1 2] [--folds 0 1 …] [-o FIGURES.json] [--ship DIR]

Each SHOP is a folder of labeled photos, as `leave_one_shop_out.py` takes them; its clean galleries give reviews, as
`agpis bench build` makes them, with strangers of the same shop. DIR holds the heads of `leave_one_shop_out.py` and
`train_noncompliance.py`, which have been trained without whole folds of shops: what stage 1 measured of a shop's photos is
that of heads that have not seen it (masks without a teacher: that of the head that ships, which no label taught), and so is
the sequence model that is measured on them. Calibration of a shop left out comes from the other shops, each by the model that has not seen it; accepted and rejected are then as 71 to 29, as in the
paper's Table 1. DIR keeps each model as `muisc-VARIANT-SEED-FOLD`, which `agpis adapt` can begin from (`--set components.muisc.model=…`).
`--ship` writes the model that all shops teach.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from leave_one_shop_out import interval, unseen_heads
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from agpis_sdk.builtin.muisc.model import MuiscConfig
from agpis_sdk.builtin.muisc.processor import FACTS
from agpis_sdk.builtin.muisc.text import QUALIFIED
from agpis_sdk.config import Config
from agpis_sdk.datasets.galleries import read_reviews
from agpis_sdk.datasets.review_features import LearnableReview, ReviewFeatures, review_features
from agpis_sdk.datasets.splits import Split
from agpis_sdk.evaluation.bootstrap import WeightedMetrics
from agpis_sdk.evaluation.calibration import Calibration, calibrated, fit_calibration
from agpis_sdk.evaluation.metrics import CATEGORIES
from agpis_sdk.evaluation.predict import class_logits
from agpis_sdk.pipeline.image_facts import RunFacts
from agpis_sdk.plugins import PluginHost
from agpis_sdk.synthetic.galleries import read_clean_galleries
from agpis_sdk.synthetic.reviews import REVIEWS, build_reviews
from agpis_sdk.synthetic.sequences import rows_as_in_table_1
from agpis_sdk.training.muisc.trainer import TrainingPlan, fit, set_calibration
from agpis_sdk.training.provenance import drop_checkpoints

REVIEWS_PER_SHOP, MOST_PER_GALLERY = 600, 60
# As many rejected as accepted ones teach most; figures of calibration are for the shares of Table 1.
SHARES = (0.45, 0.22, 0.15, 0.18)
PLAN = TrainingPlan(epochs=4, batch_size=16, learning_rate=5e-4)
VARIANTS = {
    "evidence": MuiscConfig.lite,
    "no evidence": lambda: MuiscConfig.lite(evidence=[]),
    "no matching": lambda: MuiscConfig.lite(evidence=[], compare_images=False),
}
Figures = dict[str, Any]
Logits = NDArray[np.float64]


def main() -> None:
    """Train, measure, print, and write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shops", nargs="+", type=Path)
    parser.add_argument("--marked", nargs="*", default=[], help="Names of shops whose mark is taken off first.")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=["evidence", "no evidence"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument(
        "--folds", nargs="+", type=int, help="Leave out these folds of shops alone; all, where not given."
    )
    parser.add_argument(
        "--in-shop", action="store_true", help="Measure products left out of shops that teach, instead."
    )
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--ship", type=Path)
    options = parser.parse_args()
    folds: dict[str, int] = json.loads((options.work / "folds.json").read_text())
    shops = {}
    for folder in options.shops:
        features = shop_features(folder, folds[folder.name], options.work, marked=folder.name in options.marked)
        if features is not None:
            shops[folder.name] = features
    left = [name for name in shops if options.folds is None or folds[name] in options.folds]
    results = []
    for seed in options.seeds:
        for variant in options.variants:
            if options.in_shop:
                figures = in_shop_figures(shops, variant, seed, options.work)
            else:
                logits = unseen_logits(shops, left, folds, variant, seed, options.work)
                figures = figures_of({name: shops[name] for name in left}, logits)
            results.append({"variant": variant, "seed": seed, **figures})
            print(json.dumps(results[-1]), flush=True)
    if options.out:
        options.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    if options.ship:
        ship(shops, unseen_logits(shops, list(shops), folds, "evidence", options.seeds[0], options.work), options)


def shop_features(folder: Path, fold: int, work: Path, *, marked: bool) -> ReviewFeatures | None:
    """Return a shop's reviews with features and evidence; None where no gallery has two photos of one color."""
    bench = work / "bench" / folder.name
    marked_folders, folders = ([folder], []) if marked else ([], [folder])
    if not (bench / REVIEWS).is_file():
        galleries = read_clean_galleries(folders, marked=marked_folders)
        several = sum(gallery.length > 1 for gallery in galleries)
        if not several:
            return None
        # A gallery of one photo is drawn from an eighth as often.
        per_gallery = REVIEWS_PER_SHOP / (several + (len(galleries) - several) / 8)
        per_product = max(4, min(MOST_PER_GALLERY, round(per_gallery)))
        build_reviews(folders, bench, marked=marked_folders, per_product=per_product, shares=SHARES)
    # Without these two, what ships would judge a shop whose labels it has seen.
    needed = {"noncompliance": fold, "view": folder.name}
    heads = {name: {"weights": str(work / f"{name}-{left}.safetensors")} for name, left in needed.items()}
    config = Config.model_validate({"components": unseen_heads(fold, work) | heads})
    host = PluginHost.load(config.plugins, discover=False, components=config.components)
    source = RunFacts(FACTS, host=host, config=config)
    return review_features(read_reviews(bench / REVIEWS), source, with_evidence=True, cache=bench / "features")


def joined(tables: Sequence[ReviewFeatures]) -> ReviewFeatures:
    """Return the reviews of several shops as one."""
    reviews: list[LearnableReview] = []
    first = 0
    for table in tables:
        reviews += [replace(one, images=tuple(row + first for row in one.images)) for one in table.reviews]
        first += len(table.tokens)
    arrays = (
        np.concatenate([getattr(one, name) for one in tables]) for name in ("tokens", "global_tokens", "evidence")
    )
    return ReviewFeatures(tuple(reviews), (), *arrays)


def taught(table: ReviewFeatures) -> ReviewFeatures:
    """Return a shop's reviews with those of its test split in the train split: other shops test."""
    splits: dict[Split, Split] = {"train": "train", "test": "train", "validation": "validation"}
    return replace(table, reviews=tuple(replace(one, split=splits[one.split]) for one in table.reviews))


def unseen_logits(
    shops: Mapping[str, ReviewFeatures],
    wanted: Sequence[str],
    folds: Mapping[str, int],
    variant: str,
    seed: int,
    work: Path,
) -> dict[str, Logits]:
    """Return the class logits of the wanted shops' reviews by models that have not seen the shop's fold; DIR keeps them."""
    found: dict[str, Logits] = {}
    for fold in sorted({folds[name] for name in wanted}):
        left = [name for name in shops if folds[name] == fold]
        kept = work / f"logits-{variant.replace(' ', '-')}-{seed}-{fold}.npz"
        if not kept.is_file():
            started = time.monotonic()
            folder = work / f"muisc-{variant.replace(' ', '-')}-{seed}-{fold}"
            others = joined([taught(table) for name, table in shops.items() if name not in left])
            model, text, _ = fit(others, VARIANTS[variant](), replace(PLAN, seed=seed), folder)
            model.save_pretrained(folder)
            text.save(folder)
            drop_checkpoints(folder)
            np.savez(kept, **{name: class_logits(model, text, shops[name], shops[name].every_row) for name in left})
            print(f"{variant}, seed {seed}, fold {fold}: {time.monotonic() - started:.0f} s", flush=True)
        with np.load(kept) as file:
            found |= {name: file[name] for name in left}
    return found


def in_shop_figures(shops: Mapping[str, ReviewFeatures], variant: str, seed: int, work: Path) -> Figures:
    """Return the AUC of the test split of each shop, whose products teach nothing, by a model that the train splits of all shops teach."""
    folder = work / f"muisc-in-shop-{variant.replace(' ', '-')}-{seed}"
    model, text, _ = fit(joined(list(shops.values())), VARIANTS[variant](), replace(PLAN, seed=seed), folder)
    drop_checkpoints(folder)
    by_shop = {}
    for name, table in shops.items():
        tested = replace(table, reviews=tuple(one for one in table.reviews if one.split == "test"))
        if 0 < qualified(tested).sum() < len(tested.reviews):
            by_shop[name] = dict(measured(tested, class_logits(model, text, tested, tested.every_row)))
    return {"mean": {"auc": interval(np.array([own["auc"] for own in by_shop.values()]))}, "by_shop": by_shop}


def figures_of(shops: Mapping[str, ReviewFeatures], logits: Mapping[str, Logits]) -> Figures:
    """Return AUC and calibration error by shop left out, and their means."""
    by_shop = {name: dict(measured(table, logits[name])) for name, table in shops.items()}
    for name, table in shops.items():
        others = [other for other in shops if other != name]
        calibration = fit_calibration(*unseen({other: shops[other] for other in others}, logits))
        rows = rows_as_in_table_1(qualified(table))
        p_qualified = calibrated(logits[name][rows], calibration)[:, 0]
        metrics = WeightedMetrics.unweighted(qualified(table)[rows], p_qualified)
        by_shop[name]["calibration_error"] = round(float(metrics.calibration_error()[0]), 3)
    means = {}
    for metric in ("auc", *(f"auc_{category}" for category in CATEGORIES), "calibration_error"):
        means[metric] = interval(np.array([own[metric] for own in by_shop.values() if metric in own]))
    return {"mean": means, "by_shop": by_shop}


def measured(table: ReviewFeatures, logits: Logits) -> Iterator[tuple[str, float]]:
    """Yield n and the AUC of p^t, of all reviews and of each category of rules against the accepted ones."""
    accepted, p_qualified = qualified(table), calibrated(logits, Calibration())[:, 0]
    codes = np.array([review.code for review in table.reviews])
    yield "reviews", len(codes)
    yield "auc", round(float(roc_auc_score(accepted, p_qualified)), 3)
    for category, prefix in CATEGORIES.items():
        own = np.char.startswith(codes, prefix)
        if own.sum() >= 10:
            chosen = accepted | own
            yield f"auc_{category}", round(float(roc_auc_score(accepted[chosen], p_qualified[chosen])), 3)


def qualified(table: ReviewFeatures) -> NDArray[np.bool_]:
    """Return which reviews accept."""
    return np.array([review.code == QUALIFIED for review in table.reviews])


def unseen(shops: Mapping[str, ReviewFeatures], logits: Mapping[str, Logits]) -> tuple[Logits, NDArray[np.bool_]]:
    """Return what models that have not seen these shops say (n, C), and whether each is accepted, in the shares of Table 1."""
    rows = {name: rows_as_in_table_1(qualified(table)) for name, table in shops.items()}
    return (
        np.concatenate([logits[name][rows[name]] for name in shops]),
        np.concatenate([qualified(table)[rows[name]] for name, table in shops.items()]),
    )


def ship(shops: Mapping[str, ReviewFeatures], logits: Mapping[str, Logits], options: argparse.Namespace) -> None:
    """Train on all shops; calibration is that of the models that have not seen them."""
    everything = joined([taught(table) for table in shops.values()])
    model, text, _ = fit(everything, MuiscConfig.lite(), replace(PLAN, seed=options.seeds[0]), options.ship)
    said, accepted = unseen(shops, logits)
    set_calibration(model, said, accepted, fit_calibration(said, accepted))
    model.save_pretrained(options.ship)
    text.save(options.ship)
    drop_checkpoints(options.ship)


if __name__ == "__main__":
    main()
