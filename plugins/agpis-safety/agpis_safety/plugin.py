"""What the plugin announces. Light: this file is imported by every `agpis` command, the checkers only by a run."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_safety.config import NudityConfig, SkinConfig
from agpis_safety.rules import MUCH_SKIN, NUDITY
from agpis_sdk import ImageCheckerSpec, hookimpl


@hookimpl
def agpis_image_checkers() -> Iterable[ImageCheckerSpec]:
    """Announce the check for nudity, and the one for bare skin, which says nothing until it has a limit."""
    yield ImageCheckerSpec(
        name="nudity",
        factory="agpis_safety.nudity:NudityChecker",
        rules=(NUDITY,),
        config=NudityConfig,
        provides=frozenset({"safety.nsfw"}),
        batch_size=8,
        cacheable=True,
        reads_product=True,
    )
    yield ImageCheckerSpec(
        name="skin",
        factory="agpis_safety.skin:SkinChecker",
        rules=(MUCH_SKIN,),
        config=SkinConfig,
        requires=frozenset({"foreground"}),
        provides=frozenset({"safety.skin"}),
        cacheable=True,
        reads_product=True,
    )
