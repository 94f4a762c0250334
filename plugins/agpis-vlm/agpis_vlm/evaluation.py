"""The evaluators: how well the model, or a local head, agrees with reviews, and what a picture costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from agpis_sdk.datasets.galleries import split_of_review
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.evaluation.bootstrap import WeightedMetrics, bootstrap_weights, confidence_interval
from agpis_sdk.records import Review
from agpis_sdk.report.console_table import console_table
from agpis_sdk.training.request import Evaluation, EvaluationRequest
from agpis_vlm.checker import ImageVerdicts
from agpis_vlm.heads import Head, head_file, sentences_of
from agpis_vlm.labels import ReviewLabels, sentence_codes
from agpis_vlm.plugin import VERDICTS

PRECISIONS = (0.8, 0.9, 0.95)
RESAMPLES = 500
DIGITS = 4
ScoreOf = Callable[[Review, str], float | None]


@dataclass(frozen=True, eq=False)
class Scored:
    """Reviews (n) with the score (n,) that one of their images breaks a rule, and whether the reviewer says so (n,)."""

    scores: NDArray[np.float64]
    breaks: NDArray[np.bool_]
    products: NDArray[np.str_]
    unjudged: int = 0


def evaluate_model(request: EvaluationRequest) -> Evaluation:
    """Ask the model about reviewed pictures, from the cache where it has answered before, and compare.

    `request.model` is only a name: which model is asked stands in the config.
    """
    labels = ReviewLabels(request.examples(), request.rules)
    known: Mapping[str, Mapping[str, ImageVerdicts]] = labels.facts(request, VERDICTS)

    def score_of(review: Review, code: str) -> float | None:
        judged = [known.get(review.product.id, {}).get(image_id) for image_id in review.sequence]
        verdicts = [one.verdicts.get(code) if one else None for one in judged]
        scores = [verdict.score for verdict in verdicts if verdict is not None]
        return max(scores) if len(scores) == len(verdicts) else None

    images = [one for by_image in known.values() for one in by_image.values()]
    cost = {
        "images": len(images),
        "tokens_per_image": _mean([one.tokens for one in images]),
        "cost_per_image": _mean([one.cost for one in images]),
    }
    asked = sorted({code for one in images for code in one.verdicts})
    return _evaluation(request, labels, asked or sentence_codes(request.rules), score_of, cost)


def evaluate_heads(request: EvaluationRequest) -> Evaluation:
    """Compare the heads of a folder with reviews: a reviewer's, or those that `agpis-vlm reviews` made of answers."""
    folder = Path(request.model)
    heads = {code: Head.load(head_file(folder, code)) for code in sentences_of(folder)}
    labels = ReviewLabels(request.examples(), request.rules)
    embeddings = labels.facts(request, "embedding")

    def score_of(review: Review, code: str) -> float | None:
        known = embeddings.get(review.product.id, {})
        if not known.keys() >= set(review.sequence):
            return None
        return float(heads[code].probabilities(np.stack([known[image_id] for image_id in review.sequence])).max())

    return _evaluation(request, labels, sorted(heads), score_of, {})


def scored(labels: ReviewLabels, code: str, score_of: ScoreOf, *, split: str = "all", seed: int = 0) -> Scored:
    """Return the reviews of a split that say something about a rule, with their scores."""
    wanted = [one for one in labels.of(code) if split in ("all", split_of_review(one.review, seed=seed))]
    found = [(one, score_of(one.review, code)) for one in wanted]
    kept = [(one, score) for one, score in found if score is not None]
    return Scored(
        np.array([score for _, score in kept], dtype=np.float64),
        np.array([one.breaks for one, _ in kept], dtype=bool),
        np.array([one.review.product.id for one, _ in kept], dtype=np.str_),
        len(found) - len(kept),
    )


def agreement(reviews: Scored, threshold: float, *, seed: int = 0) -> dict[str, Any]:
    """Return how well scores agree with reviews; a figure that the reviews do not allow is None.

    The 95 % interval of the AUC is of bootstrap draws of whole products. `threshold_at_precision` is the lowest
    threshold from which on so large a share of findings is right, on these very reviews.
    """
    found, breaks = reviews.scores >= threshold, reviews.breaks
    whole = WeightedMetrics.unweighted(breaks, reviews.scores)
    draws = [
        WeightedMetrics(weights, breaks, reviews.scores).area_under_roc(~breaks)
        for weights in bootstrap_weights(reviews.products, RESAMPLES, seed)
    ]
    both = bool(breaks.any() and not breaks.all())
    interval = confidence_interval(np.concatenate(draws)) if both and draws else None
    return {
        "reviews": len(breaks),
        "breaking": int(breaks.sum()),
        "unjudged": reviews.unjudged,
        "auc": _rounded(float(whole.area_under_roc(~breaks)[0])) if both else None,
        "auc_interval": [_rounded(value) for value in interval] if interval else None,
        "threshold": threshold,
        "agreement": _mean((found == breaks).tolist()),
        "precision": _mean(breaks[found].tolist()),
        "recall": _mean(found[breaks].tolist()),
        "threshold_at_precision": {f"{level:g}": threshold_at(reviews, level) for level in PRECISIONS},
    }


def threshold_at(reviews: Scored, precision: float) -> float | None:
    """Return the lowest score at which findings are right to a share of at least `precision`; None where none is.

    >>> reviews = Scored(np.array([0.9, 0.8, 0.3]), np.array([True, False, True]), np.array(["a", "b", "c"]))
    >>> threshold_at(reviews, 0.9), threshold_at(reviews, 0.6)
    (0.9, 0.3)
    """
    levels = np.unique(reviews.scores)
    precise = [level for level in levels if reviews.breaks[reviews.scores >= level].mean() >= precision]
    return _rounded(min(precise)) if precise else None


def _evaluation(
    request: EvaluationRequest, labels: ReviewLabels, codes: Sequence[str], score_of: ScoreOf, cost: Mapping[str, Any]
) -> Evaluation:
    figures: dict[str, Any] = {"split": request.split, **cost, "rules": {}}
    for code in codes:
        reviews = scored(labels, code, score_of, split=request.split, seed=request.seed)
        threshold = request.rules[code].threshold if code in request.rules else 0.5
        figures["rules"][code] = agreement(reviews, threshold, seed=request.seed)
    if not figures["rules"]:
        raise TrainingDataError(
            "no rule of these reviews was judged", item="vlm", remedy="write rules under [components.vlm.rules]"
        )
    return Evaluation(figures, _table(figures, request))


def _table(figures: Mapping[str, Any], request: EvaluationRequest) -> Table:
    table = console_table()
    for name in ("Rule", "Reviews", "Breaking", "AUC", "95 %", "Agrees", "Precision", "Recall", "0.9 precise from"):
        table.add_column(name, justify="left" if name == "Rule" else "right")
    for code, one in figures["rules"].items():
        name = f"{code}  {request.rules[code].name}" if code in request.rules else code
        interval = "{:.2f}-{:.2f}".format(*one["auc_interval"]) if one["auc_interval"] else "-"
        shares = [_shown(one[key]) for key in ("agreement", "precision", "recall")]
        precise = _shown(one["threshold_at_precision"]["0.9"])
        table.add_row(name, str(one["reviews"]), str(one["breaking"]), _shown(one["auc"]), interval, *shares, precise)
    if figures.get("images"):
        table.caption = (
            f"{figures['images']:,} images, {figures['tokens_per_image']:,.0f} tokens and "
            f"{figures['cost_per_image']:.6f} in the currency of the prices an image"
        )
    return table


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 6) if values else None


def _rounded(value: float) -> float:
    return round(float(value), DIGITS)
