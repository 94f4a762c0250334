"""The trainer of local heads: reviews in, a logistic regression on the backbone's embedding for each rule out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.datasets.galleries import split_of_review
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.training.linear_models import softmax_regression
from agpis_sdk.training.request import TrainingRequest
from agpis_sdk.wording import counted
from agpis_vlm.config import HeadTrainingConfig
from agpis_vlm.evaluation import agreement, scored
from agpis_vlm.heads import SENTENCES, Head, head_file
from agpis_vlm.labels import ReviewLabels, sentence_codes

PENALTIES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003)
FEWEST = 5
"""Images of each side that the train split must hold."""

Embeddings = Mapping[str, Mapping[str, NDArray[np.float32]]]


@dataclass(frozen=True, eq=False)
class LabeledEmbeddings:
    """Images (n): `embeddings` (n, channels), whether each breaks a rule (n,)."""

    embeddings: NDArray[np.float32]
    breaks: NDArray[np.bool_]


def train(request: TrainingRequest) -> dict[str, Any]:
    """Learn a head for each rule that the reviews allow; measure it on the test split; write all to `request.out`."""
    wanted = cast("HeadTrainingConfig", request.settings).rule or tuple(sentence_codes(request.rules))
    codes = [request.rules[code].code for code in wanted]
    labels = ReviewLabels(request.examples(), request.rules)
    embeddings = labels.facts(request, "embedding")
    figures: dict[str, Any] = {}
    for code in codes:
        train_images = _images(labels, code, embeddings, "train", request.seed)
        if _lacks(train_images):
            request.note(f"{code}: {_lacks(train_images)}")
            continue
        head, penalty = fit(train_images, _images(labels, code, embeddings, "validation", request.seed))
        head.save(head_file(request.out, code))
        figures[code] = {
            "train_images": len(train_images.breaks),
            "train_breaking": int(train_images.breaks.sum()),
            "penalty": penalty,
            "test": _measured(head, labels, code, embeddings, request),
        }
    if not figures:
        raise TrainingDataError("teach no rule", item="the reviews", remedy="review more pictures that break it")
    _write(request, {"seed": request.seed, **figures}, list(figures))
    return figures


def fit(images: LabeledEmbeddings, validation: LabeledEmbeddings) -> tuple[Head, float]:
    """Return the head of the penalty under which the validation images are least surprising, and that penalty."""
    heads = {penalty: _fit(images, penalty) for penalty in PENALTIES}
    judged = validation if len(validation.breaks) else images
    best = min(heads, key=lambda penalty: _log_loss(heads[penalty], judged))
    return heads[best], best


def _fit(images: LabeledEmbeddings, penalty: float) -> Head:
    """Fit a regression on standardized embeddings and fold the standardization into its weights."""
    rows = images.embeddings.astype(np.float64)
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    count = len(rows)
    weights, biases = softmax_regression(
        (rows - mean) / scale,
        images.breaks.astype(np.int64),
        np.full(count, 1 / count),
        np.full(rows.shape[1], penalty),
        classes=2,
    )
    weight = (weights[:, 1] - weights[:, 0]) / scale
    return Head(weight.astype(np.float32), float(biases[1] - biases[0] - weight @ mean))


def _log_loss(head: Head, images: LabeledEmbeddings) -> float:
    p_breaks = head.probabilities(images.embeddings).clip(1e-6, 1 - 1e-6)
    return float(-np.log(np.where(images.breaks, p_breaks, 1 - p_breaks)).mean())


def _images(labels: ReviewLabels, code: str, embeddings: Embeddings, split: str, seed: int) -> LabeledEmbeddings:
    """Return the labeled images of a split; of a rejected sequence of several images nobody says which one it is."""
    rows: list[NDArray[np.float32]] = []
    breaks: list[bool] = []
    for label in labels.of(code):
        review = label.review
        if split_of_review(review, seed=seed) != split or (label.breaks and len(review.sequence) > 1):
            continue
        known = embeddings.get(review.product.id, {})
        found = [known[image_id] for image_id in review.sequence if image_id in known]
        rows += found
        breaks += [label.breaks] * len(found)
    return LabeledEmbeddings(np.stack(rows) if rows else np.zeros((0, 0), np.float32), np.array(breaks, dtype=bool))


def _lacks(images: LabeledEmbeddings) -> str:
    """Return why nothing can be learned from some images, "" where something can."""
    breaking = int(images.breaks.sum())
    keeping = len(images.breaks) - breaking
    if min(breaking, keeping) >= FEWEST:
        return ""
    return (
        f"no head was learned: the train split has {counted(breaking, 'image')} that break it and "
        f"{keeping:,} that keep it, {FEWEST} of each are needed"
    )


def _measured(
    head: Head, labels: ReviewLabels, code: str, embeddings: Embeddings, request: TrainingRequest
) -> dict[str, Any]:
    def score_of(review: Any, _: str) -> float | None:
        known = embeddings.get(review.product.id, {})
        if not known.keys() >= set(review.sequence):
            return None
        return float(head.probabilities(np.stack([known[image_id] for image_id in review.sequence])).max())

    test = scored(labels, code, score_of, split="test", seed=request.seed)
    return agreement(test, request.rules[code].threshold, seed=request.seed)


def _write(request: TrainingRequest, metrics: Mapping[str, Any], codes: Sequence[str]) -> None:
    sentences = {code: request.rules[code].summary for code in codes}
    for name, content in ((SENTENCES, sentences), ("metrics.json", metrics)):
        (request.out / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
