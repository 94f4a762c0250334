"""What a trainer and an evaluator are asked for, whichever plugin they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.components import Backbone, ComponentConfig, FeatureSource
from agpis_sdk.datasets.galleries import read_galleries, read_reviews
from agpis_sdk.datasets.splits import Split
from agpis_sdk.errors import ConfigError
from agpis_sdk.pipeline.image_facts import ProductFacts
from agpis_sdk.records import Product, Review
from agpis_sdk.rules import RuleSet


class ImageFacts(Protocol):
    """Computes named facts about the images of products, as a run with the same settings does."""

    def __call__(self, products: Iterable[Product], names: frozenset[str]) -> Iterator[ProductFacts]:
        """Yield the facts of each product, in order."""
        ...


@dataclass(frozen=True, kw_only=True)
class LearningData:
    """Reviews, or folders of galleries that are taken as accepted; exactly one of the two is given.

    `backbone` makes the configured backbone when it is first needed; `image_facts` computes what a run knows about the
    images of products, and what `run_facts` makes, about images in memory. `rules` are those of the run; `note` prints a
    line for people.
    """

    reviews: Path | None = None
    photos: tuple[Path, ...] = ()
    seed: int = 0
    backbone: Callable[[], Backbone]
    image_facts: ImageFacts
    run_facts: Callable[[frozenset[str]], FeatureSource]
    rules: RuleSet
    note: Callable[[str], None]

    def examples(self) -> Iterator[Review]:
        """Yield the reviews; raises `ConfigError` unless either reviews or photos are given."""
        if (self.reviews is None) == (not self.photos):
            raise ConfigError("name either REVIEWS or --photos", item="training data")
        return read_reviews(self.reviews) if self.reviews else read_galleries(self.photos)

    def folders(self) -> tuple[Path, ...]:
        """Return the folders of galleries; raises `ConfigError` where there are none, or reviews as well."""
        if not self.photos or self.reviews is not None:
            raise ConfigError("is made of folders of photos", item="training data", remedy="name them with --photos")
        return self.photos

    def reviews_file(self) -> Path:
        """Return the file of reviews; raises `ConfigError` where there is none."""
        if self.reviews is None:
            raise ConfigError("reads REVIEWS, a file with one review a line", item="training data")
        return self.reviews


@dataclass(frozen=True, kw_only=True)
class TrainingRequest(LearningData):
    """Train a component: write what its `[components.NAME]` table reads into `out`; `settings` are the trainer's own."""

    out: Path
    settings: ComponentConfig = field(default_factory=ComponentConfig)
    resume: bool = False


@dataclass(frozen=True, kw_only=True)
class EvaluationRequest(LearningData):
    """Measure a trained model on one split; `plots` is a folder for diagrams."""

    model: str
    split: Literal["test", "validation", "all"] = "test"
    plots: Path | None = None


@dataclass(frozen=True, eq=False)
class JudgedExamples:
    """What a model said of each of n examples, by which two models are compared on the same ones.

    `products` (n,) are ids; examples of one product are drawn together. With `positive` (n,) the headline figure is the ROC AUC of
    `scores` (n,); without, it is their mean, such as of 1 where the model is right and 0 where it is not.
    """

    products: NDArray[np.str_]
    scores: NDArray[np.float64]
    positive: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Evaluation:
    """What a model is worth: figures for programs, and a rich renderable for people (None prints the figures).

    With `examples`, a comparison of two models says how sure it is.
    """

    figures: Mapping[str, Any]
    table: Any = None
    examples: JudgedExamples | None = None


class Trainer(Protocol):
    """What `trainer` in a component's spec names: a function that trains and returns figures, ready for JSON."""

    def __call__(self, request: TrainingRequest) -> Mapping[str, Any]:
        """Train, write the weights to `request.out`, and return the figures."""
        ...


class Evaluator(Protocol):
    """What `evaluator` in a component's spec names: a function that measures a trained model."""

    def __call__(self, request: EvaluationRequest) -> Evaluation:
        """Measure `request.model` on its split of the data."""
        ...


def one_split(request: EvaluationRequest) -> Split:
    """Return the split that is measured; raises `ConfigError` for "all", as parts of it were trained on."""
    if request.split == "all":
        raise ConfigError("models of stage 1 are measured on one split", item="--split", remedy="test")
    return request.split
