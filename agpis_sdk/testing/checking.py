"""One rule on one picture, pair or sequence: pass, fail or skip."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.components import DecodedImage, ImageCheckerSpec, ImagePair, ImageSequence, PairCheckerSpec
from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ConfigError, ImageReadError
from agpis_sdk.media.decode import decode_image
from agpis_sdk.plugins import OwnedSpec, PluginHost
from agpis_sdk.records import CandidateImage, Finding, Product
from agpis_sdk.rules import Rule
from agpis_sdk.testing.component import ComponentUnderTest
from agpis_sdk.testing.hosts import host_of

Picture: TypeAlias = DecodedImage | NDArray[np.uint8] | bytes | Path
Subject: TypeAlias = Picture | Sequence[Picture]
Verdict = Literal["pass", "fail", "skip"]
HOOK_OF_CATEGORY = {
    "single-image": "agpis_image_checkers",
    "image-pair": "agpis_pair_checkers",
    "multi-image": "agpis_sequence_checkers",
}


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """What one rule says.

    "fail": a finding scores the threshold or more. "pass": none does. "skip": the rule was not asked, and `reason` says
    why. `findings` are all of the rule's findings, `score` is the highest of their scores, 0 where there is none.
    """

    rule: Rule
    verdict: Verdict
    score: float
    threshold: float
    findings: tuple[Finding, ...] = ()
    reason: str = ""

    def __str__(self) -> str:
        why = self.reason or f"score {self.score:.2f}, reported from {self.threshold:g}"
        return f"{self.rule.code} {self.rule.name}: {self.verdict} ({why})"


def check(
    rule: str,
    subject: Subject,
    *,
    config: Mapping[str, Any] | None = None,
    threshold: float | None = None,
    component: str = "",
    plugins: Sequence[object] = (),
) -> RuleResult:
    """Check one rule, given by code or name, on a picture, on two of them, or on a sequence, as its category asks.

    A picture is a `DecodedImage`, (height, width, 3) uint8 RGB pixels, a file's bytes or its path. `config` are the
    settings of the component that finds the rule; `threshold` takes the place of the rule's own. Without `plugins` the
    installed ones are asked; with them the built-in ones and these alone. `component` says which of several checkers is
    meant. What a component raises, this raises; a wrong number of pictures is a `ConfigError`.
    """
    host = host_of(tuple(plugins))
    found = host.rules[rule]
    checker = _component_for(host, found.code, component, json.dumps(dict(config or {}), sort_keys=True, default=str))
    limit = found.threshold if threshold is None else threshold
    try:
        images = _decoded(subject)
    except ImageReadError as error:
        return RuleResult(rule=found, verdict="skip", score=0.0, threshold=limit, reason=f"unreadable: {error.what}")
    findings = tuple(finding for finding in _findings(checker, found, images) if finding.code == found.code)
    score = max((finding.score for finding in findings), default=0.0)
    verdict: Verdict = "fail" if findings and score >= limit else "pass"
    return RuleResult(rule=found, verdict=verdict, score=score, threshold=limit, findings=findings)


@lru_cache(maxsize=32)
def _component_for(host: PluginHost, code: str, name: str, settings: str) -> ComponentUnderTest:
    """Return the component that finds a rule, kept for the next check: loading a model takes seconds."""
    rule = host.rules[code]
    known = _finders(host, rule)
    names = [owned.spec.name for owned in known]
    declaring = [owned.spec.name for owned in known if code in {one.code for one in owned.spec.rules}]
    wanted = name or (declaring[0] if declaring else "")
    third_party = [owned for owned in known if owned.plugin.distribution != "agpis-sdk"]
    chosen = [owned for owned in known if owned.spec.name == wanted]
    if not name and third_party:
        # Whoever tests a plugin that finds a built-in rule, too, means the plugin.
        chosen = third_party
    if len(chosen or known) != 1:
        raise ConfigError(
            f"is found by {', '.join(names) or 'no checker at hand'}",
            item=f"{code} {rule.name}",
            remedy='say which: component="…"' if names else "hand the plugin over: plugins=[…]",
        )
    return ComponentUnderTest(host, (chosen or known)[0], json.loads(settings))


def _finders(host: PluginHost, rule: Rule) -> list[OwnedSpec]:
    """Return who announces a rule: the checkers of its own category, else those of sequences."""
    for hook in (HOOK_OF_CATEGORY.get(rule.category), "agpis_sequence_checkers"):
        finders = [owned for name, owned in host.all_specs() if name == hook and owned.spec.raises(rule.code)]
        if finders:
            return finders
    return []


def _findings(component: ComponentUnderTest, rule: Rule, images: list[DecodedImage]) -> list[Finding]:
    if isinstance(component.spec, ImageCheckerSpec):
        _expect(rule, images, 1)
        return list(component.check_images(images))
    if isinstance(component.spec, PairCheckerSpec):
        _expect(rule, images, 2)
        return list(component.check_pairs([ImagePair(images[0], images[1])]))
    (verdict,) = component.check_sequences([sequence_of(images)])
    return list(verdict.findings)


def _expect(rule: Rule, images: Sequence[DecodedImage], count: int) -> None:
    if len(images) != count:
        pictures = "one picture" if count == 1 else "two pictures"
        raise ConfigError(f"is about {pictures}, got {len(images)}", item=f"{rule.code} {rule.name}")


def sequence_of(images: Sequence[DecodedImage], **fields: Any) -> ImageSequence:
    """Return images of one product as a sequence; `fields` are further fields of the product, such as `title`."""
    candidates = tuple(CandidateImage(id=image.id, uri=f"{image.id}.png") for image in images)
    product = Product.model_validate(
        {"id": images[0].product_id, "title": "Striped bag", "category": "Bags", "images": candidates, **fields}
    )
    return ImageSequence(product=product, images=tuple(images))


def _decoded(subject: Subject) -> list[DecodedImage]:
    """Decode the pictures of one product; ids that repeat are made unique by their position."""
    pictures = [subject] if isinstance(subject, DecodedImage | np.ndarray | bytes | Path) else list(subject)
    images: list[DecodedImage] = []
    for position, picture in enumerate(pictures):
        image = picture if isinstance(picture, DecodedImage) else _decode(picture, position)
        if image.id in {other.id for other in images}:
            image = replace(image, id=f"{image.id}-{position + 1}")
        images.append(image)
    return images


def _decode(picture: NDArray[np.uint8] | bytes | Path, position: int) -> DecodedImage:
    if isinstance(picture, Path):
        data, image_id = picture.read_bytes(), picture.stem
    elif isinstance(picture, bytes):
        data, image_id = picture, f"image-{position + 1}"
    else:
        data = bytes(cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1])
        image_id = f"image-{position + 1}"
    return decode_image(data, product_id="P1", image_id=image_id, position=position, limits=MediaSection())
