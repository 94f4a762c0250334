"""What is each model worth in a shop that it has never seen? Train without one folder of photos, test on it.

python benchmarks/leave_one_folder_out.py primary|noncompliance|pairs FOLDER FOLDER …
python benchmarks/leave_one_folder_out.py muisc FOLDER FOLDER … --reviews BENCH/reviews.jsonl [--train N]

Prints one JSON object a line. A folder is tested on as a whole; of muisc, which reads the reviews of `agpis bench build`,
on 2,000 reviews of the folder's products.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from agpis_sdk.cli.options import backbone as configured_backbone
from agpis_sdk.components import Backbone
from agpis_sdk.learn import muisc, noncompliance, pairs, primary
from agpis_sdk.learn.galleries import products_of, read_galleries, read_reviews
from agpis_sdk.learn.judging import judge
from agpis_sdk.learn.sequence_metrics import evaluate
from agpis_sdk.records import Review

TESTED = 2000
Example = TypeVar("Example")
Figures = dict[str, Any]


def all_but(examples: dict[str, list[Example]], left: str) -> list[Example]:
    """Return the examples of all folders but one."""
    return [example for folder, own in examples.items() if folder != left for example in own]


def primary_figures(folders: Sequence[Path], backbone: Backbone, seed: int) -> Iterator[tuple[str, Figures]]:
    """Yield the figures of a primary head for each folder left out."""
    galleries = {str(f): list(primary.ranked_galleries(read_galleries([f]), backbone, seed=seed)) for f in folders}
    for left, own in galleries.items():
        # No product of these is tested on: all may teach, but for those that calibrate.
        others = [
            gallery if gallery.split != "test" else replace(gallery, split="train")
            for gallery in all_but(galleries, left)
        ]
        yield left, primary.gallery_metrics(own, primary.fit(others))


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


def pairs_figures(folders: Sequence[Path], backbone: Backbone, seed: int) -> Iterator[tuple[str, Figures]]:
    """Yield the figures of a verdict on pairs for each folder left out."""
    measured = {
        str(folder): list(pairs.measured(pairs.labelled_pairs([folder], seed=seed), backbone)) for folder in folders
    }
    for left, own in measured.items():
        yield left, pairs.measure(own, pairs.fit(all_but(measured, left)))


def muisc_figures(
    folders: Sequence[Path], backbone: Backbone, seed: int, reviews: Path, train: int
) -> Iterator[tuple[str, Figures]]:
    """Yield the figures of a small MUIsC for each folder left out, trained on at most `train` reviews of the others."""
    folder_of = {product.id: str(folder) for folder in folders for product in products_of(folder)}
    shops: dict[str, list[Review]] = {str(folder): [] for folder in folders}
    for review in read_reviews(reviews):
        source = str(review.product.attributes.get("source", review.product.id))
        if source in folder_of:
            shops[folder_of[source]].append(review)
    for left, own in shops.items():
        others = _drawn(all_but(shops, left), train, seed)
        # In the order of the splits: others teach and calibrate, the folder that is left out is tested on.
        listed = [_in_split(review, _taught(review)) for review in others]
        listed += [_in_split(review, "test") for review in _drawn(own, TESTED, seed)]
        config = muisc.switched_config("lite", [])
        features = muisc.learnable(listed, backbone, config, seed=seed)
        plan = muisc.TrainingPlan(epochs=3, batch_size=16, learning_rate=5e-4, seed=seed)
        with tempfile.TemporaryDirectory() as out:
            model, text, _ = muisc.fit(features, config, plan, Path(out))
        muisc.calibrate(model, text, features)
        judged = judge(model, text, features, features.rows("test"))
        yield left, evaluate(judged, seed=seed).as_dict()


def _drawn(reviews: list[Review], count: int, seed: int) -> list[Review]:
    order = np.random.default_rng(seed).permutation(len(reviews))[:count]
    return [reviews[place] for place in sorted(order)]


def _taught(review: Review) -> str:
    return "train" if review.product.attributes.get("split") == "train" else "validation"


def _in_split(review: Review, split: str) -> Review:
    attributes = {**review.product.attributes, "split": split}
    return review.model_copy(update={"product": review.product.model_copy(update={"attributes": attributes})})


FIGURES: dict[str, Callable[..., Iterator[tuple[str, Figures]]]] = {
    "primary": primary_figures,
    "noncompliance": noncompliance_figures,
    "pairs": pairs_figures,
    "muisc": muisc_figures,
}


def main() -> None:
    """Print the figures of a model for each folder left out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=list(FIGURES))
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--reviews", type=Path, help="Only for muisc.")
    parser.add_argument("--train", type=int, default=5000, help="Most reviews to learn from; only for muisc.")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if len(arguments.folders) < 2:
        parser.error("name two folders or more: one is left out")
    if (arguments.model == "muisc") != (arguments.reviews is not None):
        parser.error("muisc needs --reviews, the others take none")
    extra = (arguments.reviews, arguments.train) if arguments.model == "muisc" else ()
    for left, figures in FIGURES[arguments.model](
        arguments.folders, configured_backbone(None, None), arguments.seed, *extra
    ):
        print(json.dumps({"model": arguments.model, "without": left, **figures}), flush=True)


if __name__ == "__main__":
    main()
