"""What are the built-in models worth in a shop that they have never seen?

python benchmarks/leave_one_shop_out.py SHOP SHOP … [--teacher u2netp.onnx] --work DIR [-o FIGURES.json] [--ship DIR]

Each SHOP is a folder of labeled photos (products.jsonl, labels.jsonl, labels.products.jsonl). Every head is trained
without the shop that it is tested on: the foreground head in five folds of whole shops, the view and the primary head
without each shop in turn, on facts of foreground heads that have not seen the photo. Without a teacher the masks are those
of the foreground head that ships, which has seen the photos, though never a label. Each gallery teaches the primary head
twice: with views as a run provides them, by heads that have not seen the shop, and with those of the labels. It is tested on
the former. `--ship` writes the heads that all shops teach.

Where `train_noncompliance.py` has put its heads into DIR, with its folds, p_nc too is that of a head that has not seen the
shop; else it is that of the head that ships.

DIR keeps masks, foreground heads, facts and view heads, so that a second run takes seconds.
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

from agpis_sdk.builtin.backbones.config import EfficientNetLite0Config
from agpis_sdk.builtin.backbones.efficientnet_lite0 import EfficientNetLite0
from agpis_sdk.builtin.foreground.model import ForegroundHead
from agpis_sdk.builtin.primary.model import PrimaryHead
from agpis_sdk.builtin.view.model import ViewHead
from agpis_sdk.builtin.view.names import RELIABILITY, as_named, named_view
from agpis_sdk.config import Config
from agpis_sdk.datasets.galleries import products_of
from agpis_sdk.datasets.labels import labeled_galleries, labeled_images
from agpis_sdk.facts import VIEWS, View
from agpis_sdk.pipeline.alternatives import FIRST_VIEWS
from agpis_sdk.pipeline.image_facts import ProductFacts, image_facts
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Product, Review
from agpis_sdk.training import foreground, primary, view
from agpis_sdk.training.adaptation.primary import adapt_primary

FOLDS = 5
EPOCHS = 12
FACTS = frozenset({"composition", "embedding", "product_embedding", "background", "p_noncompliant"})
Figures = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Shop:
    """A shop: its labels, its facts, and the IoU (n,) of the masks of a foreground head that has not seen it, None without a teacher."""

    folder: Path
    facts: Sequence[ProductFacts]
    iou: NDArray[np.float64] | None

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name


def main() -> None:
    """Measure, print, and write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shops", nargs="+", type=Path)
    parser.add_argument("--teacher", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--ship", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if options.teacher:
        shops = [Shop(*one) for one in measured_shops(options.shops, options.teacher, options.work, options.seed)]
    else:
        fold_of = folds(options.shops, options.work, options.seed)
        shops = [Shop(folder, facts_of(folder, fold_of[folder.name], options.work), None) for folder in options.shops]
    views, cross_fitted, shipped_view = view_figures(shops, options.work)
    galleries = ranked_galleries(shops, cross_fitted)
    labeled = ranked_galleries(shops, cross_fitted, labeled=True)
    taught = {name: [*own, *labeled[name]] for name, own in galleries.items()}
    if options.ship:
        options.ship.mkdir(parents=True, exist_ok=True)
        shipped_view.save(options.ship / view.WEIGHTS)
        primary.fit(_but("", taught), _but("", galleries)).save(options.ship / primary.WEIGHTS)
    heads = {left: primary.fit(_but(left, taught), _but(left, galleries)) for left in galleries}
    figures = {
        "shops": {shop.name: {"foreground_iou": interval(shop.iou)} for shop in shops if shop.iou is not None},
        "view": views,
        "primary": primary_figures(galleries, heads),
        "adapted": adapted_figures(shops, galleries, heads, cross_fitted, options.seed),
    }
    print(json.dumps(figures, indent=2))
    if options.out:
        options.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def measured_shops(
    folders: Sequence[Path], teacher: Path, work: Path, seed: int
) -> Iterator[tuple[Path, list[ProductFacts], NDArray[np.float64]]]:
    """Yield each shop with its facts and IoU; what DIR holds is not computed again."""
    fold_of = folds(folders, work, seed)
    tables = {folder.name: _masks(folder, teacher, work) for folder in folders}
    for fold in range(FOLDS):
        path = work / f"foreground-{fold}.safetensors"
        if not path.is_file():
            others = foreground.joined([table for name, table in tables.items() if fold_of[name] != fold])
            rows = np.arange(len(others.masks))
            foreground.fit(others, rows, seed=seed, epochs=EPOCHS).save(path)
        head = ForegroundHead.load(path)
        for folder in folders:
            if fold_of[folder.name] == fold:
                own = tables[folder.name]
                iou = foreground.intersection_over_union(head, own, np.arange(len(own.masks)))
                yield folder, facts_of(folder, fold, work), iou


def folds(folders: Sequence[Path], work: Path, seed: int) -> dict[str, int]:
    """Return the fold of each shop by name; those that DIR holds stay."""
    kept = work / "folds.json"
    if not kept.is_file():
        order = np.random.default_rng(seed).permutation(len(folders))
        kept.write_text(json.dumps({folders[row].name: place % FOLDS for place, row in enumerate(order)}))
    found: dict[str, int] = json.loads(kept.read_text())
    return found


def unseen_heads(fold: int, work: Path) -> dict[str, dict[str, str]]:
    """Return the settings of the components whose heads in DIR have not seen a fold; the others run with what ships."""
    paths = {name: work / f"{name}-{fold}.safetensors" for name in ("foreground", "noncompliance")}
    return {name: {"weights": str(path)} for name, path in paths.items() if path.is_file()}


def _masks(folder: Path, teacher: Path, work: Path) -> foreground.MaskedPhotos:
    path = work / f"masks-{folder.name}.pickle"
    if not path.is_file():
        reviews = (_accepted(product, product.images[0].id) for product in products_of(folder))
        table = foreground.masked_photos(
            reviews, foreground.OnnxTeacher(teacher), EfficientNetLite0(EfficientNetLite0Config())
        )
        path.write_bytes(pickle.dumps(table))
    return pickle.loads(path.read_bytes())


def facts_of(folder: Path, fold: int, work: Path) -> list[ProductFacts]:
    """Return the facts of a shop's labeled products by heads that have not seen its fold; DIR keeps them."""
    path = work / f"facts-{folder.name}.pickle"
    if not path.is_file():
        config = Config.model_validate({"components": unseen_heads(fold, work)})
        labeled = {label.product.id for label in labeled_images(folder)}
        products = [product for product in products_of(folder) if product.id in labeled]
        host = PluginHost.load(config.plugins, discover=False, components=config.components)
        path.write_bytes(pickle.dumps(list(image_facts(products, FACTS, host=host, config=config))))
    return pickle.loads(path.read_bytes())


def _accepted(product: Product, first: str) -> Review:
    return Review(product=product, sequence=(first,), decision="accepted", feedback="yes")


def view_figures(shops: Sequence[Shop], work: Path) -> tuple[Figures, dict[str, ViewHead], ViewHead]:
    """Return the figures of view heads by shop left out, these heads, and the one that all shops teach."""
    tables = {shop.name: _labeled(shop) for shop in shops}
    kept = work / "views.pickle"
    if not kept.is_file():
        raw = {left: view.weights(_joined([own for name, own in tables.items() if name != left])) for left in tables}
        kept.write_bytes(pickle.dumps((raw, view.weights(_joined(list(tables.values()))))))
    raw, of_all = pickle.loads(kept.read_bytes())
    unseen = {name: view.logits(raw[name], table) for name, table in tables.items()}
    heads = {}
    for left in tables:
        others = [name for name in tables if name != left]
        heads[left] = view.calibrated(
            raw[left], np.concatenate([unseen[name] for name in others]), _joined([tables[name] for name in others])
        )
        heads[left].save(work / f"view-{left}.safetensors")
    everything = _joined(list(tables.values()))
    shipped = view.calibrated(of_all, np.concatenate(list(unseen.values())), everything)
    by_shop = {name: view.measure(heads[name], tables[name]) for name in tables}
    accuracies = np.array([own["view_accuracy"] for own in by_shop.values()])
    majorities = np.array([own["view_majority"] for own in by_shop.values()])
    return (
        {
            "by_shop": by_shop,
            "mean_accuracy": interval(accuracies),
            "mean_majority": round(float(majorities.mean()), 3),
        },
        heads,
        shipped,
    )


def _labeled(shop: Shop) -> view.LabeledViews:
    known = {
        (shop.name, one.product.id, image_id): np.concatenate([facts["composition"], facts["embedding"]])
        for one in shop.facts
        for image_id, facts in one.images.items()
    }
    labels = [one for one in labeled_images(shop.folder) if (shop.name, one.product.id, one.image.id) in known]
    return view.labeled_table(labels, known, seed=0)


def _joined(tables: Sequence[view.LabeledViews]) -> view.LabeledViews:
    return view.LabeledViews(
        np.concatenate([table.features for table in tables]),
        np.concatenate([table.views for table in tables]),
        np.concatenate([table.whole for table in tables]),
        tuple(name for table in tables for name in table.names),
        tuple(shop for table in tables for shop in table.shops),
        tuple(split for table in tables for split in table.splits),
    )


def ranked_galleries(
    shops: Sequence[Shop], heads: Mapping[str, ViewHead], *, labeled: bool = False
) -> dict[str, list[primary.RankedGallery]]:
    """Return the labeled galleries of each shop, with the views of a head that has not seen the shop, or those of the labels."""
    found: dict[str, list[primary.RankedGallery]] = {}
    for shop in shops:
        labels = {(one.product.id, one.image.id): one.view for one in labeled_images(shop.folder)} if labeled else {}
        best = {gallery.product.id: gallery.best_first for gallery in labeled_galleries(shop.folder)}
        made = (
            primary.ranked_gallery(with_view(one, heads[shop.name], labels), best[one.product.id])
            for one in shop.facts
            if one.product.id in best
        )
        found[shop.name] = [replace(gallery, shop=shop.name) for gallery in made if gallery is not None]
    return found


def with_view(
    known: ProductFacts, head: ViewHead, labels: Mapping[tuple[str, str], str] = MappingProxyType({})
) -> ProductFacts:
    """Return the facts of a product with the views that a head sees, corrected by the images' names as in a run.

    Where there are labels, by product and image, they take the place of both, and are as sure as names.
    """
    images = {}
    for image_id, facts in known.images.items():
        seen = head.view(facts["composition"], facts["embedding"])
        name = named_view(known.product, image_id)
        label = labels.get((known.product.id, image_id))
        probabilities = _as_labeled(label) if label else as_named(seen.probabilities, name)
        images[image_id] = {**facts, "view": View(probabilities, seen.whole)}
    return ProductFacts(known.product, images)


def _as_labeled(view: str) -> NDArray[np.float32]:
    """Return probabilities (len(VIEWS),) that are as sure of a label as of a name; even ones where it is none of the views."""
    even = np.full(len(VIEWS), 1 / len(VIEWS))
    chosen = np.array([one == view for one in VIEWS]) if view in VIEWS else even
    return np.asarray(RELIABILITY * chosen + (1 - RELIABILITY) * even, dtype=np.float32)


def primary_figures(
    galleries: Mapping[str, Sequence[primary.RankedGallery]], heads: Mapping[str, PrimaryHead]
) -> Figures:
    """Return the top-1 accuracy of primary heads by shop left out, with chance and the listed order beside it."""
    by_shop = {}
    for left, own in galleries.items():
        if len(own) < 3:
            continue
        head = heads[left]
        by_shop[left] = {
            **primary.gallery_metrics(own, head),
            "with_margin": _with_margin(own, head),
            "listed_first": _listed_first(own),
        }
    return {
        "by_shop": by_shop,
        "mean_top1": interval(np.array([figures["top1"] for figures in by_shop.values()])),
        "mean_chance": round(float(np.mean([figures["chance"] for figures in by_shop.values()])), 3),
        "mean_with_margin": round(float(np.mean([figures["with_margin"] for figures in by_shop.values()])), 3),
        "mean_listed_first": round(float(np.mean([figures["listed_first"] for figures in by_shop.values()])), 3),
    }


def _but(left: str, galleries: Mapping[str, Sequence[primary.RankedGallery]]) -> list[primary.RankedGallery]:
    """Return the galleries of all shops but one."""
    return [one for name, others in galleries.items() if name != left for one in others]


def _with_margin(galleries: Sequence[primary.RankedGallery], head: PrimaryHead) -> float:
    """Return how often a right image comes first where, as in a run, the listed order decides among images about as good."""
    views = slice(primary.COMPOSITIONS, primary.COMPOSITIONS + len(VIEWS))
    right = []
    for gallery in galleries:
        p_primary = np.array([head.probability(features) for features in gallery.features])
        may_be_first = [VIEWS[one[views].argmax()] in FIRST_VIEWS for one in gallery.features]
        near = np.flatnonzero(p_primary >= p_primary.max() * (1 - Config().primary.margin))
        right.append(gallery.right[min(near, key=lambda row: (not may_be_first[row], row))])
    return round(float(np.mean(right)), 3)


def _listed_first(galleries: Sequence[primary.RankedGallery]) -> float:
    return round(float(np.mean([gallery.right[0] for gallery in galleries])), 3)


def adapted_figures(
    shops: Sequence[Shop],
    galleries: Mapping[str, Sequence[primary.RankedGallery]],
    heads: Mapping[str, PrimaryHead],
    view_heads: Mapping[str, ViewHead],
    seed: int,
) -> Figures:
    """Return what `agpis adapt` gains by shop: half of its galleries as listed teach, the labels of the other half test.

    Four random halves a shop; `adopted` is the share of them in which cross-validation said better. By the head alone, and
    with the margin of a run.
    """
    by_shop = {}
    rng = np.random.default_rng(seed)
    for shop in shops:
        own = galleries[shop.name]
        if len(own) < 10:
            continue
        base = heads[shop.name]
        facts = {one.product.id: with_view(one, view_heads[shop.name]) for one in shop.facts}
        measured: dict[str, list[float]] = defaultdict(list)
        for _ in range(4):
            order = rng.permutation(len(own))
            teach = [own[row].product.id for row in order[: len(own) // 2]]
            tested = [own[row] for row in order[len(own) // 2 :]]
            result = adapt_primary(base, [facts[product_id] for product_id in teach], seed=seed)
            for when, head in (("before", base), ("after", result.head)):
                measured[when].append(primary.gallery_metrics(tested, head)["top1"])
                measured[f"{when}_with_margin"].append(_with_margin(tested, head))
            measured["adopted"].append(result.adopted)
        means = {name: round(float(np.mean(values)), 3) for name, values in measured.items()}
        by_shop[shop.name] = {"products": len(own), **means}
    measures = list(next(iter(by_shop.values()), {}))[1:]
    means = {f"mean_{name}": round(float(np.mean([one[name] for one in by_shop.values()])), 3) for name in measures}
    return {"by_shop": by_shop, **means}


def interval(values: NDArray[np.float64]) -> Figures:
    """Return n, the mean, and its 95 % interval by bootstrap."""
    figures: Figures = {"n": len(values), "mean": round(float(values.mean()), 3)}
    if len(values) > 2 and values.std() > 0:
        found = bootstrap((values,), np.mean, rng=np.random.default_rng(0), n_resamples=2000, method="percentile")
        figures["interval"] = [round(float(end), 3) for end in found.confidence_interval]
    return figures


if __name__ == "__main__":
    main()
