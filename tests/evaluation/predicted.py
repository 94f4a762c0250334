"""Judged reviews made by hand or drawn at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_auc_score

from agpis_sdk.builtin.muisc.text import QUALIFIED, label_space
from agpis_sdk.evaluation.bootstrap import BINS, WeightedMetrics
from agpis_sdk.evaluation.metrics import CATEGORIES, PRECISIONS
from agpis_sdk.evaluation.predictions import Predictions
from agpis_sdk.plugins import shipped_rules

CLASSES = label_space(shipped_rules())


def predicted(
    codes: Sequence[str],
    p_qualified: Sequence[float] | None = None,
    *,
    said: Sequence[str] | None = None,
    written: Sequence[str] | None = None,
    products: Sequence[str] | None = None,
) -> Predictions:
    """Reviews with p^t as given (0.5 else) and the rest on the reviewer's objection, or on "other" where there is none."""
    scores = np.full(len(codes), 0.5) if p_qualified is None else np.array(p_qualified, dtype=np.float64)
    probabilities = np.zeros((len(codes), len(CLASSES)))
    probabilities[:, 0] = scores
    for row, code in enumerate(codes):
        probabilities[row, -1 if code == "yes" else CLASSES.index(code)] = 1 - scores[row]
    return Predictions(
        codes=np.array(codes, dtype=np.str_),
        probabilities=probabilities,
        generated_feedback=["yes"] * len(codes) if said is None else list(said),
        reviewer_feedback=[""] * len(codes) if written is None else list(written),
        products=np.array([f"p{row}" for row in range(len(codes))] if products is None else products, dtype=np.str_),
        classes=CLASSES,
    )


def drawn(count: int, *, seed: int = 0, share: float = 0.6, products: int = 0) -> Predictions:
    """Reviews of a model that is right more often than not, over all classes."""
    generator = np.random.default_rng(seed)
    labels = np.where(generator.random(count) < share, 0, generator.integers(1, len(CLASSES), count))
    logits = generator.normal(size=(count, len(CLASSES)))
    logits[np.arange(count), labels] += 3 * generator.random(count)
    logits[:, 0] += 2
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    codes = np.array(CLASSES)[labels]
    return Predictions(
        codes=codes,
        probabilities=probabilities,
        generated_feedback=[CLASSES[place] for place in probabilities.argmax(1)],
        reviewer_feedback=[f"{code}, second image" for code in codes],
        products=generator.integers(0, products or count, count).astype(np.str_),
        classes=CLASSES,
    )


def sequence_metrics(codes: NDArray[np.str_], p_qualified: NDArray[np.floating]) -> dict[str, float]:
    """Return the ranking figures alone, without intervals; `codes` and p^t are (n,), both decisions must occur."""
    qualified = codes == QUALIFIED
    metrics = {"auc": float(roc_auc_score(qualified, p_qualified))}
    precision, recall, _ = precision_recall_curve(qualified, p_qualified)
    for level in PRECISIONS:
        metrics[f"recall_at_precision_{level:g}"] = float(recall[precision >= level].max(initial=0.0))
    for name, prefix in CATEGORIES.items():
        chosen = qualified | np.char.startswith(codes, prefix)
        if (chosen & ~qualified).any():
            metrics[f"auc_{name}"] = float(roc_auc_score(qualified[chosen], p_qualified[chosen]))
    return {name: round(value, 4) for name, value in metrics.items()}


def expected_calibration_error(
    qualified: NDArray[np.bool_], p_qualified: NDArray[np.floating], bins: int = BINS
) -> float:
    """Return the mean distance between p^t (n,) and the share that is qualified, over bins of equal width."""
    itself = WeightedMetrics.unweighted(qualified, np.asarray(p_qualified, dtype=np.float64))
    return round(float(itself.calibration_error(bins)[0]), 4)
