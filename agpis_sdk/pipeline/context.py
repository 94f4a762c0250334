"""What components may ask of the run: settings, products, and facts that are computed once per image."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from agpis_sdk.components import Backbone, ComponentSpec, DecodedImage, ImageCheckerSpec, ImageSequence, PairCheckerSpec
from agpis_sdk.config import Config
from agpis_sdk.errors import PluginContractError
from agpis_sdk.pipeline.isolation.messages import SealedFact
from agpis_sdk.pipeline.plan import ENGINE_FACTS
from agpis_sdk.records import Product
from agpis_sdk.rules import RuleSet, selected
from agpis_sdk.specs import reads_product


class RunContext:
    """What a run knows: settings, rules, products and facts; the last two live as long as their micro-batch.

    A component gets its own view, `for_component`: the same products and facts, and leave to provide what its spec
    declares. Views nest: a builder that asks for p^t keeps its own while the scorer runs under another.
    """

    def __init__(self, config: Config, rules: RuleSet, backbone: Backbone | None) -> None:
        self._config = config
        self._rules = rules
        self._backbone = backbone
        self._products: dict[str, Product] = {}
        self._facts: dict[tuple[str, str], dict[str, Any]] = {}
        self._may_provide: frozenset[str] = frozenset()
        self._may_read_products = True
        self._score: Callable[[Sequence[ImageSequence]], list[float]] | None = None

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self._config.run.seed

    @property
    def device(self) -> str:
        """The torch device on which models run."""
        return self._config.run.device

    @property
    def sequence_length(self) -> int:
        """K^t, the number of images in a target sequence."""
        return self._config.sequence.length

    @property
    def sequence_fewest(self) -> int:
        """The fewest images that a target sequence may have; a builder may leave images out down to it."""
        return self._config.sequence.fewest

    @property
    def sequence_threshold(self) -> float:
        """The acceptance probability (p^t) from which on a sequence is submitted, 0..1."""
        return self._config.sequence.threshold

    @property
    def rules(self) -> RuleSet:
        """All rules of the run, of every plugin."""
        return self._rules

    def selected(self, code: str) -> bool:
        """Return whether the config lets the rule of a code be reported."""
        return selected(self._rules[code], self._config.rules.select, self._config.rules.ignore)

    @property
    def backbone(self) -> Backbone:
        """The configured backbone; raises `PluginContractError` when no component required any of its facts."""
        if self._backbone is None:
            raise PluginContractError(
                "asked for the backbone without requiring a fact of it", remedy='list "embedding" under requires'
            )
        return self._backbone

    def product(self, product_id: str) -> Product:
        """Return the product that an image belongs to; raises `PluginContractError` where that would be kept beside its file."""
        if not self._may_read_products:
            raise PluginContractError(
                "asked for the product, on which nothing cacheable about images may depend",
                remedy="announce it without cacheable=True, or with reads_product=True",
            )
        return self._products[product_id]

    def fact(self, image: DecodedImage, name: str) -> Any:
        """Return a fact about an image; raises `KeyError` naming it when nothing has provided it."""
        facts = self._facts.get(image.key, {})
        if name not in facts:
            raise KeyError(f'fact "{name}" of image "{image.id}" has not been provided')
        return _opened(facts[name])

    def facts_of_product(self, product_id: str, name: str) -> Mapping[str, Any]:
        """Return a fact about every image of a product that has it, by image id in listed order."""
        known = {image.id: self._facts.get((product_id, image.id), {}) for image in self.product(product_id).images}
        return {image_id: _opened(facts[name]) for image_id, facts in known.items() if name in facts}

    def provide(self, image: DecodedImage, name: str, value: Any) -> None:
        """Record a fact; raises `PluginContractError` when the running component did not declare it."""
        if name not in self._may_provide:
            raise PluginContractError(f'provides fact "{name}" without declaring it', remedy="list it under provides")
        if name in ENGINE_FACTS and not 0.0 <= float(value) <= 1.0:
            raise PluginContractError(f'gave fact "{name}" {value!r}, which is not in 0..1', item=image.id)
        if name == "primary_reasons" and not (
            isinstance(value, list | tuple) and all(isinstance(reason, str) for reason in value)
        ):
            raise PluginContractError('gave fact "primary_reasons" that is no list of texts', item=image.id)
        self._facts.setdefault(image.key, {})[name] = value

    def p_qualified(self, sequences: Sequence[ImageSequence]) -> list[float]:
        """Return the scorer's p^t of each sequence; raises `PluginContractError` where there is no scorer."""
        if self._score is None:
            raise PluginContractError(
                "asked for p^t where there is no scorer", remedy="announce the builder with needs_scorer=True"
            )
        return self._score(sequences)

    def score_with(self, score: Callable[[Sequence[ImageSequence]], list[float]]) -> None:
        """Set what gives p^t to builders."""
        self._score = score

    def has_facts(self, image: DecodedImage, names: Iterable[str]) -> bool:
        """Tell whether all of some facts about an image are known."""
        return self._facts.get(image.key, {}).keys() >= set(names)

    def known(self, image: DecodedImage, name: str) -> Any:
        """Return a fact, or None when nothing has provided it."""
        return self._facts.get(image.key, {}).get(name)

    def for_component(self, spec: ComponentSpec) -> RunContext:
        """Return the context as a component sees it, with leave to provide the facts that its spec declares."""
        view = copy.copy(self)
        view._may_provide = spec.provides
        is_kept = spec.cacheable and isinstance(spec, ImageCheckerSpec | PairCheckerSpec)
        view._may_read_products = reads_product(spec) or not is_kept
        return view

    def open_batch(self, products: Iterable[Product]) -> None:
        """Take in the products of a micro-batch and forget those of the one before."""
        self._facts.clear()
        self._products = {product.id: product for product in products}


def _opened(value: Any) -> Any:
    return value.open() if isinstance(value, SealedFact) else value
