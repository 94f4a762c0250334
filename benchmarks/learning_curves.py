"""What do a shop's own reviews buy? The sequence model after 0, 30, 100, 300 and 1,000 reviews of a shop that it has never seen.

python benchmarks/learning_curves.py --left SHOP SHOP … --others SHOP SHOP … --work DIR [-o FIGURES.json]

Each SHOP is a folder of labeled photos, as `leave_one_shop_out.py` takes them. The model begins with what the other shops
teach (reviews as `agpis bench build` makes them), read from the backbone alone: no head of stage 1, which might have seen
a shop left out, has a say. Half of the products of a shop left out teach, the other half judges: sequences of its own
photos, which a reviewer judges by the labels made by eye, and of which a stated share is judged wrongly where they teach.
Reviews come in random order, or the most uncertain first, as a queue with `review.order = "uncertainty"` has them. The
model learns on as `agpis train muisc --adapt` does. DIR keeps features and what has been measured.

`stage1_learning_curves.py` does the same for the first image and for non-compliance.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from train_muisc import PLAN, SHARES, VARIANTS, joined, qualified, taught

from agpis_sdk.builtin.backbones.config import EfficientNetLite0Config
from agpis_sdk.builtin.backbones.efficientnet_lite0 import EfficientNetLite0
from agpis_sdk.builtin.muisc.checkpoints import load_muisc
from agpis_sdk.builtin.muisc.features import image_tokens
from agpis_sdk.builtin.muisc.model import MuiscConfig
from agpis_sdk.builtin.muisc.text import QUALIFIED
from agpis_sdk.datasets.galleries import read_reviews
from agpis_sdk.datasets.labels import LabeledImage, labeled_galleries, labeled_images, labeled_looks
from agpis_sdk.datasets.photos import load_photo
from agpis_sdk.datasets.review_features import LearnableReview, ReviewFeatures, review_features
from agpis_sdk.datasets.splits import Split, split_key
from agpis_sdk.evaluation.bootstrap import WeightedMetrics, bootstrap_weights, confidence_interval
from agpis_sdk.evaluation.predict import class_logits
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.report.phrases import spoken
from agpis_sdk.review.oracle import OVERLAY_RULES, WRONG_FIRST
from agpis_sdk.review.ordering import draw
from agpis_sdk.synthetic.galleries import Gallery, read_clean_galleries
from agpis_sdk.synthetic.reviews import REVIEWS, write_reviews
from agpis_sdk.training.adaptation.muisc import p_qualified
from agpis_sdk.training.muisc.initialization import InitFrom
from agpis_sdk.training.muisc.trainer import TrainingPlan, calibrate, fit
from agpis_sdk.training.provenance import drop_checkpoints

SIZES = (30, 100, 300, 1000)
REVIEWS_BY_OTHER_SHOP, TESTED = 200, 300
ERROR_RATE = 0.05
ORDERS = ("random", "uncertainty")
ACCEPTED_SHARE, LENGTH, DRAWS = 0.5, 3, 40
OTHER_PRODUCT, OTHER_COLOR = "AGP205", "AGP204"
RULES = shipped_rules()
ADAPTING = TrainingPlan(epochs=4, batch_size=16, learning_rate=2e-4)
VALIDATION = 0.2
RESAMPLES = 1000
Figures = dict[str, Any]


def main() -> None:
    """Measure, print, and write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--left", nargs="+", type=Path, required=True)
    parser.add_argument("--others", nargs="+", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    base = base_model(options.others, options.work)
    rows = []
    for shop in options.left:
        for seed in options.seeds:
            rows += curve(shop, base, options.sizes, seed, options.work)
            print(json.dumps(rows[-1]), flush=True)
    if options.out:
        options.out.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def base_model(folders: Sequence[Path], work: Path) -> Path:
    """Return the folder of a model that other shops teach; what DIR holds is not trained again."""
    out = work / "muisc-base"
    if not (out / "config.json").is_file():
        tables = []
        for folder in folders:
            galleries = read_clean_galleries([folder])
            if any(gallery.length > 1 for gallery in galleries):
                tables.append(synthetic_reviews(galleries, work / f"other-{folder.name}"))
        everything = joined([taught(table) for table in tables])
        model, text, _ = fit(everything, VARIANTS["no evidence"](), PLAN, out)
        calibrate(model, text, everything)
        model.save_pretrained(out)
        text.save(out)
        drop_checkpoints(out)
    return out


def synthetic_reviews(galleries: Sequence[Gallery], folder: Path) -> ReviewFeatures:
    """Return synthetic reviews of galleries with the backbone's features; DIR keeps them."""
    several = sum(gallery.length > 1 for gallery in galleries)
    if not (folder / REVIEWS).is_file():
        per_product = -(-REVIEWS_BY_OTHER_SHOP // (several + (len(galleries) - several) // 8))
        write_reviews(galleries, folder, per_product=max(4, per_product), shares=SHARES)
    return review_features(read_reviews(folder / REVIEWS), EfficientNetLite0(EfficientNetLite0Config()), cache=folder)


def photo_features(labels: Sequence[LabeledImage], path: Path) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """Return the backbone's tokens and global tokens of photos; DIR keeps them."""
    if not path.is_file():
        backbone, rows = EfficientNetLite0(EfficientNetLite0Config()), []
        for start in range(0, len(labels), 64):
            photos = [load_photo(label.product, label.image) for label in labels[start : start + 64]]
            rows += [image_tokens(facts) for facts in backbone.features(photos)]
        np.savez(path, *(np.stack(one).astype(np.float16) for one in zip(*rows, strict=True)))
    with np.load(path) as file:
        return file["arr_0"], file["arr_1"]


class LabelingReviewer:
    """Draws sequences of a shop's own photos, and judges them by the labels, the first of these reasons counts.

    An overlay; another product; two colors; a first image that no careful merchandiser would put first.
    """

    def __init__(self, shop: Path, labels: Sequence[LabeledImage]) -> None:
        self._labels, self._looks = labels, labeled_looks(shop)
        self._rows: dict[str, list[int]] = {}
        for row, label in enumerate(labels):
            self._rows.setdefault(label.product.id, []).append(row)
        self._best = {gallery.product.id: gallery.best_first for gallery in labeled_galleries(shop)}

    def reviews(self, products: Sequence[str], count: int, seed: int) -> list[LearnableReview]:
        """Return so many reviews, or as many as there are different ones, `ACCEPTED_SHARE` of them accepted where possible."""
        rng = np.random.default_rng([seed, len(products)])
        drawn: dict[tuple[int, ...], LearnableReview] = {}
        for _ in range(DRAWS * count):
            product = products[int(rng.integers(len(products)))]
            rows = tuple(rng.permutation(self._rows[product])[:LENGTH].tolist())
            drawn.setdefault(rows, self._review(product, rows))
        accepted = [review for review in drawn.values() if review.code == QUALIFIED]
        rejected = [review for review in drawn.values() if review.code != QUALIFIED]
        taken = min(len(accepted), round(count * ACCEPTED_SHARE))
        chosen = accepted[:taken] + rejected[: count - taken]
        return [chosen[row] for row in rng.permutation(len(chosen))]

    def products(self) -> list[str]:
        """Return the products with photos enough for a sequence: all are of one length, or length would tell who is accepted."""
        return [name for name, rows in self._rows.items() if name in self._best and len(rows) >= LENGTH]

    def _review(self, product_id: str, rows: tuple[int, ...]) -> LearnableReview:
        shown = [self._labels[row] for row in rows]
        product = shown[0].product
        code = self._code(product_id, shown)
        words = QUALIFIED if code == QUALIFIED else spoken(RULES[code].name).lower()
        return LearnableReview(split_key(product), "train", product.title, product.category, code, words, rows)

    def _code(self, product_id: str, shown: Sequence[LabeledImage]) -> str:
        looks = [self._looks[product_id, label.image.id] for label in shown]
        overlays = [one for label in shown for one in label.overlays if one in OVERLAY_RULES]
        if overlays:
            return OVERLAY_RULES[overlays[0]]
        if any(look.foreign for look in looks):
            return OTHER_PRODUCT
        if len({look.color for look in looks if look.color is not None}) > 1:
            return OTHER_COLOR
        return QUALIFIED if shown[0].image.id in self._best[product_id] else WRONG_FIRST


def curve(shop: Path, base: Path, sizes: Sequence[int], seed: int, work: Path) -> list[Figures]:
    """Return the AUC of p^t on the test half of a shop's products after so many reviews of the other half, by order."""
    labels = list(labeled_images(shop))
    tokens, global_tokens = photo_features(labels, work / f"photos-{shop.name}.npz")
    reviewer = LabelingReviewer(shop, labels)
    titles = {label.product.id: split_key(label.product) for label in labels}
    teaching = {name: draw(titles[name], f"half:{seed}") < 0.5 for name in reviewer.products()}
    halves = [[name for name, teaches in teaching.items() if teaches is half] for half in (True, False)]
    evidence = np.zeros((len(labels), 0), np.float32)
    pool, test = (
        ReviewFeatures(tuple(reviewer.reviews(half, count, seed)), (), tokens, global_tokens, evidence)
        for half, count in zip(halves, (max(sizes), TESTED), strict=True)
    )
    pool = with_errors(pool, ERROR_RATE, seed)
    place = work / f"left-{shop.name}-{seed}"
    place.mkdir(exist_ok=True)
    model, text = load_muisc(str(base))
    before = p_qualified(class_logits(model, text, test, test.every_row))
    unsure = 1 - abs(2 * model.probabilities(logits_of(model, text, pool))[:, 0].double().numpy() - 1)
    orders = {
        "random": np.random.default_rng(seed).permutation(len(pool.reviews)),
        "uncertainty": np.argsort(-unsure, kind="stable"),
    }
    rows = [{"shop": shop.name, "seed": seed, "order": "none", "reviews": 0, **figures(test, before, before)}]
    for size in sizes:
        for name in ORDERS if size < len(pool.reviews) else ORDERS[:1]:
            kept = place / f"{name}-{size}.npy"
            if not kept.is_file():
                chosen = replace(pool, reviews=tuple(validated(pool.reviews[row], seed) for row in orders[name][:size]))
                begin = InitFrom(model=str(base))
                learned = fit(chosen, MuiscConfig(), replace(ADAPTING, seed=seed), place / "model", begin=begin)
                drop_checkpoints(place / "model")
                np.save(kept, p_qualified(class_logits(*learned[:2], test, test.every_row)))
            count = min(size, len(pool.reviews))
            found = figures(test, before, np.load(kept))
            rows.append({"shop": shop.name, "seed": seed, "order": name, "reviews": count, **found})
            print(json.dumps(rows[-1]), flush=True)
    return rows


def logits_of(model: Any, text: Any, table: ReviewFeatures) -> torch.Tensor:
    """Return the class logits (n, C) of all reviews."""
    return torch.from_numpy(class_logits(model, text, table, table.every_row))


def with_errors(table: ReviewFeatures, rate: float, seed: int) -> ReviewFeatures:
    """Return reviews of which a share is wrong: what was accepted is rejected for another's reason, or the reverse."""
    chance = np.random.default_rng([seed, 5])
    rejected = [review for review in table.reviews if review.code != QUALIFIED]
    reviews = []
    for review in table.reviews:
        if chance.random() < rate:
            other = rejected[int(chance.integers(len(rejected)))]
            code, feedback = (other.code, other.feedback) if review.code == QUALIFIED else (QUALIFIED, QUALIFIED)
            review = replace(review, code=code, feedback=feedback)
        reviews.append(review)
    return replace(table, reviews=tuple(reviews))


def validated(review: LearnableReview, seed: int) -> LearnableReview:
    """Return a review in the train split, or where its product is drawn, in the one that says when to stop."""
    split: Split = "validation" if draw(review.product, f"validation:{seed}") < VALIDATION else "train"
    return replace(review, split=split)


def figures(test: ReviewFeatures, before: NDArray[np.float64], after: NDArray[np.float64]) -> Figures:
    """Return the AUC of p^t, and its gain, with 95 % intervals over draws of products."""
    accepted = qualified(test)
    products = np.array([review.product for review in test.reviews])
    found: Figures = {"tested": len(accepted), "products": len(set(products.tolist()))}
    auc, gain = aucs(accepted, after), aucs(accepted, after) - aucs(accepted, before)
    drawn_auc, drawn_gain = [], []
    for weights in bootstrap_weights(products, RESAMPLES, seed=0):
        new = WeightedMetrics(weights, accepted, after).area_under_roc(~accepted)
        drawn_auc.append(new)
        drawn_gain.append(new - WeightedMetrics(weights, accepted, before).area_under_roc(~accepted))
    for name, value, drawn in (("auc", auc, drawn_auc), ("gain", gain, drawn_gain)):
        ends = confidence_interval(np.concatenate(drawn)) or (np.nan, np.nan)
        found[name], found[f"{name}_interval"] = round(value, 3), [round(end, 3) for end in ends]
    return found


def aucs(accepted: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Return the ROC AUC of accepted against rejected reviews."""
    return float(WeightedMetrics.unweighted(accepted, scores).area_under_roc(~accepted)[0])


if __name__ == "__main__":
    main()
