"""Two models of one component on the same reviews: figures side by side, and which one is better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.errors import TrainingDataError
from agpis_sdk.evaluation.bootstrap import WeightedMetrics, bootstrap_weights, confidence_interval
from agpis_sdk.plugins import PluginHost
from agpis_sdk.training.components import evaluate
from agpis_sdk.training.request import EvaluationRequest, JudgedExamples
from agpis_sdk.wording import counted

HEADLINES = ("auc", "top1")
"""By which figure models are ranked; the first one that both have."""
RESAMPLES, SIGNIFICANCE = 2000, 0.05


@dataclass(frozen=True)
class Figure:
    """One figure of two models; `old_interval` and `new_interval` where the evaluator gives them."""

    name: str
    old: float
    new: float
    old_interval: tuple[float, float] | None = None
    new_interval: tuple[float, float] | None = None

    @property
    def difference(self) -> float:
        """By how much the new one is larger."""
        return self.new - self.old


@dataclass(frozen=True)
class PairedDifference:
    """By how much the new model's headline figure is larger, over bootstrap draws of products: the 95 % interval and a two-sided p-value."""

    products: int
    low: float
    high: float
    p_value: float

    @property
    def is_clear(self) -> bool:
        """Whether chance hardly explains the difference."""
        return self.p_value < SIGNIFICANCE


@dataclass(frozen=True)
class ModelComparison:
    """Figures of two models, old and new, on one split of the same data; `headline` ranks them.

    `paired` is None where an evaluator does not say what each model made of each example.
    """

    old: str
    new: str
    split: str
    headline: str
    figures: tuple[Figure, ...]
    paired: PairedDifference | None = None

    @property
    def decisive(self) -> Figure:
        """The figure that ranks the two."""
        return next(figure for figure in self.figures if figure.name == self.headline)

    @property
    def new_is_worse(self) -> bool:
        """Whether the new model's headline figure is smaller."""
        return self.decisive.difference < 0

    @property
    def verdict(self) -> str:
        """What the comparison says, in a sentence."""
        plain = f"The new model is {'worse' if self.new_is_worse else 'no worse'} on the {self.split} split"
        if self.paired is None:
            return f"{plain}."
        sure = "clearly so" if self.paired.is_clear else "which may be chance"
        return (
            f"{plain}, {sure}: {self.headline} {self.decisive.difference:+.4f} "
            f"({self.paired.low:+.4f} to {self.paired.high:+.4f} over draws of {counted(self.paired.products, 'product')}, "
            f"p = {self.paired.p_value:.3g})."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return {**asdict(self), "new_is_worse": self.new_is_worse}


def compare_models(
    host: PluginHost, request: EvaluationRequest, new: str, component: str | None, default: str
) -> ModelComparison:
    """Measure `request.model` and another model of the same component on the same split of the same data.

    Raises `TrainingDataError` where they share no figure that ranks models.
    """
    old_model = evaluate(host, request, component, default)
    new_model = evaluate(host, replace(request, model=new), component, default)
    old_figures, new_figures = dict(_numbers(old_model.figures)), dict(_numbers(new_model.figures))
    shared = [name for name in old_figures if name in new_figures]
    headline = next((name for name in HEADLINES if name in shared), None)
    if headline is None:
        raise TrainingDataError(
            f"the {request.split} split is too small to rank two models",
            item=str(request.reviews or request.photos),
            remedy="give reviews of more products",
        )
    figures = (Figure(name, *_values(old_figures[name], new_figures[name])) for name in shared)
    paired = paired_difference(old_model.examples, new_model.examples, seed=request.seed)
    return ModelComparison(request.model, new, request.split, headline, tuple(figures), paired)


def paired_difference(
    old: JudgedExamples | None, new: JudgedExamples | None, *, seed: int = 0
) -> PairedDifference | None:
    """Return how sure it is which of two models is better; None where they did not judge the same examples, or too few.

    Products are drawn with replacement, the same ones for both models (Efron and Tibshirani, 1993).
    """
    if old is None or new is None or not _same_examples(old, new):
        return None
    draws = bootstrap_weights(new.products, RESAMPLES, seed)
    differences = np.concatenate(
        [np.empty(0), *(_headline(new, weights) - _headline(old, weights) for weights in draws)]
    )
    interval = confidence_interval(differences)
    if interval is None:
        return None
    known = differences[~np.isnan(differences)]
    # One more draw on each side: no finite number of draws makes a difference certain.
    tails = ((known <= 0).sum() + 1, (known >= 0).sum() + 1)
    p_value = min(1.0, 2 * float(min(tails)) / (len(known) + 1))
    return PairedDifference(len(set(new.products.tolist())), *interval, p_value)


def _same_examples(old: JudgedExamples, new: JudgedExamples) -> bool:
    if not np.array_equal(old.products, new.products) or (old.positive is None) != (new.positive is None):
        return False
    return old.positive is None or new.positive is None or np.array_equal(old.positive, new.positive)


def _headline(examples: JudgedExamples, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the headline figure (R,) under weights (R, n)."""
    if examples.positive is None:
        return np.asarray(weights @ examples.scores / weights.sum(axis=1))
    metrics = WeightedMetrics(weights, examples.positive, examples.scores)
    return metrics.area_under_roc(~examples.positive)


Estimated = tuple[float, tuple[float, float] | None]


def _numbers(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Estimated]]:
    """Yield the figures by dotted name, with their intervals; a metric is an object with "value", "low" and "high"."""
    for key, value in figures.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            if isinstance(value.get("value"), int | float):
                low, high = value.get("low"), value.get("high")
                yield name, (float(value["value"]), None if low is None or high is None else (low, high))
            else:
                yield from _numbers(value, f"{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield name, (float(value), None)


def _values(old: Estimated, new: Estimated) -> tuple[Any, ...]:
    return old[0], new[0], old[1], new[1]
