"""Announces the shiny-spot checker; imports nothing heavy."""

from collections.abc import Iterable

from pydantic import Field

from agpis_sdk import ComponentConfig, ImageCheckerSpec, Rule, hookimpl

SHINY_SPOT = Rule(
    code="SHY101",
    name="shiny-spot",
    summary="A highlight hides part of the product.",
    category="single-image",
    severity="warning",
    explanation="# SHY101 shiny-spot\n\nFires when a large part of the picture's middle is pure white.",
)


class ShinyConfig(ComponentConfig):
    """Settings of the shiny-spot checker."""

    max_share: float = Field(default=0.2, gt=0, le=1, description="Share of pure white at which the score is 1.")


@hookimpl
def agpis_image_checkers() -> Iterable[ImageCheckerSpec]:
    """Announce the checker; its class is imported only when a run needs it."""
    yield ImageCheckerSpec(
        name="shiny", factory="agpis_shiny.checker:ShinyChecker", rules=(SHINY_SPOT,), config=ShinyConfig
    )
