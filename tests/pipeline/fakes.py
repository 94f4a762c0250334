"""Fake components without any model: what each of them says is written in the test that uses it."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.builders import plugin as builders
from agpis_sdk.components import (
    BackboneSpec,
    ComponentSpec,
    Context,
    DecodedImage,
    ImageCheckerSpec,
    ImagePair,
    ImageSequence,
    PairCheckerSpec,
    PrimarySelectorSpec,
    SequenceBuilderSpec,
    SequenceCandidates,
    SequenceCheckerSpec,
    image_finding,
    pair_finding,
)
from agpis_sdk.config import Config
from agpis_sdk.facts import VIEWS, View
from agpis_sdk.hookspecs import hookimpl
from agpis_sdk.pipeline.pipeline import Pipeline
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Finding, Outcome, SequenceVerdict
from agpis_sdk.rules import Rule

BAD = Rule(code="TST101", name="bad-picture", summary="It is bad.", category="single-image", severity="error")
NOTE = Rule(code="TST102", name="worth-noting", summary="It is odd.", category="single-image")
TWIN = Rule(code="TST201", name="twin-pictures", summary="They are twins.", category="image-pair", severity="error")
DULL = Rule(code="TST301", name="dull-sequence", summary="It is dull.", category="multi-image")

CheckImages = Callable[[Sequence[DecodedImage], Context], Any]
CheckPairs = Callable[[Sequence[ImagePair], Context], Any]
CheckSequences = Callable[[Sequence[ImageSequence], Context], Any]
ScorePrimary = Callable[[Sequence[DecodedImage], Context], Any]
Build = Callable[[Sequence[SequenceCandidates], int, Context], Any]
Features = Callable[[Sequence[DecodedImage]], Any]

_numbers = itertools.count()

DEFAULTS: Mapping[str, Any] = {
    "backbone.name": "plain",
    "primary.selector": "first",
    "sequence.builder": "listed",
    "sequence.scorer": "steady",
    # Exactly so many images: what is left is easier to see where nothing is shortened.
    "sequence.min_length": 0,
}


def factory_of(component: object) -> str:
    """Return a factory string that gives this very component."""
    name = f"Made{next(_numbers)}"
    setattr(sys.modules[__name__], name, lambda settings: component)
    return f"{__name__}:{name}"


@dataclass(frozen=True, eq=False)
class Fake:
    """A component of any kind: each of its protocol's methods is a function of the test's."""

    check_images: CheckImages | None = None
    check_pairs: CheckPairs | None = None
    check_sequences: CheckSequences | None = None
    score_primary: ScorePrimary | None = None
    build: Build | None = None
    features: Features | None = None


def first_is_primary(images: Sequence[DecodedImage], context: Context) -> list[float]:
    """Score the first listed image 0.9, the others less and less."""
    return [0.9 if image.position == 0 else 0.5 / (image.position + 1) for image in images]


def always(probability: float) -> CheckSequences:
    """Return a scorer that gives every sequence the same probability."""

    def check(sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
        for sequence in sequences:
            yield verdict(sequence, p_qualified=probability)

    return check


def verdict(sequence: ImageSequence, **fields: Any) -> SequenceVerdict:
    return SequenceVerdict(product_id=sequence.product.id, sequence=sequence.ids, **fields)


def plain_features(images: Sequence[DecodedImage]) -> list[dict[str, NDArray[np.float32]]]:
    return [{"embedding": image.pixels.mean((0, 1), dtype=np.float32)} for image in images]


def flag(scores: Mapping[str, float], rule: Rule = BAD) -> CheckImages:
    """Return a check that finds the images named, each with its score."""

    def check(images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        for image in images:
            if image.id in scores:
                yield image_finding(image, rule, scores[image.id], f"{image.id} is {rule.name}")

    return check


def twins(*pairs: str, score: float = 1.0) -> CheckPairs:
    """Return a check that finds pairs such as "ab"."""

    def check(given: Sequence[ImagePair], context: Context) -> Iterator[Finding]:
        for pair in given:
            if f"{pair.first.id}{pair.second.id}" in pairs:
                yield pair_finding(pair, TWIN, score, "twins")

    return check


@dataclass(eq=False)
class Stand:
    """A plugin host made of fakes; each method adds a component, later ones replace the usual selector or scorer."""

    specs: dict[str, list[ComponentSpec]] = field(default_factory=dict)

    def image_checker(
        self, check: CheckImages, *, name: str = "looker", rules: Iterable[Rule] = (BAD, NOTE), **fields: Any
    ) -> Stand:
        spec = ImageCheckerSpec(name=name, factory=factory_of(Fake(check_images=check)), rules=tuple(rules), **fields)
        return self._add("agpis_image_checkers", spec)

    def pair_checker(
        self, check: CheckPairs, *, name: str = "matcher", rules: Iterable[Rule] = (TWIN,), **fields: Any
    ) -> Stand:
        spec = PairCheckerSpec(name=name, factory=factory_of(Fake(check_pairs=check)), rules=tuple(rules), **fields)
        return self._add("agpis_pair_checkers", spec)

    def sequence_checker(
        self, check: CheckSequences, *, name: str = "reader", rules: Iterable[Rule] = (DULL,), **fields: Any
    ) -> Stand:
        spec = SequenceCheckerSpec(
            name=name, factory=factory_of(Fake(check_sequences=check)), rules=tuple(rules), **fields
        )
        return self._add("agpis_sequence_checkers", spec)

    def scorer(self, check: CheckSequences, *, name: str = "steady", **fields: Any) -> Stand:
        return self.sequence_checker(check, name=name, gives_probability=True, **fields)

    def selector(self, score: ScorePrimary, *, name: str = "first", **fields: Any) -> Stand:
        spec = PrimarySelectorSpec(name=name, factory=factory_of(Fake(score_primary=score)), **fields)
        return self._add("agpis_primary_selectors", spec)

    def builder(self, build: Build, *, name: str, **fields: Any) -> Stand:
        return self._add(
            "agpis_sequence_builders", SequenceBuilderSpec(name=name, factory=factory_of(Fake(build=build)), **fields)
        )

    def backbone(self, features: Features, *, name: str = "plain", **fields: Any) -> Stand:
        fields.setdefault("provides", frozenset({"embedding"}))
        return self._add(
            "agpis_backbones", BackboneSpec(name=name, factory=factory_of(Fake(features=features)), **fields)
        )

    def host(self) -> PluginHost:
        """Return a host with these components, the built-in builders, and the usual ones where none was added."""
        if "agpis_primary_selectors" not in self.specs:
            self.selector(first_is_primary)
        if not any(getattr(spec, "gives_probability", False) for spec in self.specs.get("agpis_sequence_checkers", ())):
            self.scorer(always(0.8))
        if "agpis_backbones" not in self.specs:
            self.backbone(plain_features)
        host = PluginHost()
        for plugin, name in ((builders, "builders"), (self, "fakes")):
            status = host.add(plugin, name=name)
            assert status.state == "active", status.reason
        return host

    def pipeline(self, settings: Mapping[str, Any] | None = None) -> Pipeline:
        return Pipeline(configured(settings or {}), host=self.host())

    def run(self, products: Iterable[Mapping[str, Any]], settings: Mapping[str, Any] | None = None) -> list[Outcome]:
        """Run the products; `settings` are dotted keys."""
        return list(self.pipeline(settings).run(products))

    def run_one(self, product: Mapping[str, Any], settings: Mapping[str, Any] | None = None) -> Outcome:
        (outcome,) = self.run([product], settings)
        return outcome

    def _add(self, hook: str, spec: ComponentSpec) -> Stand:
        self.specs.setdefault(hook, []).append(spec)
        return self

    @hookimpl
    def agpis_image_checkers(self) -> Iterable[ComponentSpec]:
        return self.specs.get("agpis_image_checkers", [])

    @hookimpl
    def agpis_pair_checkers(self) -> Iterable[ComponentSpec]:
        return self.specs.get("agpis_pair_checkers", [])

    @hookimpl
    def agpis_sequence_checkers(self) -> Iterable[ComponentSpec]:
        return self.specs.get("agpis_sequence_checkers", [])

    @hookimpl
    def agpis_primary_selectors(self) -> Iterable[ComponentSpec]:
        return self.specs.get("agpis_primary_selectors", [])

    @hookimpl
    def agpis_sequence_builders(self) -> Iterable[ComponentSpec]:
        return self.specs.get("agpis_sequence_builders", [])

    @hookimpl
    def agpis_backbones(self) -> Iterable[ComponentSpec]:
        return self.specs.get("agpis_backbones", [])


def configured(settings: Mapping[str, Any]) -> Config:
    """Return a config of the fakes' names with dotted settings laid over."""
    nested: dict[str, Any] = {}
    for dotted, value in {**DEFAULTS, **settings}.items():
        *parents, last = dotted.split(".")
        table = nested
        for parent in parents:
            table = table.setdefault(parent, {})
        table[last] = value
    return Config.model_validate(nested)


def seeing(stand: Stand, **views: str) -> Stand:
    """Let images show the views named, the whole product each."""

    rule = Rule(code="TST103", name="seen", summary="It was seen.", category="single-image")

    def provide(images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        for image in images:
            shows = np.array([name == views[image.id] for name in VIEWS], dtype=np.float32)
            context.provide(image, "view", View(shows, whole=float(views[image.id] != "detail")))
        yield from ()

    return stand.image_checker(provide, name="seer", rules=(rule,), provides=frozenset({"view"}))


def product(gallery: Path, letters: str = "abc", product_id: str = "P1") -> dict[str, Any]:
    """Return a product of pictures of the gallery; "!" is the broken one."""
    names = ["broken" if letter == "!" else letter for letter in letters]
    return {"id": product_id, "images": [str(gallery / f"{name}.png") for name in names]}


def states(outcome: Outcome) -> dict[str, str]:
    return {image.id: image.state for image in outcome.images}


def codes(outcome: Outcome) -> list[str]:
    return [finding.code for finding in outcome.findings]
