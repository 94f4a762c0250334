"""What the plugin announces. Light: this file is imported by every `agpis` command, `checker.py` only by a run."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_example.config import GrayPictureConfig, ShapeMismatchConfig
from agpis_example.rules import GRAY_PICTURE, SHAPE_MISMATCH
from agpis_sdk import ImageCheckerSpec, PairCheckerSpec, hookimpl


@hookimpl
def agpis_image_checkers() -> Iterable[ImageCheckerSpec]:
    """Announce the check for colourless pictures."""
    yield ImageCheckerSpec(
        name="gray-picture",
        factory="agpis_example.checker:GrayPictureChecker",
        rules=(GRAY_PICTURE,),
        config=GrayPictureConfig,
    )


@hookimpl
def agpis_pair_checkers() -> Iterable[PairCheckerSpec]:
    """Announce the check for pairs of different shapes."""
    yield PairCheckerSpec(
        name="shape-mismatch",
        factory="agpis_example.checker:ShapeMismatchChecker",
        rules=(SHAPE_MISMATCH,),
        config=ShapeMismatchConfig,
    )
