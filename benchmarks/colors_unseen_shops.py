"""How well does a shop never seen tell whether two images show a product in one color?

python benchmarks/colors_unseen_shops.py SHOP SHOP … --work DIR [-o TABLE.md]

Each SHOP is a folder of labeled photos, as `leave_one_shop_out.py` takes them. The curve over the two differences of
`color_agreement.py` is fitted without each shop in turn and judges all pairs of images of one product of it, each pair in its
gallery, at the limit from which the builder takes two images for different colors. The finding that two are one shot in two colors is left out.
The last line is the curve that all shops teach: the constants of that file. DIR keeps the differences.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from wilson import bounds

from agpis_sdk.builtin.builders.color_agreement import (
    FACTS,
    OTHER_COLOR,
    Appearance,
    color_differences,
    compared_in_gallery,
)
from agpis_sdk.config import Config
from agpis_sdk.datasets.galleries import products_of
from agpis_sdk.datasets.labels import Look, labeled_looks
from agpis_sdk.pipeline.image_facts import image_facts
from agpis_sdk.plugins import PluginHost

Pairs = NDArray[np.float64]
"""(n, 6): the product's number, the numbers of the two images in it, their two differences, and 1 where they are of two colors,
0 of one, NaN where the labels do not say."""
PRODUCT, IMAGES, DIFFERENCES, TWO = 0, slice(1, 3), slice(3, 5), 5
FEWEST = 5


def measured_pairs(folder: Path, work: Path) -> Pairs:
    """Return the pairs of a shop; what DIR holds is not computed again."""
    path = work / f"colors-{folder.name}.npy"
    if not path.is_file():
        np.save(path, np.array(list(_pairs(folder)), np.float64).reshape(-1, 6))
    pairs: Pairs = np.load(path)
    return pairs


def _pairs(folder: Path) -> Iterator[tuple[float, ...]]:
    looks = labeled_looks(folder)
    config = Config()
    host = PluginHost.load(config.plugins, discover=False, components=config.components)
    products = [
        product.model_copy(update={"images": images})
        for product in products_of(folder)
        if len(images := tuple(one for one in product.images if (product.id, one.id) in looks)) > 1
    ]
    for number, known in enumerate(image_facts(products, FACTS, host=host, config=config)):
        seen = [
            (_color(looks[known.product.id, name]), appearance)
            for name, facts in known.images.items()
            if (appearance := Appearance.of(facts)) is not None
        ]
        for (first, (color, one)), (second, (other_color, other)) in itertools.combinations(enumerate(seen), 2):
            two = float("nan") if color is None or other_color is None else float(color != other_color)
            yield number, first, second, *color_differences(one, other), two


def _color(look: Look) -> int | None:
    return None if look.foreign else look.color


def told(pairs: Pairs) -> Pairs:
    """Return the pairs of which the labels tell whether they are of one color."""
    return pairs[~np.isnan(pairs[:, TWO])]


def mismatch_of(pairs: Pairs, model: LogisticRegression) -> NDArray[np.float64]:
    """Return the probability (n,) that each pair is of two colors, in its gallery."""
    found = np.zeros(len(pairs))
    for number in np.unique(pairs[:, PRODUCT]):
        own = np.flatnonzero(pairs[:, PRODUCT] == number)
        rows, columns = pairs[own, IMAGES].astype(int).T
        alone = np.full((columns.max() + 1,) * 2, np.nan)
        alone[rows, columns] = alone[columns, rows] = model.predict_proba(pairs[own, DIFFERENCES])[:, 1]
        found[own] = compared_in_gallery(alone)[rows, columns]
    return found


def fitted(shops: Sequence[Pairs]) -> LogisticRegression:
    """Return the curve that shops teach: one of n pairs counts as √n, and pairs of one color as much as those of two."""
    pairs = np.concatenate(shops)
    two = pairs[:, TWO] > 0
    weights = np.concatenate([np.full(len(shop), 1 / max(1, len(shop)) ** 0.5) for shop in shops])
    weights *= np.where(two, 1 / weights[two].sum(), 1 / weights[~two].sum()) * len(pairs) / 2
    return LogisticRegression(C=100).fit(pairs[:, DIFFERENCES], two, sample_weight=weights)


def table(shops: Mapping[str, Pairs]) -> Iterator[str]:
    """Yield the lines of the table: what is found of two colors, and wrongly of one, in each shop left out."""
    yield "| shop | of two colors | found | of one color | wrongly found | ROC AUC |"
    yield "|---|---:|---:|---:|---:|---:|"
    judged = {}
    for name, pairs in shops.items():
        if len(told(pairs)):
            model = fitted([told(other) for key, other in shops.items() if key != name])
            judged[name] = told(np.column_stack([pairs, mismatch_of(pairs, model)]))[:, [-1, TWO]]
            yield _row(name, judged[name])
    yield _row("*all*", np.concatenate(list(judged.values())), auc=False)


def _row(name: str, judged: NDArray[np.float64], *, auc: bool = True) -> str:
    scores, two = judged[:, 0], judged[:, 1] > 0
    enough = auc and min(two.sum(), (~two).sum()) >= FEWEST
    area = f"{roc_auc_score(two, scores):.2f}" if enough else ""
    return f"| {name} | {_called(scores[two])} | {_called(scores[~two])} | {area} |"


def _called(scores: NDArray[np.float64]) -> str:
    if not len(scores):
        return "0 | "
    count, of = int((scores >= OTHER_COLOR).sum()), len(scores)
    return f"{of} | {count / of:.2f} {bounds(count, of)}"


def main() -> None:
    """Measure, print, and write the table where asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shops", nargs="+", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    shops = {folder.name: measured_pairs(folder, options.work) for folder in options.shops}
    lines = list(table(shops))
    print("\n".join(lines))
    if options.out:
        options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    curve = fitted([told(pairs) for pairs in shops.values()])
    print(f"\nbias {curve.intercept_[0]:.2f}, weights {curve.coef_[0].round(2).tolist()}")


if __name__ == "__main__":
    main()
