"""One component under test: run as the engine runs it, but what it raises reaches the test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

from agpis_sdk.batches import batches
from agpis_sdk.components import (
    AttributedFinding,
    BackboneSpec,
    ComponentSpec,
    DecodedImage,
    ImagePair,
    ImageSequence,
    SequenceCheckerSpec,
)
from agpis_sdk.config import Config
from agpis_sdk.errors import ConfigError
from agpis_sdk.pipeline.context import RunContext
from agpis_sdk.pipeline.findings import accept_finding, accept_verdict, images_known, pairs_known
from agpis_sdk.pipeline.guard import Component, collect
from agpis_sdk.plugins import OwnedSpec, PluginHost
from agpis_sdk.records import CandidateImage, Product, SequenceVerdict

Item = TypeVar("Item")
Result = TypeVar("Result")


class ComponentUnderTest:
    """A component of a host with its settings, and the backbone or checkers whose facts it requires.

    Where it takes rules from its settings, they become rules of the host.
    """

    def __init__(self, host: PluginHost, owned: OwnedSpec, settings: Mapping[str, Any] | None = None) -> None:
        self.host = host
        self.tables = {owned.spec.table: dict(settings or {})}
        if owned.spec.rules_from:
            host.add_rules_from(self.tables)
            owned = host.component(owned.spec.name)
        self.owned = owned
        self._config = Config(components=self.tables)

    @classmethod
    def named(cls, host: PluginHost, name: str, settings: Mapping[str, Any] | None = None) -> ComponentUnderTest:
        """Return a host's component; raises `UnknownNameError` with the nearest name."""
        return cls(host, host.component(name), settings)

    @property
    def spec(self) -> ComponentSpec:
        """The component's spec."""
        return self.owned.spec

    @property
    def is_scorer(self) -> bool:
        """Whether it is a sequence checker that gives p^t."""
        return isinstance(self.spec, SequenceCheckerSpec) and self.spec.gives_probability

    @cached_property
    def instance(self) -> Any:
        """The component itself, made by its factory with its settings."""
        return self.host.create(self.owned, self.tables)

    @cached_property
    def providers(self) -> list[Component]:
        """The backbone and the image checkers that give the facts the component requires, in the order they run."""
        ordered: list[OwnedSpec] = []
        self._collect_providers(self.owned, ordered)
        return [Component(owned, self.host.create(owned, self.tables)) for owned in ordered]

    def check_images(self, images: Sequence[DecodedImage], *, batch_size: int | None = None) -> list[AttributedFinding]:
        """Return an image checker's findings, of every score, in the order given."""
        context = self.context(images)
        return self._drained(
            images,
            batch_size,
            lambda chunk: self.instance.check_images(chunk, context),
            lambda chunk, result: accept_finding(self._component, images_known(chunk), result, self.host.rules),
        )

    def check_pairs(self, pairs: Sequence[ImagePair], *, batch_size: int | None = None) -> list[AttributedFinding]:
        """Return a pair checker's findings, of every score, in the order given."""
        context = self.context([image for pair in pairs for image in (pair.first, pair.second)])
        return self._drained(
            pairs,
            batch_size,
            lambda chunk: self.instance.check_pairs(chunk, context),
            lambda chunk, result: accept_finding(self._component, pairs_known(chunk), result, self.host.rules),
        )

    def check_sequences(
        self, sequences: Sequence[ImageSequence], *, batch_size: int | None = None
    ) -> list[SequenceVerdict]:
        """Return a sequence checker's verdicts in the order given."""
        context = self.sequence_context(sequences)
        return self._drained(
            sequences,
            batch_size,
            lambda chunk: self.instance.check_sequences(chunk, context),
            lambda chunk, result: accept_verdict(
                self._component, chunk, result, self.host.rules, scorer=self.is_scorer
            ),
        )

    def sequence_context(self, sequences: Sequence[ImageSequence]) -> RunContext:
        """Return a context that knows the sequences' products, and every fact that the component requires."""
        images = [image for sequence in sequences for image in sequence.images]
        return self.context(images, [sequence.product for sequence in sequences])

    def context(self, images: Sequence[DecodedImage], products: Iterable[Product] = ()) -> RunContext:
        """Return a fresh context with the required facts of some images; products that are not given are made up."""
        unique = list({image.key: image for image in images}.values())
        backbone = next((one for one in self.providers if isinstance(one.owned.spec, BackboneSpec)), None)
        context = RunContext(self._config, self.host.rules, backbone.instance if backbone else None)
        context.open_batch([*_products_of(unique), *products])
        for provider in self.providers:
            view = context.for_component(provider.owned.spec)
            if provider is backbone:
                for image, facts in zip(unique, provider.instance.features(unique), strict=True):
                    for name in provider.owned.spec.provides:
                        view.provide(image, name, facts[name])
            else:
                list(provider.instance.check_images(unique, view))
        return context.for_component(self.spec)

    @property
    def _component(self) -> Component:
        return Component(self.owned, self.instance)

    def _drained(
        self,
        items: Sequence[Item],
        batch_size: int | None,
        run: Callable[[Sequence[Item]], Iterable[Any]],
        accept: Callable[[Sequence[Item], Any], Result],
    ) -> list[Result]:
        chunks = batches(items, batch_size or self.spec.batch_size)
        return [result for chunk in chunks for result in collect(chunk, run, accept)]

    def _collect_providers(self, owned: OwnedSpec, ordered: list[OwnedSpec]) -> None:
        for fact in sorted(owned.spec.requires):
            if any(fact in known.spec.provides for known in ordered):
                continue
            provider = self._provider(fact, owned)
            self._collect_providers(provider, ordered)
            ordered.append(provider)

    def _provider(self, fact: str, wanted_by: OwnedSpec) -> OwnedSpec:
        """Return who gives a fact: the configured backbone, else an image checker."""
        backbone = self.host.specs("agpis_backbones").get(self._config.backbone.name)
        for owned in [*([backbone] if backbone else []), *self.host.specs("agpis_image_checkers").values()]:
            if fact in owned.spec.provides and owned is not wanted_by:
                return owned
        raise ConfigError(f'requires fact "{fact}", which nothing provides', item=wanted_by.spec.name)


def _products_of(images: Sequence[DecodedImage]) -> Iterator[Product]:
    """Make up a product for every product id among some images."""
    for product_id in dict.fromkeys(image.product_id for image in images):
        ids = [image.id for image in images if image.product_id == product_id]
        candidates = tuple(CandidateImage(id=image_id, uri=f"{image_id}.png") for image_id in ids)
        yield Product(id=product_id, title="Striped bag", category="Bags", images=candidates)
