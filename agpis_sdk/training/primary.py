"""Trains the primary head on accepted reviews (paper section 3.3.1, Eq. 1), as a choice among the images of a product.

Which image merchants put first differs between shops, so two more things are learned that hold in all of them: features
that anyone can see (`primary.handcrafted_features`), and that a whole, upright product beats a cut, small or tilted copy of itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from agpis_sdk.builtin.image_quality.foreground import estimate_foreground
from agpis_sdk.builtin.primary.handcrafted_features import extract_features
from agpis_sdk.builtin.primary.model import PrimaryHead
from agpis_sdk.components import Backbone, DecodedImage
from agpis_sdk.datasets.photos import load_photo, mirrored, with_pixels
from agpis_sdk.datasets.splits import Split, split_of
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.records import Review
from agpis_sdk.synthetic.augmentations import close_up
from agpis_sdk.synthetic.violations import inject
from agpis_sdk.training.components import weights_file
from agpis_sdk.training.request import Evaluation, EvaluationRequest, TrainingRequest, one_split

WEIGHTS = "primary.safetensors"

# Chosen by leave-one-folder-out figures: what is learned from embeddings must be strong to count, features may count at once.
EMBEDDING_PENALTY = 0.3
FEATURE_PENALTY = 0.01
WORSE_COPIES = ("close-up", "too-small", "off-center", "cluttered-background", "rotated")
REAL_WEIGHT, COPIES_WEIGHT = 0.5, 0.1
ScoredGallery = tuple[NDArray[np.float64], int]
"""The scores of a gallery (n,), and the row of its primary image."""


@dataclass(frozen=True, eq=False)
class RankedGallery:
    """Images of one product of which the one at row `primary` comes first: embeddings (n, channels), features (n, features).

    `real` galleries are a merchant's own; the others set a photo against worse copies of itself. `shop` is the folder
    that the photos lie in.
    """

    product: str
    shop: str
    split: Split
    real: bool
    primary: int
    embeddings: NDArray[np.float32]
    features: NDArray[np.float32]


def train_primary(reviews: Iterable[Review], out: Path, backbone: Backbone, *, seed: int = 0) -> dict[str, Any]:
    """Train on the accepted reviews of the train split, measure on the test split, write weights and metrics to `out`.

    Raises `TrainingDataError` when there is nothing to learn from.
    """
    galleries = list(ranked_galleries(reviews, backbone, seed=seed))
    head = fit(galleries)
    metrics = {
        "seed": seed,
        "train": gallery_metrics([gallery for gallery in galleries if gallery.split == "train"], head),
        **{
            split: gallery_metrics([gallery for gallery in galleries if gallery.split == split], head)
            for split in ("validation", "test")
        },
    }
    out.mkdir(parents=True, exist_ok=True)
    head.save(out / WEIGHTS)
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    return metrics


def train(request: TrainingRequest) -> dict[str, Any]:
    """Train the primary head as `agpis train primary` asks."""
    return train_primary(request.examples(), request.out, request.backbone(), seed=request.seed)


def evaluate(request: EvaluationRequest) -> Evaluation:
    """Measure a primary head on a split: top-1 and mean reciprocal rank."""
    head = PrimaryHead.load(weights_file(request.model, WEIGHTS))
    split = one_split(request)
    galleries = ranked_galleries(request.examples(), request.backbone(), seed=request.seed)
    return Evaluation(gallery_metrics([gallery for gallery in galleries if gallery.split == split], head))


def ranked_galleries(reviews: Iterable[Review], backbone: Backbone, *, seed: int = 0) -> Iterator[RankedGallery]:
    """Yield each accepted review's candidates, the same mirrored, and its first image against worse copies of itself."""
    for number, review in enumerate(review for review in reviews if review.decision == "accepted"):
        split = split_of(review.product, seed=seed)
        images = [load_photo(review.product, image) for image in review.product.images]
        first = [image.id for image in images].index(review.sequence[0])
        place = (str(Path(review.product.images[first].uri).parent), split, backbone)
        if len(images) > 1:
            yield _gallery(images, first, *place, real=True)
            yield _gallery([mirrored(image) for image in images], first, *place, real=True)
        rng = np.random.default_rng([seed, number])
        yield _gallery([images[first], *_worse_copies(images[first], rng, split)], 0, *place, real=False)


def _gallery(
    images: Sequence[DecodedImage], primary: int, shop: str, split: Split, backbone: Backbone, *, real: bool
) -> RankedGallery:
    features = [extract_features(image.pixels, *estimate_foreground(image.pixels)) for image in images]
    embeddings = [facts["embedding"] for facts in backbone.features(images)]
    return RankedGallery(images[0].product_id, shop, split, real, primary, np.stack(embeddings), np.stack(features))


def _worse_copies(image: DecodedImage, rng: np.random.Generator, split: Split) -> Iterator[DecodedImage]:
    """Yield the image as a close-up, small, off the middle, before clutter, and tilted."""
    pixels = np.array(image.pixels)
    for kind in WORSE_COPIES:
        if kind == "close-up":
            changed = close_up(pixels, rng)
        else:
            changed = inject(kind, pixels, rng, split="test" if split == "test" else "train", others=[pixels]).pixels
        yield with_pixels(image, changed)


def fit(galleries: Sequence[RankedGallery]) -> PrimaryHead:
    """Fit weights on the train split, and then how their scores turn into p_primary.

    A shop's own photos flatter a head that has learned from them. So where there are several shops, p_primary is set by
    what heads that have not seen a shop say of it; with one shop, by its validation split.

    Raises `TrainingDataError` where no product of the train split has two candidate images.
    """
    train = [gallery for gallery in galleries if gallery.split == "train"]
    real = [gallery for gallery in train if gallery.real]
    if not real:
        raise TrainingDataError(
            "no accepted review of the train split has two candidate images",
            item="primary",
            remedy="give accepted reviews of products with two or more candidate images",
        )
    head = _weights(train)
    shops = {gallery.shop for gallery in real}
    judged: list[ScoredGallery] = []
    if len(shops) > 1:
        for shop in sorted(shops):
            stranger = _weights([gallery for gallery in train if gallery.shop != shop])
            judged += [_scored(gallery, stranger) for gallery in real if gallery.shop == shop]
    else:
        held_back = [gallery for gallery in galleries if gallery.split == "validation" and gallery.real]
        judged = [_scored(gallery, head) for gallery in held_back or real]
    own = [_scored(gallery, head) for gallery in real]
    return _calibrated(head, fitted_slope(judged), own)


def _weights(train: Sequence[RankedGallery]) -> PrimaryHead:
    """Fit weights on standardized features and fold the standardization into them; the bias is left at 0."""
    embeddings, features = (
        np.concatenate([getattr(gallery, name) for gallery in train]).astype(np.float64)
        for name in ("embeddings", "features")
    )
    center, usual = embeddings.mean(0), features.mean(0)
    spread = np.concatenate([embeddings.std(0), features.std(0)]) + 1e-6
    rows = (np.concatenate([embeddings, features], axis=1) - np.concatenate([center, usual])) / spread
    penalty = np.repeat([EMBEDDING_PENALTY, FEATURE_PENALTY], [embeddings.shape[1], features.shape[1]])
    looks, seen = np.split((_listwise(rows, train, penalty) / spread).astype(np.float32), [len(center)])
    return PrimaryHead(looks, center.astype(np.float32), seen, usual.astype(np.float32), np.zeros(1, np.float32))


def _listwise(
    rows: NDArray[np.float64], galleries: Sequence[RankedGallery], penalty: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Minimize the listwise softmax loss over galleries (Cao et al., ICML 2007, top one) for rows (images, D)."""
    lengths = [len(gallery.features) for gallery in galleries]
    starts = np.cumsum([0, *lengths[:-1]])
    gallery_of = torch.from_numpy(np.repeat(np.arange(len(galleries)), lengths))
    primary = torch.from_numpy(starts + np.array([gallery.primary for gallery in galleries]))
    share = torch.tensor([REAL_WEIGHT if gallery.real else COPIES_WEIGHT for gallery in galleries], dtype=torch.float64)
    share = share / share.sum()
    features, costs = torch.from_numpy(rows), torch.from_numpy(penalty)
    weight = torch.zeros(rows.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        scores = features @ weight  # (images,)
        greatest = torch.full((len(galleries),), -torch.inf, dtype=torch.float64)
        greatest = greatest.scatter_reduce(0, gallery_of, scores.detach(), "amax")
        total = torch.zeros_like(greatest).scatter_add(0, gallery_of, torch.exp(scores - greatest[gallery_of]))
        surprise = greatest + torch.log(total) - scores[primary]  # (galleries,): -log of the primary image's share
        value = (surprise * share).sum() + (costs * weight**2).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[arg-type]
    return np.asarray(weight.detach().numpy())


def _scored(gallery: RankedGallery, head: PrimaryHead) -> ScoredGallery:
    parts = [head.parts(*image) for image in zip(gallery.embeddings, gallery.features, strict=True)]
    return np.array([looks + float(features.sum()) for looks, features in parts]), gallery.primary


def fitted_slope(judged: Sequence[ScoredGallery]) -> float:
    """Return the factor on scores with which their softmax over a gallery predicts best which image comes first.

    It says how far the scores can be trusted: 1 where they are right about themselves, near 0 where they order by chance.
    """
    factors = np.geomspace(0.02, 2, 100)
    surprises = np.zeros(len(factors))
    for scores, primary in judged:
        scaled = np.outer(factors, scores)  # (factors, n)
        greatest = scaled.max(axis=1, keepdims=True)
        total = greatest[:, 0] + np.log(np.exp(scaled - greatest).sum(axis=1))
        surprises += total - scaled[:, primary]
    return float(factors[surprises.argmin()])


def _calibrated(head: PrimaryHead, slope: float, own: Sequence[ScoredGallery]) -> PrimaryHead:
    """Scale a head's logits, and shift them so that p_primary is 0.5 where first images and others meet.

    The shift balances the two kinds of error on galleries (Platt, 1999, with a given slope and balanced classes).
    """
    firsts = slope * np.array([scores[primary] for scores, primary in own])
    others = slope * np.concatenate([np.delete(scores, primary) for scores, primary in own])

    def excess(shift: float) -> float:
        """Return by how much the sum of the mean p of both kinds is above 1; it rises with the shift."""
        return float(expit(firsts + shift).mean() + expit(others + shift).mean() - 1)

    shift = brentq(excess, -50.0, 50.0)
    return PrimaryHead(
        (head.weight * slope).astype(np.float32), head.center, (head.trait_weight * slope).astype(np.float32),
        head.usual, np.array([shift], np.float32),
    )  # fmt: skip


def gallery_metrics(galleries: Sequence[RankedGallery], head: PrimaryHead) -> dict[str, Any]:
    """Return top-1 accuracy and mean reciprocal rank of the right primary image within each product.

    `against_copies` is the share of photos that beat all worse copies of themselves; mirrored galleries do not count.
    """
    own = list({gallery.product: gallery for gallery in reversed(galleries) if gallery.real}.values())
    copies = [gallery for gallery in galleries if not gallery.real]
    ranks = np.array([_rank(gallery, head) for gallery in own])
    metrics: dict[str, Any] = {"products": len(own), "images": sum(len(gallery.features) for gallery in own)}
    if len(own):
        chance = float(np.mean([1 / len(gallery.features) for gallery in own]))
        metrics |= {"top1": _rounded(ranks == 1), "chance": round(chance, 4), "mrr": _rounded(1 / ranks)}
    if copies:
        metrics["against_copies"] = _rounded(np.array([_rank(gallery, head) for gallery in copies]) == 1)
    return metrics


def _rank(gallery: RankedGallery, head: PrimaryHead) -> int:
    scores = [head.probability(*image) for image in zip(gallery.embeddings, gallery.features, strict=True)]
    return 1 + sum(score > scores[gallery.primary] for score in scores)


def _rounded(values: NDArray[Any]) -> float:
    return round(float(np.mean(values)), 4)
