"""Whether a model's answers depend on which rules stand in one request, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from agpis_sdk.batches import batches
from agpis_sdk.config import Config
from agpis_sdk.datasets.photos import load_photo
from agpis_sdk.errors import ConfigError, ImageReadError
from agpis_sdk.images import DecodedImage
from agpis_sdk.media.products import CheckedProducts
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Product
from agpis_vlm.config import SentenceRule, VlmConfig
from agpis_vlm.judge import Judge
from agpis_vlm.questions import Question, groups_of

AT_A_TIME = 8

Scores = Mapping[tuple[int, str], float]
"""Scores by the place of an image and a rule's code."""


@dataclass(frozen=True)
class Change:
    """How many of some verdicts are on the other side of their rule's threshold, and how far the scores moved at most."""

    verdicts: int
    changed: int
    largest: float

    @property
    def share(self) -> float:
        """The share of verdicts that changed."""
        return self.changed / max(self.verdicts, 1)


def compare_orders(host: PluginHost, config: Config, products: CheckedProducts, together: int) -> dict[str, Change]:
    """Compare what is answered to rules asked together, in both orders, with what is answered to each alone.

    Raises `ConfigError` where fewer than two rules of images ask the model.
    """
    settings = cast("VlmConfig", host.settings_of(host.component("vlm"), config.components))
    rules = settings.rules_for("image")
    if len(rules) < 2:
        raise ConfigError("needs two rules that ask the model about an image", item="agpis-vlm order")
    judge = Judge(settings)
    images = list(_images(products, config))
    alone = _scores(judge, images, groups_of(rules, 1))
    groups = groups_of(rules, together)
    return {
        name: change(alone, _scores(judge, images, asked), rules)
        for name, asked in (("together", groups), ("in reverse", [_reversed(group) for group in groups]))
    }


def change(before: Scores, after: Scores, rules: Mapping[str, SentenceRule]) -> Change:
    """Return what changed among the verdicts that both have."""
    both = sorted(before.keys() & after.keys())
    sides = [(before[key] >= rules[key[1]].threshold) != (after[key] >= rules[key[1]].threshold) for key in both]
    return Change(len(both), sum(sides), max((abs(before[key] - after[key]) for key in both), default=0.0))


def _images(products: CheckedProducts, config: Config) -> Iterable[DecodedImage]:
    for product in (record for record in products if isinstance(record, Product)):
        for image in product.images:
            try:
                yield load_photo(product, image, config.media)
            except ImageReadError:
                continue


def _reversed(group: Mapping[str, SentenceRule]) -> dict[str, SentenceRule]:
    return dict(reversed(list(group.items())))


def _scores(judge: Judge, images: list[DecodedImage], groups: list[dict[str, SentenceRule]]) -> Scores:
    questions = [(place, Question((image,), group)) for place, image in enumerate(images) for group in groups]
    asked = [question for _, question in questions]
    judged = [judgment for chunk in batches(asked, AT_A_TIME) for judgment in judge.judge(chunk)]
    return {
        (place, code): verdict.score
        for (place, _), judgment in zip(questions, judged, strict=True)
        for code, verdict in judgment.verdicts.items()
    }
