"""What the plugin announces. Light: this file is imported by every `agpis` command, `checker.py` only by a run."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk import ImageCheckerSpec, hookimpl

from agpis_shiny.config import ShinyConfig
from agpis_shiny.rules import GRAY_PICTURE


@hookimpl
def agpis_image_checkers() -> Iterable[ImageCheckerSpec]:
    """Announce the check for colorless pictures."""
    yield ImageCheckerSpec(
        name="shiny",
        factory="agpis_shiny.checker:ShinyChecker",
        rules=(GRAY_PICTURE,),
        config=ShinyConfig,
    )
