"""Trains the primary head on accepted reviews (paper section 3.3.1, Eq. 1), as a choice among the images of a product.

Which image merchants put first differs between shops. The head sees readable features alone, whose meaning is the same in
all of them, and p_primary is set by what heads say of shops that they have not been trained on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from agpis_sdk.builtin.foreground import composition
from agpis_sdk.builtin.primary.config import PrimaryTrainingConfig
from agpis_sdk.builtin.primary.features import FACTS, IMAGE_FEATURES, LIKENESS, features_in_gallery
from agpis_sdk.builtin.primary.model import PrimaryHead, deviations
from agpis_sdk.datasets.splits import Split, split_of
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.pipeline.image_facts import ProductFacts
from agpis_sdk.records import Product, Review
from agpis_sdk.training.components import weights_file, write_head
from agpis_sdk.training.linear_models import listwise, shop_weights
from agpis_sdk.training.request import (
    Evaluation,
    EvaluationRequest,
    ImageFacts,
    JudgedExamples,
    TrainingRequest,
    one_split,
)

WEIGHTS = "primary.safetensors"

COMPOSITIONS = len(composition.NAMES)
# On a composition's number and its square, on what other heads say, and on how like the others an image is.
COMPOSITION_PENALTY, OPINION_PENALTY, LIKENESS_PENALTY = 0.01, 0.003, 0.01
ADAPTED_PENALTY = 0.01
"""On the squared distance from the head that a shop's galleries adapt; chosen on twelve shops left out."""
# A curvature where a probability already says all there is to say would only fit noise.
NO_CURVATURE = 1e6
ScoredGallery = tuple[NDArray[np.float64], NDArray[np.bool_]]
"""The scores of a gallery (n,), and which of its images are right as the first one."""


@dataclass(frozen=True, eq=False)
class RankedGallery:
    """The images of one product: `features` (n, features), and `right` (n,), which of them may come first.

    `shop` is the folder that the photos are in.
    """

    product: Product
    shop: str
    split: Split
    features: NDArray[np.float32]
    right: NDArray[np.bool_]


def train(request: TrainingRequest) -> dict[str, Any]:
    """Train on the accepted reviews of the train split, measure on the test split, write weights and metrics.

    Raises `TrainingDataError` when there is nothing to learn from.
    """
    settings = cast("PrimaryTrainingConfig", request.settings)
    galleries = list(ranked_galleries(request.examples(), request.image_facts, seed=request.seed))
    taught = [gallery for gallery in galleries if gallery.split == "train"]
    if settings.adapt is not None:
        head = adapted(PrimaryHead.load(weights_file(str(settings.adapt), WEIGHTS)), taught)
    else:
        head = fit(taught)
    splits: tuple[Split, ...] = ("train", "validation", "test")
    metrics = {
        "seed": request.seed,
        **{str(split): gallery_metrics([one for one in galleries if one.split == split], head) for split in splits},
    }
    write_head(head, request.out, WEIGHTS, metrics)
    return metrics


def evaluate(request: EvaluationRequest) -> Evaluation:
    """Measure a primary head on a split: top-1 and mean reciprocal rank."""
    head = PrimaryHead.load(weights_file(request.model, WEIGHTS))
    split = one_split(request)
    every = ranked_galleries(request.examples(), request.image_facts, seed=request.seed)
    galleries = [gallery for gallery in every if gallery.split == split]
    examples = JudgedExamples(
        np.array([gallery.product.id for gallery in galleries]),
        np.array([float(first_right_rank(gallery, head) == 1) for gallery in galleries]),
    )
    return Evaluation(gallery_metrics(galleries, head), examples=examples)


def ranked_galleries(reviews: Iterable[Review], image_facts: ImageFacts, *, seed: int = 0) -> Iterator[RankedGallery]:
    """Yield the candidates of each accepted product with at least two; each accepted first image of it is right."""
    shops: dict[str, dict[str, Product]] = {}
    firsts: dict[tuple[str, str], set[str]] = {}
    for review in reviews:
        if review.decision == "accepted" and len(review.product.images) > 1:
            shop = shop_of(review.product)
            shops.setdefault(shop, {}).setdefault(review.product.id, review.product)
            firsts.setdefault((shop, review.product.id), set()).add(review.sequence[0])
    # Shop by shop: two shops may call different products by one id.
    for shop, products in shops.items():
        for known in image_facts(products.values(), FACTS):
            gallery = ranked_gallery(known, firsts[shop, known.product.id], seed=seed)
            if gallery is not None:
                yield gallery


def shop_of(product: Product) -> str:
    """Return the folder, or the address, that a product's first photo is in."""
    return product.images[0].uri.rpartition("/")[0]


def ranked_gallery(known: ProductFacts, firsts: Iterable[str], *, seed: int = 0) -> RankedGallery | None:
    """Return the gallery of a product whose facts are known; None where fewer than two images, or no right one, are."""
    right = np.array([image_id in set(firsts) for image_id in known.images])
    if len(right) < 2 or not right.any():
        return None
    return RankedGallery(
        product=known.product,
        shop=shop_of(known.product),
        split=split_of(known.product, seed=seed),
        features=np.stack([_features(image_id, known) for image_id in known.images]),
        right=right,
    )


def _features(image_id: str, known: ProductFacts) -> NDArray[np.float32]:
    others = [other["product_embedding"] for other_id, other in known.images.items() if other_id != image_id]
    return features_in_gallery(known.images[image_id], others)


def fit(galleries: Sequence[RankedGallery], as_seen: Sequence[RankedGallery] = ()) -> PrimaryHead:
    """Fit weights, and then how their scores turn into p_primary.

    A shop's own photos flatter a head that has learned from them. So where there are several shops, p_primary is set by
    what heads that have not seen a shop say of it. `as_seen` are the same galleries as a run sees them, where what teaches
    the weights is surer than that, such as labeled views.

    Raises `TrainingDataError` where there is no gallery.
    """
    _refuse_none(galleries)
    as_seen = as_seen or galleries
    head = weights(galleries)
    shops = sorted({gallery.shop for gallery in galleries})
    judged = [scored(gallery, head) for gallery in as_seen]
    if len(shops) > 1:
        judged = []
        for shop in shops:
            stranger = weights([gallery for gallery in galleries if gallery.shop != shop])
            judged += [scored(gallery, stranger) for gallery in as_seen if gallery.shop == shop]
    return calibrated(head, fitted_slope(judged), [scored(gallery, head) for gallery in as_seen])


def weights(galleries: Sequence[RankedGallery]) -> PrimaryHead:
    """Fit weights on standardized features; the bias is left at 0."""
    features = np.concatenate([gallery.features for gallery in galleries]).astype(np.float64)
    usual = features.mean(axis=0).astype(np.float32)
    spread = (features.std(axis=0) + 1e-3).astype(np.float32)
    fitted = listwise(
        _rows(galleries, usual, spread),
        [gallery.right for gallery in galleries],
        shop_weights([gallery.shop for gallery in galleries]),
        _penalty(),
    )
    weight, curvature = np.split(fitted.astype(np.float32), 2)
    return PrimaryHead(usual, spread, weight, curvature, np.zeros(1, np.float32))


def adapted(head: PrimaryHead, galleries: Sequence[RankedGallery]) -> PrimaryHead:
    """Let a head learn on from a shop's galleries; `ADAPTED_PENALTY` holds its weights near those that it has.

    Raises `TrainingDataError` where there is no gallery.
    """
    _refuse_none(galleries)
    prior = np.concatenate([head.weight, head.curvature]).astype(np.float64)
    fitted = listwise(
        _rows(galleries, head.usual, head.spread),
        [gallery.right for gallery in galleries],
        np.full(len(galleries), 1 / len(galleries)),
        np.where(_penalty() == NO_CURVATURE, NO_CURVATURE, ADAPTED_PENALTY),
        prior,
    )
    weight, curvature = np.split(fitted.astype(np.float32), 2)
    return replace(head, weight=weight, curvature=curvature)


def _refuse_none(galleries: Sequence[RankedGallery]) -> None:
    if not galleries:
        raise TrainingDataError(
            "no accepted review of the train split has two candidate images",
            item="primary",
            remedy="give accepted reviews of products with two or more candidate images",
        )


def _penalty() -> NDArray[np.float64]:
    opinions = len(IMAGE_FEATURES) - COMPOSITIONS
    on_weight = np.repeat(
        [COMPOSITION_PENALTY, OPINION_PENALTY, LIKENESS_PENALTY], [COMPOSITIONS, opinions, len(LIKENESS)]
    )
    on_curvature = np.repeat([COMPOSITION_PENALTY, NO_CURVATURE], [COMPOSITIONS, opinions + len(LIKENESS)])
    return np.concatenate([on_weight, on_curvature])


def _rows(
    galleries: Sequence[RankedGallery], usual: NDArray[np.float32], spread: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return (images, 2 · features): deviations, and what their squares are above 1."""
    z = deviations(np.concatenate([gallery.features for gallery in galleries]), usual, spread)
    return np.concatenate([z, z**2 - 1], axis=1)


def scored(gallery: RankedGallery, head: PrimaryHead) -> ScoredGallery:
    """Return a head's scores of a gallery without its bias, and which images are right."""
    return head.parts(gallery.features).sum(axis=1), gallery.right


def fitted_slope(judged: Sequence[ScoredGallery]) -> float:
    """Return the factor on scores with which their softmax over a gallery predicts best which image comes first.

    It says how far the scores can be trusted: 1 where they are right about themselves, near 0 where they order by chance.
    """
    factors = np.geomspace(0.02, 2, 100)
    surprises = np.zeros(len(factors))
    for scores, right in judged:
        scaled = np.outer(factors, scores)  # (factors, n)
        shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        surprises -= np.log(shares[:, right].sum(axis=1) / shares.sum(axis=1) + 1e-12)
    return float(factors[surprises.argmin()])


def calibrated(head: PrimaryHead, slope: float, own: Sequence[ScoredGallery]) -> PrimaryHead:
    """Scale a head's logits, and shift them so that p_primary is 0.5 where right images and others meet.

    The shift balances the two kinds of error on galleries (Platt, 1999, with a given slope and balanced classes).
    """
    scores = slope * np.concatenate([scores for scores, _ in own])
    right = np.concatenate([right for _, right in own])
    firsts, others = scores[right], scores[~right]
    if not len(others):
        others = firsts

    def excess(shift: float) -> float:
        """Return by how much the sum of the mean p of both kinds is above 1; it rises with the shift."""
        return float(expit(firsts + shift).mean() + expit(others + shift).mean() - 1)

    shift = brentq(excess, -100.0, 100.0)
    return replace(
        head,
        weight=(head.weight * slope).astype(np.float32),
        curvature=(head.curvature * slope).astype(np.float32),
        bias=np.array([shift], np.float32),
    )


def gallery_metrics(galleries: Sequence[RankedGallery], head: PrimaryHead) -> dict[str, Any]:
    """Return how often the best-scored image is a right one, by chance too, and the mean reciprocal rank of the first right one."""
    metrics: dict[str, Any] = {"products": len(galleries), "images": sum(len(one.right) for one in galleries)}
    if galleries:
        ranks = np.array([first_right_rank(gallery, head) for gallery in galleries])
        chance = float(np.mean([gallery.right.mean() for gallery in galleries]))
        metrics |= {"top1": _rounded(ranks == 1), "chance": round(chance, 4), "mrr": _rounded(1 / ranks)}
    return metrics


def first_right_rank(gallery: RankedGallery, head: PrimaryHead) -> int:
    """Return the rank of a gallery's best-scored right image, 1 being the first."""
    scores, right = scored(gallery, head)
    return 1 + int((scores[~right] > scores[right].max()).sum())


def _rounded(values: NDArray[Any]) -> float:
    return round(float(np.mean(values)), 4)
