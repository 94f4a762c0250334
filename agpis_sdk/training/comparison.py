"""Two models of one component on the same reviews: figures side by side, and which one is better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from agpis_sdk.errors import TrainingDataError
from agpis_sdk.plugins import PluginHost
from agpis_sdk.training.components import evaluate
from agpis_sdk.training.request import EvaluationRequest

HEADLINES = ("auc", "top1")
"""By which figure models are ranked; the first one that both have."""


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
class ModelComparison:
    """Figures of two models, old and new, on one split of the same data; `headline` ranks them."""

    old: str
    new: str
    split: str
    headline: str
    figures: tuple[Figure, ...]

    @property
    def decisive(self) -> Figure:
        """The figure that ranks the two."""
        return next(figure for figure in self.figures if figure.name == self.headline)

    @property
    def new_is_worse(self) -> bool:
        """Whether the new model's headline figure is smaller."""
        return self.decisive.difference < 0

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return {**asdict(self), "new_is_worse": self.new_is_worse}


def compare_models(
    host: PluginHost, request: EvaluationRequest, new: str, component: str | None, default: str
) -> ModelComparison:
    """Measure `request.model` and another model of the same component on the same split of the same data.

    Raises `TrainingDataError` where they share no figure that ranks models.
    """
    old_figures = dict(_numbers(evaluate(host, request, component, default).figures))
    new_figures = dict(_numbers(evaluate(host, replace(request, model=new), component, default).figures))
    shared = [name for name in old_figures if name in new_figures]
    headline = next((name for name in HEADLINES if name in shared), None)
    if headline is None:
        raise TrainingDataError(
            f"the {request.split} split is too small to rank two models",
            item=str(request.reviews or request.photos),
            remedy="give reviews of more products",
        )
    figures = (Figure(name, *_values(old_figures[name], new_figures[name])) for name in shared)
    return ModelComparison(request.model, new, request.split, headline, tuple(figures))


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
