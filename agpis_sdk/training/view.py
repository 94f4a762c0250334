"""Trains the view head on photos labeled by eye: what each shows, and whether it shows the whole product.

For another backbone the shipped head may label them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax

from agpis_sdk.builtin.foreground import composition
from agpis_sdk.builtin.view.model import ViewHead
from agpis_sdk.builtin.view.names import as_named, named_view
from agpis_sdk.config import Config
from agpis_sdk.datasets.galleries import products_of
from agpis_sdk.datasets.labels import LABELS, LabeledImage, labeled_images
from agpis_sdk.datasets.splits import Split, split_of
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.evaluation.bootstrap import WeightedMetrics
from agpis_sdk.facts import VIEWS, View
from agpis_sdk.pipeline.image_facts import image_facts
from agpis_sdk.plugins import PluginHost
from agpis_sdk.training.components import weights_file, write_head
from agpis_sdk.training.linear_models import shop_weights, softmax_regression
from agpis_sdk.training.request import Evaluation, EvaluationRequest, LearningData, TrainingRequest, one_split

WEIGHTS = "view.safetensors"
FACTS = frozenset({"composition", "embedding"})
COMPOSITIONS = len(composition.NAMES)
COMPOSITION_PENALTY, EMBEDDING_PENALTY = 0.003, 0.1


@dataclass(frozen=True, eq=False)
class LabeledViews:
    """Photos (n): `features` (n, F), composition first; `views` (n,) index `VIEWS`, -1 for another; `whole` (n,) 0 or 1.

    `names` (n) are the views that the photos' names say, None where they say none.
    """

    features: NDArray[np.float64]
    views: NDArray[np.int64]
    whole: NDArray[np.int64]
    names: tuple[str | None, ...]
    shops: tuple[str, ...]
    splits: tuple[Split, ...]

    def where(self, chosen: Sequence[bool] | NDArray[np.bool_]) -> LabeledViews:
        """Return the photos that are chosen."""
        rows = np.flatnonzero(chosen)
        return LabeledViews(
            self.features[rows],
            self.views[rows],
            self.whole[rows],
            tuple(self.names[row] for row in rows),
            tuple(self.shops[row] for row in rows),
            tuple(self.splits[row] for row in rows),
        )


def train(request: TrainingRequest) -> dict[str, Any]:
    """Train on the labeled photos of the train split, measure on the test split, write weights and metrics."""
    photos = labeled_views(request)
    head = fit(photos.where([split != "test" for split in photos.splits]))
    metrics = {"seed": request.seed, "test": measure(head, photos.where([split == "test" for split in photos.splits]))}
    write_head(head, request.out, WEIGHTS, metrics)
    return metrics


def evaluate(request: EvaluationRequest) -> Evaluation:
    """Measure a view head on a split: accuracy of the view, and of whole or cut."""
    head, split, photos = (
        ViewHead.load(weights_file(request.model, WEIGHTS)),
        one_split(request),
        labeled_views(request),
    )
    return Evaluation(measure(head, photos.where([one == split for one in photos.splits])))


def labeled_views(data: LearningData) -> LabeledViews:
    """Return the labeled photos of folders with their facts; raises `TrainingDataError` where there is none."""
    labels: list[LabeledImage] = []
    features: dict[tuple[str, str, str], NDArray[np.float32]] = {}
    for folder in data.folders():
        own = list(labeled_images(folder) if (folder / LABELS).is_file() else taught_images(folder))
        products = {label.product.id: label.product for label in own}
        for known in data.image_facts(products.values(), FACTS):
            for image_id, facts in known.images.items():
                place = (folder.name, known.product.id, image_id)
                features[place] = np.concatenate([facts["composition"], facts["embedding"]])
        labels += [label for label in own if _place(label) in features]
    return labeled_table(labels, features, seed=data.seed)


def taught_images(folder: Path) -> Iterator[LabeledImage]:
    """Yield the photos of a folder that nobody has labeled, as the shipped heads see them on their own backbone.

    It is what teaches a head for another backbone.
    """
    host = PluginHost.load(discover=False)
    for known in image_facts(products_of(folder), frozenset({"view"}), host=host, config=Config()):
        for image in known.product.images:
            if image.id in known.images:
                seen: View = known.images[image.id]["view"]
                yield LabeledImage(folder.name, known.product, image, (), seen.name, "plain", seen.whole >= 0.5)


def _place(label: LabeledImage) -> tuple[str, str, str]:
    return label.shop, label.product.id, label.image.id


def labeled_table(
    labels: Sequence[LabeledImage], features: Mapping[tuple[str, str, str], NDArray[np.float32]], *, seed: int
) -> LabeledViews:
    """Return labels with the features (F,) of their photos, by shop, product and image."""
    if not labels:
        raise TrainingDataError("no labeled photo can be read", item="view", remedy="name folders with labels.jsonl")
    return LabeledViews(
        np.stack([features[_place(label)] for label in labels]).astype(np.float64),
        np.array([VIEWS.index(label.view) if label.view in VIEWS else -1 for label in labels]),
        np.array([int(label.whole) for label in labels]),
        tuple(named_view(label.product, label.image.id) for label in labels),
        tuple(label.shop for label in labels),
        tuple(split_of(label.product, seed=seed) for label in labels),
    )


def fit(photos: LabeledViews) -> ViewHead:
    """Fit a head on photos; where they are of several shops, it is as sure as heads are of shops that they have not seen."""
    head = weights(photos)
    shops = sorted(set(photos.shops))
    if len(shops) < 3:
        return head
    unseen = np.zeros((len(photos.shops), len(VIEWS) + 1))
    for shop in shops:
        own = np.array([one == shop for one in photos.shops])
        unseen[own] = logits(weights(photos.where(~own)), photos)[own]
    return calibrated(head, unseen, photos)


def calibrated(head: ViewHead, unseen: NDArray[np.float64], photos: LabeledViews) -> ViewHead:
    """Scale a head's logits as those (n, views + 1) fit best that heads gave of photos of shops unseen by them.

    It is temperature scaling (Guo et al., ICML 2017), one factor for the views and one for "whole".
    """
    known = photos.views >= 0
    view_factor = _factor(unseen[known, :-1], photos.views[known])
    whole_factor = _factor(np.stack([np.zeros(len(unseen)), unseen[:, -1]], axis=1), photos.whole)
    factors = np.array([view_factor] * len(VIEWS) + [whole_factor], np.float32)
    return ViewHead(head.composition_weight * factors, head.embedding_weight * factors, head.bias * factors)


def weights(photos: LabeledViews) -> ViewHead:
    """Fit softmax regressions on standardized features, and fold the standardization into their weights."""
    center, spread = photos.features.mean(axis=0), photos.features.std(axis=0) + 1e-6
    rows = (photos.features - center) / spread
    penalty = np.repeat([COMPOSITION_PENALTY, EMBEDDING_PENALTY], [COMPOSITIONS, rows.shape[1] - COMPOSITIONS])
    known = photos.views >= 0
    share = shop_weights([shop for shop, is_known in zip(photos.shops, known, strict=True) if is_known])
    view_weight, view_bias = softmax_regression(rows[known], photos.views[known], share, penalty, len(VIEWS))
    two_weight, two_bias = softmax_regression(rows, photos.whole, shop_weights(photos.shops), penalty, 2)
    # Of two classes the difference of the logits is the logit of the second.
    weight = np.concatenate([view_weight, two_weight[:, 1:] - two_weight[:, :1]], axis=1) / spread[:, None]
    bias = np.append(view_bias, two_bias[1] - two_bias[0]) - center @ weight
    return ViewHead(
        weight[:COMPOSITIONS].astype(np.float32), weight[COMPOSITIONS:].astype(np.float32), bias.astype(np.float32)
    )


def logits(head: ViewHead, photos: LabeledViews) -> NDArray[np.float64]:
    """Return a head's logits (n, views + 1) of photos."""
    weight = np.concatenate([head.composition_weight, head.embedding_weight]).astype(np.float64)
    return np.asarray(photos.features @ weight + head.bias)


def _factor(given: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return the factor on logits (n, classes) of least cross-entropy."""

    def loss(factor: float) -> float:
        scaled = given * factor
        return float((logsumexp(scaled, axis=1) - scaled[np.arange(len(labels)), labels]).mean())

    return float(minimize_scalar(loss, bounds=(0.05, 3.0), method="bounded").x)


def measure(head: ViewHead, photos: LabeledViews) -> dict[str, Any]:
    """Return the accuracy of the view and of whole or cut, each beside that of the most frequent answer.

    The view is judged as a run provides it, with what names say; `view_accuracy_unnamed` is that of the head alone, and
    `view_calibration_error` is of the probability of the view that is named.
    """
    if not len(photos.shops):
        return {"photos": 0}
    judged = logits(head, photos)
    whole = {
        "whole_accuracy": round(float(((judged[:, -1] > 0) == photos.whole).mean()), 4),
        "whole_majority": round(float(max(photos.whole.mean(), 1 - photos.whole.mean())), 4),
    }
    known = np.flatnonzero(photos.views >= 0)
    if not len(known):
        return {"photos": len(photos.shops), **whole}
    seen = softmax(judged[known, :-1], axis=1)
    told = np.stack([as_named(one, photos.names[row]) for one, row in zip(seen, known.tolist(), strict=True)])
    right = told.argmax(axis=1) == photos.views[known]
    return {
        "photos": len(photos.shops),
        "named": sum(photos.names[row] is not None for row in known.tolist()),
        "view_accuracy": round(float(right.mean()), 4),
        "view_accuracy_unnamed": round(float((seen.argmax(axis=1) == photos.views[known]).mean()), 4),
        "view_majority": round(float(np.bincount(photos.views[known]).max() / len(known)), 4),
        "view_calibration_error": round(
            float(WeightedMetrics.unweighted(right, told.max(axis=1)).calibration_error()[0]), 4
        ),
        **whole,
    }
