"""What do a shop's own reviews buy the models of stage 1? First image and non-compliance in shops that they have never seen.

python benchmarks/stage1_learning_curves.py --left SHOP SHOP … --others SHOP SHOP … --work DIR [-o FIGURES.json]

Each SHOP is a folder of labeled photos, as `leave_one_shop_out.py` takes them. Non-compliance, view and primary head are
trained on the other shops alone. The foreground head is the one that ships: it has learned masks of some photos of the
shops left out, and no label. DIR holds the tables of `train_noncompliance.py` and at least one of its raw heads, whose shops
left out set the operating point. Reviews of half of a shop's products teach, the other half judges, over several halves; a
stated share of reviews is wrong. A head learns on from the first one, as `agpis train all` lets it, or anew. Non-compliance
is measured in shops with at least 30 real overlays, unless `--primary-alone`. DIR keeps heads: `agpis review simulate` can
begin with them.
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from learning_curves import ERROR_RATE, RESAMPLES, VALIDATION
from leave_one_shop_out import FACTS, FOLDS, with_view
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score
from train_noncompliance import (
    DRAWS,
    LABELED_KINDS,
    NAMES,
    ShopTable,
    operating_shift,
    photo_logits,
    shifted,
    trained,
)
from train_noncompliance import p_nc as shifted_p_nc

from agpis_sdk.builtin.backbone_maps import MAPS
from agpis_sdk.builtin.noncompliance.model import NoncomplianceHead, any_kind_logit
from agpis_sdk.builtin.primary.model import PrimaryHead
from agpis_sdk.builtin.view.model import ViewHead
from agpis_sdk.config import Config
from agpis_sdk.datasets.galleries import products_of
from agpis_sdk.datasets.labels import labeled_galleries, labeled_images
from agpis_sdk.datasets.splits import Split, split_key
from agpis_sdk.evaluation.bootstrap import bootstrap_weights, confidence_interval
from agpis_sdk.media.decode import as_image
from agpis_sdk.pipeline.image_facts import ProductFacts, image_facts
from agpis_sdk.plugins import PluginHost
from agpis_sdk.review.ordering import draw
from agpis_sdk.training import noncompliance, primary, view

SIZES, HALVES, NONCOMPLIANCE_HALVES = (10, 30, 1000), 10, 2
FEWEST_OVERLAYS = 30
PHOTOGRAPHED = FACTS - {"p_noncompliant"}
Figures = dict[str, Any]
Outcomes = list[tuple[str, float, float]]
"""Of tested examples: the product, what the head made of it before, and after."""


def main() -> None:
    """Measure, print, and write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--left", nargs="+", type=Path, required=True)
    parser.add_argument("--others", nargs="+", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--primary-alone", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    rows = []
    unseeing = unseeing_head(options.others, options.work)
    galleries, head = base_primary(options.others, options.left, unseeing, options.work)
    for shop in options.left:
        rows += primary_curve(shop.name, head, galleries[shop.name])
    for shop in [] if options.primary_alone else options.left:
        if sum(bool(label.overlays) for label in labeled_images(shop)) >= FEWEST_OVERLAYS:
            rows += noncompliance_curve(shop, unseeing, options.work)
    for row in rows:
        print(json.dumps(row), flush=True)
    if options.out:
        options.out.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def unseeing_head(others: Sequence[Path], work: Path) -> NoncomplianceHead:
    """Return a non-compliance head that other shops teach; one that DIR holds is not trained again."""
    kept = work / "noncompliance-left-out.safetensors"
    if not kept.is_file():
        tables = {folder.name: ShopTable.of(folder, work) for folder in others}
        raw = work / "raw-left-out.safetensors"
        trained(tables, list(tables), raw)
        fold_of = json.loads((work / "folds.json").read_text())
        heads = {fold: work / f"raw-{fold}.safetensors" for fold in range(FOLDS)}
        logits = {
            name: photo_logits(NoncomplianceHead.load(heads[fold_of[name]]), table)
            for name, table in tables.items()
            if heads[fold_of[name]].is_file()
        }
        overlaid = {name: np.array([bool(label.overlays) for label in tables[name].labels]) for name in logits}
        shifted(raw, operating_shift(list(logits), logits, overlaid)).save(kept)
    return NoncomplianceHead.load(kept)


def base_primary(
    others: Sequence[Path], left: Sequence[Path], unseeing: NoncomplianceHead, work: Path
) -> tuple[dict[str, list[primary.RankedGallery]], PrimaryHead]:
    """Return the labeled galleries of each shop and a primary head that other shops teach; views come from heads that have not seen them."""
    facts = {folder.name: _facts(folder, unseeing, work) for folder in (*others, *left)}
    photos = view.labeled_table(*_labels(others, facts), seed=0)
    halves = [
        np.array([shop in [folder.name for folder in others[part::2]] for shop in photos.shops]) for part in (0, 1)
    ]
    crossed = [_kept_view(work / f"view-half-{part}.safetensors", photos.where(halves[1 - part])) for part in (0, 1)]
    heads = {folder.name: crossed[place % 2] for place, folder in enumerate(others)}
    heads |= dict.fromkeys([folder.name for folder in left], _kept_view(work / "view.safetensors", photos))
    galleries = {
        folder.name: list(_galleries(folder, facts[folder.name], heads[folder.name])) for folder in (*others, *left)
    }
    head = primary.fit([one for folder in others for one in galleries[folder.name]])
    head.save(work / primary.WEIGHTS)
    return galleries, head


def _facts(folder: Path, unseeing: NoncomplianceHead, work: Path) -> list[ProductFacts]:
    """Return the facts about a shop's labeled photos, p_nc by a head; DIR keeps the others."""
    path = work / f"photographed-{folder.name}.pickle"
    if not path.is_file():
        config = Config()
        host = PluginHost.load(config.plugins, discover=False, components=config.components)
        labeled = {label.product.id for label in labeled_images(folder)}
        products = [product for product in products_of(folder) if product.id in labeled]
        path.write_bytes(pickle.dumps(list(image_facts(products, PHOTOGRAPHED, host=host, config=config))))
    table = ShopTable.of(folder, work)
    scores = dict(
        zip(
            ((label.product.id, label.image.id) for label in table.labels),
            shifted_p_nc(photo_logits(unseeing, table), 0.0).tolist(),
            strict=True,
        )
    )
    return [
        ProductFacts(
            known.product,
            {
                image_id: {**own, "p_noncompliant": scores[known.product.id, image_id]}
                for image_id, own in known.images.items()
                if (known.product.id, image_id) in scores
            },
        )
        for known in pickle.loads(path.read_bytes())
    ]


def _labels(folders: Sequence[Path], facts: Mapping[str, Sequence[ProductFacts]]) -> tuple[list[Any], dict[Any, Any]]:
    known = {
        (folder.name, one.product.id, image_id): np.concatenate([own["composition"], own["embedding"]])
        for folder in folders
        for one in facts[folder.name]
        for image_id, own in one.images.items()
    }
    labels = [one for folder in folders for one in labeled_images(folder)]
    return [one for one in labels if (one.shop, one.product.id, one.image.id) in known], known


def _kept_view(path: Path, photos: view.LabeledViews) -> ViewHead:
    if not path.is_file():
        view.fit(photos).save(path)
    return ViewHead.load(path)


def _galleries(folder: Path, facts: Sequence[ProductFacts], head: ViewHead) -> Iterator[primary.RankedGallery]:
    best = {gallery.product.id: gallery.best_first for gallery in labeled_galleries(folder)}
    for known in facts:
        gallery = primary.ranked_gallery(with_view(known, head), best.get(known.product.id, ()))
        if gallery is not None:
            yield replace(gallery, shop=folder.name)


def halves(products: Sequence[str], seed: int) -> NDArray[np.bool_]:
    """Return which products teach: of those with one key, all or none."""
    return np.array([draw(product, f"half:{seed}") < 0.5 for product in products])


def primary_curve(shop: str, base: PrimaryHead, galleries: Sequence[primary.RankedGallery]) -> list[Figures]:
    """Return how often the first image is a right one after so many reviews, for heads that learn on or anew."""
    keys = [split_key(gallery.product) for gallery in galleries]
    learners: dict[str, Callable[[Sequence[primary.RankedGallery]], PrimaryHead]] = {
        "learns on": lambda taught: primary.adapted(base, taught),
        "anew": primary.fit,
    }
    found: dict[tuple[str, str, int], Outcomes] = {}
    for seed in range(HALVES):
        teaching = halves(keys, seed)
        chance = np.random.default_rng([seed, 5])
        pool = [_erring(galleries[row], chance) for row in np.flatnonzero(teaching)]
        tested = [(keys[row], galleries[row]) for row in np.flatnonzero(~teaching)]
        before = [float(primary.first_right_rank(gallery, base) == 1) for _, gallery in tested]
        orders = {
            "random": chance.permutation(len(pool)).tolist(),
            "close races first": np.argsort([_lead(gallery, base) for gallery in pool], kind="stable").tolist(),
        }
        for learner, learn in learners.items():
            for order, size in _steps(len(pool)):
                head = learn([pool[row] for row in orders[order][:size]])
                after = [float(primary.first_right_rank(gallery, head) == 1) for _, gallery in tested]
                found.setdefault((learner, order, size), []).extend(
                    zip([key for key, _ in tested], before, after, strict=True)
                )
    named = {"shop": shop, "model": "primary", "measure": "right image first"}
    return [{**named, **_row(key, outcomes, _mean)} for key, outcomes in found.items()]


def _steps(pool: int) -> Iterator[tuple[str, int]]:
    for size in SIZES:
        if size < pool:
            yield "random", size
            yield "close races first", size
    yield "random", SIZES[-1]


def _erring(gallery: primary.RankedGallery, chance: np.random.Generator) -> primary.RankedGallery:
    """Return what a reviewer says of a gallery: one of the right images is first, or by error another one."""
    errs = chance.random() < ERROR_RATE and not gallery.right.all()
    right = np.zeros(len(gallery.right), dtype=bool)
    right[chance.choice(np.flatnonzero(gallery.right != errs))] = True
    return replace(gallery, right=right)


def _lead(gallery: primary.RankedGallery, head: PrimaryHead) -> float:
    """Return the lead of the largest p_primary over the next."""
    scores = np.sort([head.probability(features) for features in gallery.features])
    return float(scores[-1] - scores[-2])


@dataclass(frozen=True, eq=False)
class Photographed:
    """What reviews of a shop show: the trainer's table, and of each row its product's key and whether it is a photo as it came."""

    table: noncompliance.FeatureTable
    keys: NDArray[np.str_]
    real: NDArray[np.bool_]

    def taught(self, keys: Sequence[str], wrong: Sequence[str], seed: int) -> noncompliance.FeatureTable:
        """Return the rows of some products in train and validation; those in `wrong` have their overlays accepted."""
        rows = np.flatnonzero(np.isin(self.keys, keys))
        photos, labels = [], self.table.labels[rows].clone()
        for place, row in enumerate(rows.tolist()):
            split: Split = "validation" if draw(self.keys[row], f"validation:{seed}") < VALIDATION else "train"
            photo = replace(self.table.photos[row], split=split)
            if self.real[row] and self.keys[row] in wrong:
                labels[place] = 0
                photo = replace(photo, kind="")
            photos.append(photo)
        facts = {name: self.table.facts[name][rows] for name in MAPS}
        return noncompliance.FeatureTable(facts, labels, photos)


def noncompliance_curve(shop: Path, base: NoncomplianceHead, work: Path) -> list[Figures]:
    """Return the AUC of p_nc on real overlays after reviews of so many products, for heads that learn on or anew."""
    known = _photographed(shop, work)
    keys = np.unique(known.keys)
    before = p_nc(base, known)
    found: dict[tuple[str, str, int], Outcomes] = {}
    overlaid = np.array([bool(photo.kind) for photo in known.table.photos])
    for seed in range(NONCOMPLIANCE_HALVES):
        teaching = halves(keys.tolist(), seed)
        chance = np.random.default_rng([seed, 5])
        pool = keys[teaching]
        wrong = pool[chance.random(len(pool)) < ERROR_RATE].tolist()
        unsure = [np.abs(before[known.real & (known.keys == key)] - 0.5).min() for key in pool]
        orders = {"random": chance.permutation(len(pool)), "close races first": np.argsort(unsure, kind="stable")}
        tested = np.flatnonzero(known.real & np.isin(known.keys, keys[~teaching]))
        for learner, begin in (("learns on", base), ("anew", None)):
            # A new head is measured where there are most reviews: with fewer it knows less still.
            steps = list(_steps(len(pool))) if begin is not None else [("random", SIZES[-1])]
            for order, size in steps:
                table = known.taught(pool[orders[order][:size]].tolist(), wrong, seed)
                after = p_nc(noncompliance.fit(table, seed=seed, epochs=10, begin=begin), known)
                sign = np.where(overlaid[tested], 1, -1)
                # Heads of two halves have operating points of their own: places within a half can be put together.
                places = [sign * rankdata(p_noncompliant[tested]) / len(tested) for p_noncompliant in (before, after)]
                found.setdefault((learner, order, size), []).extend(
                    zip(known.keys[tested].tolist(), *places, strict=True)
                )
                print(shop.name, "noncompliance", seed, learner, order, size, flush=True)
    named = {"shop": shop.name, "model": "noncompliance", "measure": "AUC"}
    return [{**named, **_row(key, outcomes, _auc)} for key, outcomes in found.items()]


def _photographed(shop: Path, work: Path) -> Photographed:
    """Return the photos of a shop as they came, and of the clean ones a look-alike and two violations drawn in."""
    known = ShopTable.of(shop, work)
    clean = [label for label in known.labels if not label.overlays and label.view != "text"]
    drawn_from = [clean[row // (2 + DRAWS)] for row in range(len(known.kinds))]
    drawn = np.array([bool(kind) for kind in known.kinds])
    labels = [*known.labels, *(label for label, is_drawn in zip(drawn_from, drawn, strict=True) if is_drawn)]
    kinds = [LABELED_KINDS[one.overlays[0]] if one.overlays else "" for one in known.labels]
    kinds += [kind for kind in known.kinds if kind]
    blank = as_image(np.zeros((1, 1, 3), np.uint8))
    photos = [noncompliance.DrawnPhoto("train", kind, blank) for kind in kinds]
    table = noncompliance.FeatureTable(
        {name: torch.from_numpy(np.concatenate([known.photos[name], known.drawn[name][drawn]])) for name in MAPS},
        torch.tensor([[float(kind == one) for one in NAMES] for kind in kinds]),
        photos,
    )
    keys = np.array([split_key(label.product) for label in labels])
    return Photographed(table, keys, np.arange(len(kinds)) < len(known.labels))


@torch.inference_mode()
def p_nc(head: NoncomplianceHead, known: Photographed) -> NDArray[np.float64]:
    """Return p_nc (n,) of all rows, 0 of those that no photo is."""
    rows = np.flatnonzero(known.real)
    found = np.zeros(len(known.real))
    for part in np.array_split(rows, max(1, len(rows) // 128)):
        logits, _ = head(*(known.table.facts[name][part].float() for name in MAPS))
        found[part] = torch.sigmoid(any_kind_logit(logits)).numpy()
    return found


def _mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    return float(np.average(values, weights=weights))


def _auc(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the AUC of scores whose sign says which kind they are."""
    chosen = weights > 0
    kinds, scores = values[chosen] > 0, np.abs(values[chosen])
    return float(roc_auc_score(kinds, scores, sample_weight=weights[chosen])) if len(set(kinds)) == 2 else float("nan")


def _row(
    key: tuple[str, str, int], outcomes: Outcomes, measure: Callable[[NDArray[np.float64], NDArray[np.float64]], float]
) -> Figures:
    """Return before, after and gain with 95 % intervals over draws of products."""
    learner, order, size = key
    products = np.array([product for product, _, _ in outcomes])
    before, after = (np.array([one[place] for one in outcomes], dtype=np.float64) for place in (1, 2))
    ones = np.ones(len(products))
    drawn = [
        (measure(before, row), measure(after, row))
        for rows in bootstrap_weights(products, RESAMPLES, 0)
        for row in rows
    ]
    figures: Figures = {"head": learner, "order": order, "reviews": size, "tested": len(set(products.tolist()))}
    values = {"before": measure(before, ones), "after": measure(after, ones)}
    values["gain"] = values["after"] - values["before"]
    resampled = np.array(drawn)
    ends = {"before": resampled[:, 0], "after": resampled[:, 1], "gain": resampled[:, 1] - resampled[:, 0]}
    for name, value in values.items():
        interval = confidence_interval(ends[name]) or (np.nan, np.nan)
        figures[name], figures[f"{name}_interval"] = round(value, 3), [round(end, 3) for end in interval]
    return figures


if __name__ == "__main__":
    main()
