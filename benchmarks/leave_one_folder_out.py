"""What is each model worth in a shop that it has never seen? Train without one folder of photos, test on it.

python benchmarks/leave_one_folder_out.py noncompliance FOLDER FOLDER …
python benchmarks/leave_one_folder_out.py muisc|adapt FOLDER FOLDER … --reviews BENCH/reviews.jsonl [--train N]

Prints one JSON object a line. A folder is tested on as a whole; of muisc, which reads the reviews of `agpis bench build`,
on 2,000 reviews of the folder's products. `adapt` asks what a shop gains that lets such a model learn on from reviews of
its own (--own, several numbers): half of the folder's products teach, up to 2,000 reviews of the other half test. "build_model":
"nothing" is a model that has these reviews alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from agpis_sdk.builtin.muisc.model import MuiscConfig
from agpis_sdk.cli.options import backbone as configured_backbone
from agpis_sdk.components import Backbone
from agpis_sdk.datasets.galleries import products_of, read_galleries, read_reviews, subsample_accepted
from agpis_sdk.datasets.review_features import ReviewFeatures, review_features
from agpis_sdk.datasets.splits import Split
from agpis_sdk.evaluation.metrics import evaluate
from agpis_sdk.evaluation.predict import predict
from agpis_sdk.training import noncompliance
from agpis_sdk.training.muisc import trainer
from agpis_sdk.training.muisc.initialization import InitFrom

TESTED = 2000
CALIBRATED_ON = 1200
Splits = dict[int, Split]
Example = TypeVar("Example")
Figures = dict[str, Any]


def all_but(examples: dict[str, list[Example]], left: str) -> list[Example]:
    """Return the examples of all folders but one."""
    return [example for folder, own in examples.items() if folder != left for example in own]


def noncompliance_figures(folders: Sequence[Path], backbone: Backbone, seed: int) -> Iterator[tuple[str, Figures]]:
    """Yield the figures of a non-compliance head for each folder left out."""
    tables = {
        str(folder): noncompliance.feature_table(
            noncompliance.draw(read_galleries([folder]), seed=seed, draws=8, single_photos=1000), backbone
        )
        for folder in folders
    }
    for left, own in tables.items():
        others = [table for folder, table in tables.items() if folder != left]
        joined = noncompliance.FeatureTable(
            {name: torch.cat([table.facts[name] for table in others]) for name in own.facts},
            torch.cat([table.labels for table in others]),
            [photo for table in others for photo in table.photos],
        )
        tested = replace(own, photos=[replace(photo, split="test") for photo in own.photos])
        yield left, noncompliance.measure(tested, noncompliance.fit(joined, seed=seed, epochs=10))


def muisc_figures(
    folders: Sequence[Path], backbone: Backbone, seed: int, reviews: Path, train: int
) -> Iterator[tuple[str, Figures]]:
    """Yield the figures of a small MUIsC for each folder left out, trained on at most `train` reviews of the others."""
    features, shops = _features_by_shop(folders, reviews, backbone)
    for left, own in shops.items():
        splits = _others(features, all_but(shops, left), train, seed) | dict.fromkeys(_drawn(own, TESTED, seed), "test")
        with tempfile.TemporaryDirectory() as out:
            yield left, _trained(_view(features, splits), Path(out), _plan(seed), InitFrom())


def adapt_figures(
    folders: Sequence[Path], backbone: Backbone, seed: int, reviews: Path, train: int, own: Sequence[int]
) -> Iterator[tuple[str, Figures]]:
    """Yield the figures of a MUIsC of the other folders in the one left out, before and after learning on from its reviews."""
    features, shops = _features_by_shop(folders, reviews, backbone)
    for left, rows in shops.items():
        tested: Splits = dict.fromkeys(
            _drawn([row for row in rows if _digest(features, row)[0] % 2], TESTED, seed), "test"
        )
        teaching = [row for row in rows if not _digest(features, row)[0] % 2]
        with tempfile.TemporaryDirectory() as out:
            base = Path(out) / "base"
            splits = _others(features, all_but(shops, left), train, seed) | tested
            figures = _trained(_view(features, splits), base, _plan(seed), InitFrom())
            yield left, {"own": 0, "build_model": "others", **figures}
            for count in own:
                # A fifth of the products calibrates.
                splits = {row: _fifth(features, row) for row in _drawn(teaching, count, seed)} | tested
                for build_model, begin, learning_rate in (
                    ("others", InitFrom(model=str(base)), 2e-4),
                    ("nothing", InitFrom(), 5e-4),
                ):
                    plan = replace(_plan(seed), epochs=6, learning_rate=learning_rate)
                    figures = _trained(_view(features, splits), Path(out) / f"{count}-{build_model}", plan, begin)
                    yield left, {"own": count, "build_model": build_model, **figures}


def _features_by_shop(
    folders: Sequence[Path], reviews: Path, backbone: Backbone
) -> tuple[ReviewFeatures, dict[str, list[int]]]:
    """Return features of all reviews, kept beside them as by `agpis train muisc`, and the rows of each folder."""
    folder_of = {product.id: str(folder) for folder in folders for product in products_of(folder)}
    chosen = subsample_accepted(list(read_reviews(reviews)), accepted_share=0.45)
    features = review_features(chosen, backbone, cache=reviews.parent / "features")
    shops: dict[str, list[int]] = {str(folder): [] for folder in folders}
    for row, review in enumerate(features.reviews):
        if review.product in folder_of:
            shops[folder_of[review.product]].append(row)
    return features, shops


def _others(features: ReviewFeatures, rows: Sequence[int], train: int, seed: int) -> Splits:
    """Return which reviews of other folders teach, and which calibrate: those that the bench does not train on."""
    teaching = [row for row in rows if features.reviews[row].split == "train"]
    others = [row for row in rows if features.reviews[row].split != "train"]
    taught: Splits = dict.fromkeys(_drawn(teaching, train, seed), "train")
    return taught | dict.fromkeys(_drawn(others, CALIBRATED_ON, seed), "validation")


def _view(features: ReviewFeatures, splits: Splits) -> ReviewFeatures:
    """Return some of the reviews, in other splits."""
    reviews = tuple(replace(features.reviews[row], split=split) for row, split in splits.items())
    return replace(features, reviews=reviews)


def _plan(seed: int) -> trainer.TrainingPlan:
    return trainer.TrainingPlan(epochs=3, batch_size=16, learning_rate=5e-4, seed=seed)


def _trained(features: ReviewFeatures, out: Path, plan: trainer.TrainingPlan, begin: InitFrom) -> Figures:
    """Train, calibrate and save a model; return its figures on the test split, and how long it took."""
    started = time.perf_counter()
    model, text, _ = trainer.fit(features, MuiscConfig.lite(), plan, out, begin=begin)
    trainer.calibrate(model, text, features)
    seconds = time.perf_counter() - started
    model.save_pretrained(out)
    text.save(out)
    predictions = predict(model, text, features, features.rows("test"))
    return {"seconds": round(seconds), **evaluate(predictions, seed=plan.seed).as_dict()}


def _digest(features: ReviewFeatures, row: int) -> bytes:
    """Return bytes that are the same for all reviews of a product."""
    return hashlib.sha256(features.reviews[row].product.encode()).digest()


def _fifth(features: ReviewFeatures, row: int) -> Split:
    return "validation" if _digest(features, row)[1] % 5 == 0 else "train"


def _drawn(rows: Sequence[int], count: int, seed: int) -> list[int]:
    order = np.random.default_rng(seed).permutation(len(rows))[:count]
    return [rows[place] for place in sorted(order)]


FIGURES: dict[str, Callable[..., Iterator[tuple[str, Figures]]]] = {
    "noncompliance": noncompliance_figures,
    "muisc": muisc_figures,
    "adapt": adapt_figures,
}


def main() -> None:
    """Print the figures of a model for each folder left out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=list(FIGURES))
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--reviews", type=Path, help="Only for muisc and adapt.")
    parser.add_argument("--train", type=int, default=5000, help="Most reviews of other folders to learn from.")
    parser.add_argument("--own", type=int, nargs="+", default=[100, 300, 1000], help="Reviews to adapt to; for adapt.")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if len(arguments.folders) < 2:
        parser.error("name two folders or more: one is left out")
    if (arguments.model in ("muisc", "adapt")) != (arguments.reviews is not None):
        parser.error("muisc and adapt need --reviews, the others take none")
    extra = {
        "muisc": (arguments.reviews, arguments.train),
        "adapt": (arguments.reviews, arguments.train, arguments.own),
    }.get(arguments.model, ())
    for left, figures in FIGURES[arguments.model](
        arguments.folders, configured_backbone(None, None), arguments.seed, *extra
    ):
        print(json.dumps({"model": arguments.model, "without": left, **figures}), flush=True)


if __name__ == "__main__":
    main()
