"""Announces the view estimator."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.builtin.view.config import ViewConfig
from agpis_sdk.components import ImageCheckerSpec
from agpis_sdk.hookspecs import hookimpl


@hookimpl
def agpis_image_checkers() -> Iterable[ImageCheckerSpec]:
    """Announce the component that says what an image shows: the front, the back, a detail, the product in use."""
    yield ImageCheckerSpec(
        name="view",
        factory="agpis_sdk.builtin.view.estimator:ViewEstimator",
        config=ViewConfig,
        requires=frozenset({"composition", "embedding"}),
        provides=frozenset({"view"}),
        batch_size=256,
        trainer="agpis_sdk.training.view:train",
        evaluator="agpis_sdk.training.view:evaluate",
        cacheable=True,
        reads_product=True,
    )
