"""Announces the classical measures of single images, and the check for exact copies."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.builtin.image_quality.config import ExactCopiesConfig, ImageQualityConfig
from agpis_sdk.builtin.image_quality.rules import RULES
from agpis_sdk.components import ImageCheckerSpec, PairCheckerSpec
from agpis_sdk.hookspecs import hookimpl


@hookimpl
def agpis_image_checkers() -> Iterable[ImageCheckerSpec]:
    """Announce the measures of single images."""
    yield ImageCheckerSpec(
        name="image-quality",
        aliases=("measures",),
        factory="agpis_sdk.builtin.image_quality.checker:ImageQualityChecker",
        rules=tuple(rule for rule in RULES if rule.category == "single-image"),
        config=ImageQualityConfig,
        requires=frozenset({"background", "plain_foreground"}),
        cacheable=True,
    )


@hookimpl
def agpis_pair_checkers() -> Iterable[PairCheckerSpec]:
    """Announce the check for exact copies."""
    yield PairCheckerSpec(
        name="exact-copies",
        factory="agpis_sdk.builtin.image_quality.exact_copies:ExactCopiesChecker",
        rules=tuple(rule for rule in RULES if rule.category == "image-pair"),
        config=ExactCopiesConfig,
        batch_size=256,
        cacheable=True,
    )
