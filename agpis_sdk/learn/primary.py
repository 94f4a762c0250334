"""Trains the primary head on accepted reviews (paper section 3.3.1, Eq. 1)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.primary.model import PrimaryHead
from agpis_sdk.components import Backbone, DecodedImage
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.learn.photos import embeddings, load_photo, mirrored
from agpis_sdk.learn.splits import Split, split_of
from agpis_sdk.records import Review

# Strong: a softer head carries over better to a shop that it has not seen (leave-one-folder-out).
REGULARISATION = 0.0003


@dataclass(frozen=True, eq=False)
class PrimaryExample:
    """One candidate image with its label by Eq. 1; `embedding` is (channels,), `product` groups a gallery."""

    product: str
    split: Split
    label: int
    embedding: NDArray[np.float32]
    mirrored: NDArray[np.float32]


def train_primary(reviews: Iterable[Review], out: Path, backbone: Backbone, *, seed: int = 0) -> dict[str, Any]:
    """Train on the accepted reviews of the train split, measure on the test split, write weights and metrics to `out`.

    Raises `TrainingDataError` when there is nothing to learn from.
    """
    examples = list(labelled(reviews, backbone, seed=seed))
    train = [example for example in examples if example.split == "train"]
    head = fit(train)
    metrics = {
        "seed": seed,
        "train": _counts(train),
        **{
            split: gallery_metrics([example for example in examples if example.split == split], head)
            for split in ("validation", "test")
        },
    }
    out.mkdir(parents=True, exist_ok=True)
    head.save(out / "primary.safetensors")
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    return metrics


def labelled(reviews: Iterable[Review], backbone: Backbone, *, seed: int = 0) -> Iterable[PrimaryExample]:
    """Yield every candidate image of accepted reviews with at least two candidates, labelled by Eq. 1."""
    for review in reviews:
        if review.decision != "accepted" or len(review.product.images) < 2:
            continue
        images: list[DecodedImage] = [load_photo(review.product, image) for image in review.product.images]
        plain = embeddings(images, backbone)
        flipped = embeddings([mirrored(image) for image in images], backbone)
        split = split_of(review.product, seed=seed)
        for row, image in enumerate(images):
            label = int(image.id == review.sequence[0])
            yield PrimaryExample(review.product.id, split, label, plain[row], flipped[row])


def fit(examples: Sequence[PrimaryExample]) -> PrimaryHead:
    """Fit a balanced logistic regression on standardised embeddings and fold the standardisation into its weights."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    if len({example.label for example in examples}) < 2:
        raise TrainingDataError(
            "every image has the same label, or there is none",
            item="primary",
            remedy="give accepted reviews of products with two or more candidate images",
        )
    features = np.stack([e.embedding for e in examples] + [e.mirrored for e in examples]).astype(np.float64)
    labels = np.array([e.label for e in examples] * 2)
    scaler = StandardScaler().fit(features)
    model = LogisticRegression(C=REGULARISATION, class_weight="balanced", max_iter=2000)
    model.fit(scaler.transform(features), labels)
    weight = model.coef_[0] / scaler.scale_
    bias = model.intercept_ - weight @ scaler.mean_
    return PrimaryHead(weight.astype(np.float32), bias.astype(np.float32))


def gallery_metrics(examples: Sequence[PrimaryExample], head: PrimaryHead) -> dict[str, Any]:
    """Return top-1 accuracy and mean reciprocal rank of the right primary image within each product."""
    galleries: dict[str, list[PrimaryExample]] = {}
    for example in examples:
        galleries.setdefault(example.product, []).append(example)
    ranks = []
    for gallery in galleries.values():
        if any(example.label for example in gallery):
            scores = [head.probability(example.embedding) for example in gallery]
            right = max(score for score, example in zip(scores, gallery, strict=True) if example.label)
            ranks.append(1 + sum(score > right for score in scores))
    if not ranks:
        return {**_counts(examples), "products": 0}
    return {
        **_counts(examples),
        "products": len(ranks),
        "top1": round(float(np.mean(np.array(ranks) == 1)), 4),
        "mrr": round(float(np.mean(1 / np.array(ranks))), 4),
    }


def _counts(examples: Sequence[PrimaryExample]) -> dict[str, int]:
    return {"images": len(examples), "positive": sum(example.label for example in examples)}
