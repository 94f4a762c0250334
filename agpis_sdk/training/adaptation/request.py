"""What an adapter is asked for, whichever plugin it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from agpis_sdk.components import FeatureSource
from agpis_sdk.config import Config, validate
from agpis_sdk.pipeline.image_facts import ProductFacts
from agpis_sdk.records import Review
from agpis_sdk.rules import RuleSet
from agpis_sdk.specs import ComponentConfig

Settings = TypeVar("Settings", bound=ComponentConfig)


@dataclass(frozen=True, kw_only=True)
class AdaptationRequest:
    """Learn a shop from its products as they are listed; write files to `out`, the shop's folder.

    `products` hold the facts that the adapter asked for; `reviews` are the shop's own, where it has some. `false_alarms` is
    the share in 0..1 of the shop's own photos that may be refused wrongly. `run_facts` makes what computes facts of images
    in memory, `rules` are those of the run.
    """

    products: Sequence[ProductFacts]
    out: Path
    config: Config
    rules: RuleSet
    run_facts: Callable[[frozenset[str]], FeatureSource]
    false_alarms: float
    reviews: Sequence[Review] = ()
    seed: int = 0

    def settings(self, name: str, model: type[Settings]) -> Settings:
        """Return the validated settings of a component; raises `ConfigError`."""
        settings: Settings = validate(model, self.config.components.get(name, {}), item=f"components.{name}")
        return settings


@dataclass(frozen=True, kw_only=True)
class Adaptation:
    """What became of one part: its figure before and after on products that did not teach it, and the settings to use.

    In `settings` a value that begins with "./" is a file in the shop's folder. `settings` is empty unless `adopted`.
    """

    part: str
    measure: str
    examples: int
    before: float | None
    after: float | None
    adopted: bool
    reason: str
    settings: Mapping[str, Any] = field(default_factory=dict)


class Adapter(Protocol):
    """What `adapter` in a component's spec names: a class made without arguments.

    `facts` are those that it reads of each image; one that is not `quick` takes minutes, and can be left out.
    """

    facts: frozenset[str]
    quick: bool

    def adapt(self, request: AdaptationRequest) -> Adaptation:
        """Learn one part of a shop, and adopt it only where cross-validation on the shop's own products says better."""
        ...
