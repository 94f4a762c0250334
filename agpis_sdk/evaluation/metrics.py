"""Evaluate a sequence model: ranking (paper section 4.1), calibration, classes and generated feedback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.muisc.text import OTHER, QUALIFIED
from agpis_sdk.datasets.feedback_parser import FeedbackParser
from agpis_sdk.evaluation.bootstrap import (
    BINS,
    Mask,
    Values,
    WeightedMetrics,
    bin_of,
    bootstrap_weights,
    confidence_interval,
    mask_of,
)
from agpis_sdk.evaluation.predictions import Predictions
from agpis_sdk.evaluation.report import Confusion, Estimate, ReliabilityBin, SequenceReport
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.rules import RuleSet
from agpis_sdk.wording import counted

PRECISIONS = (0.8, 0.85, 0.9)
CATEGORIES = {"single": "AGP1", "pair": "AGP2", "multi": "AGP3"}
CATEGORY_WORDS = {"single": "a single-image", "pair": "an image-pair", "multi": "a multi-image"}
ENOUGH_FOR_A_RULE = 5
NO_REVIEW, NO_QUALIFIED, NO_REJECTED = "there is no review", "no review is qualified", "no review is rejected"
NO_FEEDBACK = "the model generates no feedback"


@dataclass(frozen=True, eq=False)
class _Metric:
    """A metric to compute on `subset` (n,) of the reviews; `missing` says why it cannot be ("" where it can)."""

    subset: Mask
    compute: Callable[[WeightedMetrics], Values]
    missing: str


def evaluate(
    predictions: Predictions, *, seed: int = 0, resamples: int = 500, rules: RuleSet | None = None
) -> SequenceReport:
    """Evaluate predictions, with 95 % intervals from `resamples` bootstrap draws of whole products.

    A metric that cannot be computed is None and the report lists why; nothing is raised. Generated feedback is parsed
    with the names of `rules`, by default the shipped ones.

    >>> predictions = Predictions(
    ...     codes=np.array(["yes", "yes", "AGP103", "AGP121"]),
    ...     probabilities=np.array([[0.9, 0.1, 0.0], [0.4, 0.5, 0.1], [0.6, 0.4, 0.0], [0.1, 0.2, 0.7]]),
    ...     generated_feedback=["yes", "AGP103", "AGP103", "AGP121"],
    ...     reviewer_feedback=["yes", "yes", "blurry image", "watermark"],
    ...     products=np.array(["a", "b", "c", "d"]),
    ...     classes=("yes", "AGP103", "AGP121"),
    ... )
    >>> report = evaluate(predictions, resamples=0)
    >>> {name: report.metrics[name].value for name in ("auc", "top1", "rejected_top1", "feedback_names_the_rule")}
    {'auc': 0.75, 'top1': 0.5, 'rejected_top1': 1.0, 'feedback_names_the_rule': 1.0}
    """
    parser = FeedbackParser(rules or shipped_rules())
    headline = {
        **_ranking(predictions),
        **_calibration(predictions),
        **_classes(predictions),
        **_feedback(predictions, parser),
    }
    by_rule = _rules(predictions)
    metrics = {**headline, **by_rule}
    computable = {name: metric for name, metric in metrics.items() if not metric.missing}
    whole = WeightedMetrics.unweighted(predictions.qualified, predictions.p_qualified)
    values = {name: float(metric.compute(whole)[0]) for name, metric in computable.items()}
    drawn = _resampled(predictions, computable, seed, resamples)
    estimates = {
        name: _estimate(metric, values.get(name), drawn.get(name), predictions.products)
        for name, metric in metrics.items()
    }
    return SequenceReport(
        reviews=len(predictions),
        qualified=int(predictions.qualified.sum()),
        products=len(set(predictions.products.tolist())),
        resamples=resamples,
        metrics={name: estimates[name] for name in headline},
        rules={name: estimates[name] for name in by_rule},
        unseen_rules=tuple(code for code in predictions.classes[1:] if code != OTHER and code not in by_rule),
        reliability=reliability(predictions.qualified, predictions.p_qualified),
        confusion=confusion(predictions),
    )


def reliability(qualified: Mask, p_qualified: Values, bins: int = BINS) -> tuple[ReliabilityBin, ...]:
    """Return the calibration curve over equal-width bins from 0 to 1, empty bins included.

    >>> low, high = reliability(np.array([True, False, True]), np.array([0.2, 0.3, 0.9]), bins=2)
    >>> low.reviews, low.mean_probability, low.share_qualified
    (2, 0.25, 0.5)
    """
    places = bin_of(p_qualified, bins)
    return tuple(
        ReliabilityBin(
            start=place / bins,
            end=(place + 1) / bins,
            reviews=int(inside.sum()),
            mean_probability=float(p_qualified[inside].mean()) if inside.any() else None,
            share_qualified=float(qualified[inside].mean()) if inside.any() else None,
        )
        for place in range(bins)
        for inside in [places == place]
    )


def confusion(predictions: Predictions) -> Confusion:
    """Return the confusion matrix of the most likely class, over the classes that occur, in the model's order."""
    from sklearn.metrics import confusion_matrix

    if not len(predictions):
        return Confusion((), ())
    counts = confusion_matrix(predictions.codes, predictions.most_likely, labels=list(predictions.classes))
    occurs = np.flatnonzero(counts.sum(0) + counts.sum(1)).tolist()
    return Confusion(
        tuple(predictions.classes[place] for place in occurs),
        tuple(tuple(row) for row in counts[np.ix_(occurs, occurs)].tolist()),
    )


def _ranking(predictions: Predictions) -> dict[str, _Metric]:
    """Return the AUC, recall at precision, and the AUC of each category of rules.

    A category's AUC is against all qualified reviews: it draws nothing at random, unlike the paper's balanced subsets,
    and has the same expectation.
    """
    metrics = {"auc": _against_qualified(predictions, ~predictions.qualified, NO_REJECTED)}
    for level in PRECISIONS:
        metrics[f"recall_at_precision_{level:g}"] = _Metric(
            predictions.qualified, partial(WeightedMetrics.recall_at_precision, precision=level), metrics["auc"].missing
        )
    for name, prefix in CATEGORIES.items():
        none_rejected = f"no review is rejected for {CATEGORY_WORDS[name]} rule"
        metrics[f"auc_{name}"] = _against_qualified(
            predictions, np.char.startswith(predictions.codes, prefix), none_rejected
        )
    return metrics


def _rules(predictions: Predictions) -> dict[str, _Metric]:
    """Return the AUC of each class of rejected reviews that occurs."""
    metrics = {}
    for code in predictions.classes[1:]:
        rejected = np.asarray(predictions.codes == code, dtype=bool)
        if count := int(rejected.sum()):
            too_few = (
                f"{counted(count, 'review')} of it, {ENOUGH_FOR_A_RULE} are needed" if count < ENOUGH_FOR_A_RULE else ""
            )
            metrics[code] = _against_qualified(predictions, rejected, NO_REJECTED, too_few)
    return metrics


def _against_qualified(predictions: Predictions, rejected: Mask, none_rejected: str, too_few: str = "") -> _Metric:
    missing = "" if rejected.any() else none_rejected
    if not predictions.qualified.any():
        missing = NO_QUALIFIED
    if not len(predictions):
        missing = NO_REVIEW
    return _Metric(rejected, partial(WeightedMetrics.area_under_roc, rejected=rejected), missing or too_few)


def _calibration(predictions: Predictions) -> dict[str, _Metric]:
    everyone, missing = np.ones(len(predictions), dtype=bool), "" if len(predictions) else NO_REVIEW
    return {
        "ece": _Metric(everyone, WeightedMetrics.calibration_error, missing),
        "brier": _Metric(everyone, WeightedMetrics.brier_score, missing),
    }


def _classes(predictions: Predictions) -> dict[str, _Metric]:
    """Return the accuracy of the most likely class and, on rejected reviews, of the most likely objection."""
    return {
        "top1": _share(predictions.most_likely == predictions.codes, np.ones(len(predictions), dtype=bool), NO_REVIEW),
        "rejected_top1": _share(
            predictions.most_likely_objection == predictions.codes, ~predictions.qualified, NO_REJECTED
        ),
    }


def _feedback(predictions: Predictions, parser: FeedbackParser) -> dict[str, _Metric]:
    """Return how often generated feedback names the reviewer's rule and images, and is "yes" on qualified sequences.

    Reviews of the class "other" name no rule that feedback could repeat, so the first metric leaves them out.
    """
    generated, reviewed = predictions.generated_feedback, predictions.reviewer_feedback
    names_rule = [
        parser.rules_in(words)[:1] == (code,) for words, code in zip(generated, predictions.codes.tolist(), strict=True)
    ]
    images = [
        (parser.images_in(words), parser.images_in(expected))
        for words, expected in zip(generated, reviewed, strict=True)
    ]
    rejected, silent = ~predictions.qualified, len(predictions) > 0 and not any(generated)
    metrics = {
        "feedback_names_the_rule": _share(
            mask_of(names_rule), rejected & (predictions.codes != OTHER), "no review is rejected for a known rule"
        ),
        "feedback_names_the_image": _share(
            mask_of([found == expected for found, expected in images]),
            rejected & mask_of([bool(expected) for _, expected in images]),
            "no reviewer who rejected names an image",
        ),
        "feedback_says_yes": _share(
            mask_of([words.strip().lower() == QUALIFIED for words in generated]), predictions.qualified, NO_QUALIFIED
        ),
    }
    if not silent:
        return metrics
    return {name: _Metric(metric.subset, metric.compute, NO_FEEDBACK) for name, metric in metrics.items()}


def _share(hits: Mask, among: Mask, none_rejected: str) -> _Metric:
    return _Metric(among, partial(WeightedMetrics.share, hits=hits, among=among), "" if among.any() else none_rejected)


def _resampled(
    predictions: Predictions, metrics: dict[str, _Metric], seed: int, resamples: int
) -> dict[str, NDArray[np.float64]]:
    """Return the values (R,) of each metric over bootstrap draws of products."""
    blocks = [
        {name: metric.compute(block) for name, metric in metrics.items()}
        for weights in bootstrap_weights(predictions.products, resamples, seed)
        for block in [WeightedMetrics(weights, predictions.qualified, predictions.p_qualified)]
    ]
    return {name: np.concatenate([block[name] for block in blocks]) for name in metrics if blocks}


def _estimate(
    metric: _Metric, value: float | None, drawn: NDArray[np.float64] | None, products: NDArray[np.str_]
) -> Estimate:
    reviews = int(metric.subset.sum())
    if value is None:
        return Estimate(None, reviews=reviews, missing=metric.missing)
    if drawn is None:
        return Estimate(value, reviews=reviews, missing="no interval: no resamples were asked for")
    if len(set(products[metric.subset].tolist())) < 2:
        return Estimate(value, reviews=reviews, missing="no interval: all reviews are of one product")
    low, high = confidence_interval(drawn) or (None, None)
    return Estimate(
        value, low, high, reviews, "" if low is not None else "no interval: no resample holds both decisions"
    )
