"""A primary selector that learns which listed position reviewers put first: the smallest model that can be trained."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from agpis_sdk.components import ComponentConfig, Context, DecodedImage, PrimarySelectorSpec
from agpis_sdk.datasets.galleries import split_of_review
from agpis_sdk.hookspecs import hookimpl
from agpis_sdk.records import Review
from agpis_sdk.training.request import Evaluation, EvaluationRequest, TrainingRequest

WEIGHTS = "position.safetensors"


class PositionConfig(ComponentConfig):
    """Settings of the selector."""

    weights: Path | None = None


class PositionSelector:
    """Scores the image at one listed position highest."""

    def __init__(self, config: PositionConfig) -> None:
        self._position = position_of(config.weights)

    def score_primary(self, images: Sequence[DecodedImage], context: Context) -> list[float]:
        """Return 0.9 for the image at the position, 0.1 for the others."""
        return [0.9 if image.position == self._position else 0.1 for image in images]


def train(request: TrainingRequest) -> dict[str, Any]:
    """Count the positions of accepted first images in the train split."""
    rows = [row for row in request.examples() if split_of_review(row, seed=request.seed) == "train"]
    counted = Counter(_position(row) for row in rows if row.decision == "accepted")
    (request.out / WEIGHTS).write_text(json.dumps({"position": counted.most_common(1)[0][0]}))
    figures = {"products": len(rows)}
    (request.out / "metrics.json").write_text(json.dumps(figures))
    return figures


def evaluate(request: EvaluationRequest) -> Evaluation:
    """Return how often the position is that of the accepted first image, in one split."""
    path = Path(request.model)
    position = position_of(path / WEIGHTS if path.is_dir() else None)
    rows = [row for row in request.examples() if split_of_review(row, seed=request.seed) == request.split]
    hits = [_position(row) == position for row in rows if row.decision == "accepted"]
    return Evaluation({"products": len(hits), "top1": sum(hits) / len(hits)})


def position_of(weights: Path | None) -> int:
    """Return the position that was learned, 0 where nothing was."""
    return int(json.loads(weights.read_text())["position"]) if weights is not None else 0


def _position(review: Review) -> int:
    return [image.id for image in review.product.images].index(review.sequence[0])


@hookimpl
def agpis_primary_selectors() -> Iterable[PrimarySelectorSpec]:
    """Announce the selector."""
    yield PrimarySelectorSpec(
        name="position",
        factory="tests.review.position_model:PositionSelector",
        config=PositionConfig,
        trainer="tests.review.position_model:train",
        evaluator="tests.review.position_model:evaluate",
    )
