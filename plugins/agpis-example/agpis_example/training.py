"""The trainer and the evaluator of the selector: `agpis train most-colorful`, `agpis evaluate`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, cast

import numpy as np

from agpis_example.checker import largest_saturation
from agpis_example.config import MostColorfulTrainingConfig
from agpis_example.selector import score
from agpis_sdk.datasets.photos import load_photo
from agpis_sdk.records import Review
from agpis_sdk.training.components import weights_file
from agpis_sdk.training.request import Evaluation, EvaluationRequest, TrainingRequest

WEIGHTS = "most-colorful.json"
Gallery = tuple[list[float], int]


def train(request: TrainingRequest) -> dict[str, Any]:
    """Choose the exponent by which accepted sequences begin most often with the highest score."""
    settings = cast("MostColorfulTrainingConfig", request.settings)
    galleries = _galleries(request.examples())
    exponents = np.linspace(0, 2, settings.steps).tolist()
    best = max(exponents, key=lambda exponent: _top1(galleries, exponent))
    (request.out / WEIGHTS).write_text(json.dumps({"position_exponent": best}), encoding="utf-8")
    return {"position_exponent": best, "galleries": len(galleries)}


def evaluate(request: EvaluationRequest) -> Evaluation:
    """Return how often the highest score is the image that the accepted sequence begins with."""
    weights = json.loads(weights_file(request.model, WEIGHTS).read_text(encoding="utf-8"))
    return Evaluation({"top1": _top1(_galleries(request.examples()), weights["position_exponent"])})


def _galleries(reviews: Iterable[Review]) -> list[Gallery]:
    """Return for each accepted review the saturation of its images, and which of them came first."""
    galleries = []
    for review in reviews:
        if review.decision == "accepted":
            saturations = [
                largest_saturation(np.asarray(load_photo(review.product, image).pixels))
                for image in review.product.images
            ]
            ids = [image.id for image in review.product.images]
            galleries.append((saturations, ids.index(review.sequence[0])))
    return galleries


def _top1(galleries: Iterable[Gallery], exponent: float) -> float:
    hits = [
        max(range(len(saturations)), key=lambda place: score(saturations[place], place, exponent)) == first
        for saturations, first in galleries
    ]
    return sum(hits) / max(len(hits), 1)
