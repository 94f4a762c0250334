"""Announces the components that find the product in a picture."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.builtin.foreground.config import ForegroundConfig, ForegroundTrainingConfig
from agpis_sdk.components import ImageCheckerSpec
from agpis_sdk.hookspecs import hookimpl


@hookimpl
def agpis_image_checkers() -> Iterable[ImageCheckerSpec]:
    """Announce the background, which needs no model, and the foreground of any picture."""
    yield ImageCheckerSpec(
        name="background",
        factory="agpis_sdk.builtin.foreground.background_estimator:BackgroundEstimator",
        provides=frozenset({"background", "plain_foreground"}),
        cacheable=True,
    )
    yield ImageCheckerSpec(
        name="foreground",
        factory="agpis_sdk.builtin.foreground.foreground_estimator:ForegroundEstimator",
        config=ForegroundConfig,
        requires=frozenset({"stride32", "stride16", "stride8", "background", "plain_foreground"}),
        provides=frozenset({"foreground", "color_histogram", "product_embedding", "composition"}),
        trainer="agpis_sdk.training.foreground:train",
        trainer_config=ForegroundTrainingConfig,
        cacheable=True,
    )
