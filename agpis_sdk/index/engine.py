"""The components that an index needs, behind the pipeline's guard: the backbone, and the checkers that know a repeat."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.components import AttributedFinding, DecodedImage, ImagePair
from agpis_sdk.config import Config
from agpis_sdk.errors import ConfigError
from agpis_sdk.index.store import BackboneIdentity
from agpis_sdk.media.decode import as_image
from agpis_sdk.pipeline.backbone import compute_features
from agpis_sdk.pipeline.findings import accept_finding, pairs_known
from agpis_sdk.pipeline.guard import Component
from agpis_sdk.pipeline.plan import Plan, check_rule_names, thresholds
from agpis_sdk.pipeline.run import assemble
from agpis_sdk.plugins import OwnedSpec, PluginHost
from agpis_sdk.records import Product

SURE = 1.0  # a pair of this score is shown to no further checker


@dataclass
class Judgment:
    """The checkers' results by pair number: the finding of the highest score, or the reason why there is none."""

    findings: dict[int, AttributedFinding] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)


class IndexEngine:
    """Embeds pictures, and checks whether two show the same.

    Raises `ConfigError` where no checker can raise one of `index.rules`, or one needs a fact that no backbone gives.
    """

    def __init__(self, config: Config, host: PluginHost) -> None:
        check_rule_names(host.rules, config)
        host.check_component_tables(config.components)
        self.config = config
        self.rules = host.rules
        owned = host.named("agpis_backbones", config.backbone.name, setting="backbone.name")
        limits = thresholds(host.rules, config)
        codes = [host.rules[key].code for key in config.index.rules]
        self._limits = {code: limits[code] for code in codes if code in limits}
        checkers = _checkers(host, list(self._limits))
        _refuse_missing_facts(checkers, owned)
        plan = Plan(image_checkers=(), pair_checkers=tuple(checkers), sequence_checkers=(), backbone=owned)
        self._run = assemble(host, config, plan)
        assert self._run.backbone is not None  # noqa: S101 - the plan names it
        self._backbone = self._run.backbone

    def identity(self) -> BackboneIdentity:
        """Return the identity of the backbone; raises `ConfigError` where it gives no embedding."""
        (row,) = self.embed([as_image(probe_drawing())])
        if isinstance(row, str):
            raise ConfigError(row, item=f'backbone.name = "{self.config.backbone.name}"')
        return BackboneIdentity(self.config.backbone.name, row)

    def embed(self, images: Sequence[DecodedImage]) -> list[NDArray[np.float32] | str]:
        """Return for each image its unit row (channels,), or the reason why there is none.

        A row is the mean of the embeddings of the picture and of its mirror image, so that a flipped copy is at the
        same spot and one search finds both.
        """
        named = [replace(image, product_id=str(number), id="upright") for number, image in enumerate(images)]
        mirrored = [replace(image, id="mirrored", pixels=_flipped(image.pixels)) for image in named]
        self._run.context.open_batch(())
        failures = compute_features(self._backbone, [*named, *mirrored], self._run.context, self._run.guard)
        reasons = {failure.item.product_id: failure.reason for failure in failures}
        return [
            reasons[one.product_id] if one.product_id in reasons else self._row(one, other)
            for one, other in zip(named, mirrored, strict=True)
        ]

    def judge(self, pairs: Sequence[ImagePair], products: Iterable[Product]) -> Judgment:
        """Show pairs to the checkers; `products` are those that their images belong to."""
        self._run.context.open_batch(products)
        images = {image.key: image for pair in pairs for image in (pair.first, pair.second)}
        failures = compute_features(self._backbone, list(images.values()), self._run.context, self._run.guard)
        unseen = {failure.item.key: failure.reason for failure in failures}
        judgment = Judgment()
        for number, pair in enumerate(pairs):
            for image in (pair.first, pair.second):
                if image.key in unseen:
                    judgment.failures[number] = unseen[image.key]
        for checker in self._run.pair_checkers:
            self._check(checker, pairs, judgment)
        return judgment

    def _check(self, checker: Component, pairs: Sequence[ImagePair], judgment: Judgment) -> None:
        """Keep the surest finding of each pair; one that is settled, or lacks facts, is not shown."""
        shown = {
            id(pair): number
            for number, pair in enumerate(pairs)
            if number not in judgment.failures
            and (number not in judgment.findings or judgment.findings[number].score < SURE)
        }
        found, failures = self._run.guard.call(
            checker,
            [pair for pair in pairs if id(pair) in shown],
            lambda chunk, context: checker.instance.check_pairs(chunk, context),
            lambda chunk, result: accept_finding(checker, pairs_known(chunk), result, self.rules),
        )
        numbers = {_names(pair): shown[id(pair)] for pair in pairs if id(pair) in shown}
        for finding in found:
            number = numbers[frozenset(finding.images)]
            known = judgment.findings.get(number)
            if finding.score >= self._limits.get(finding.code, 2.0) and (known is None or finding.score > known.score):
                judgment.findings[number] = finding
        for failure in failures:
            judgment.failures[shown[id(failure.item)]] = failure.reason

    def _row(self, one: DecodedImage, other: DecodedImage) -> NDArray[np.float32] | str:
        row = unit(unit(self._run.context.fact(one, "embedding")) + unit(self._run.context.fact(other, "embedding")))
        return row if np.isfinite(row).all() else f"{self._backbone.label} gave an embedding without a direction"


def unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a vector (channels,) at length 1; not a number where it has no direction."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def probe_drawing() -> NDArray[np.uint8]:
    """Return the drawing (224, 224, 3) by whose embedding a backbone is known: ramps, curves and checks."""
    y, x = np.mgrid[:224, :224]
    return np.stack([x + y, x * y // 32, ((x // 16) ^ (y // 16)) * 16], axis=-1).astype(np.uint8)


def _checkers(host: PluginHost, codes: Sequence[str]) -> list[OwnedSpec]:
    """Return the pair checkers that can raise one of some rules, in the order of the rules."""
    specs = host.specs("agpis_pair_checkers").values()
    chosen: dict[str, OwnedSpec] = {}
    for code in codes:
        chosen |= {owned.spec.name: owned for owned in specs if owned.spec.raises(code)}
    if not chosen:
        raise ConfigError(
            "no pair checker can raise any of these rules, so nothing can be called a repeat",
            item="index.rules",
            remedy='for example index.rules = ["exact-copy", "duplicate-content"]',
        )
    return list(chosen.values())


def _refuse_missing_facts(checkers: Iterable[OwnedSpec], backbone: OwnedSpec) -> None:
    wanted = [(checker.spec.name, fact) for checker in checkers for fact in sorted(checker.spec.requires)]
    for name, fact in [("agpis index", "embedding"), *wanted]:
        if fact not in backbone.spec.provides:
            raise ConfigError(f'requires fact "{fact}", which backbone "{backbone.spec.name}" does not give', item=name)


def _names(pair: ImagePair) -> frozenset[str]:
    return frozenset([pair.first.id, pair.second.id])


def _flipped(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(pixels[:, ::-1])
