"""What the plugin announces. Light: this file is imported by every `agpis` command, the others only by a run."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_example.config import (
    ColorGridConfig,
    GrayPictureConfig,
    MostColorfulConfig,
    MostColorfulTrainingConfig,
    ShapeMismatchConfig,
)
from agpis_example.rules import GRAY_LEADS, GRAY_PICTURE, SHAPE_MISMATCH
from agpis_sdk import (
    BackboneSpec,
    ImageCheckerSpec,
    PairCheckerSpec,
    PrimarySelectorSpec,
    SequenceBuilderSpec,
    SequenceCheckerSpec,
    hookimpl,
)


@hookimpl
def agpis_image_checkers() -> Iterable[ImageCheckerSpec]:
    """Announce the check for colorless pictures."""
    yield ImageCheckerSpec(
        name="gray-picture",
        factory="agpis_example.checker:GrayPictureChecker",
        rules=(GRAY_PICTURE,),
        config=GrayPictureConfig,
        cacheable=True,
    )


@hookimpl
def agpis_pair_checkers() -> Iterable[PairCheckerSpec]:
    """Announce the check for pairs of different shapes."""
    yield PairCheckerSpec(
        name="shape-mismatch",
        factory="agpis_example.checker:ShapeMismatchChecker",
        rules=(SHAPE_MISMATCH,),
        config=ShapeMismatchConfig,
        cacheable=True,
    )


@hookimpl
def agpis_sequence_checkers() -> Iterable[SequenceCheckerSpec]:
    """Announce the check for sequences that begin without color; it always runs, as it is no scorer."""
    yield SequenceCheckerSpec(
        name="gray-leads",
        factory="agpis_example.sequence:GrayLeadsChecker",
        rules=(GRAY_LEADS,),
        config=GrayPictureConfig,
        cacheable=True,
    )


# Of selectors, builders and backbones one is chosen by name in the settings; announcing another changes nothing.


@hookimpl
def agpis_primary_selectors() -> Iterable[PrimarySelectorSpec]:
    """Announce the selector of the strongest color."""
    yield PrimarySelectorSpec(
        name="most-colorful",
        factory="agpis_example.selector:MostColorfulSelector",
        config=MostColorfulConfig,
        trainer="agpis_example.training:train",
        trainer_config=MostColorfulTrainingConfig,
        evaluator="agpis_example.training:evaluate",
        cacheable=True,
    )


@hookimpl
def agpis_sequence_builders() -> Iterable[SequenceBuilderSpec]:
    """Announce the builder of galleries of one shape."""
    yield SequenceBuilderSpec(name="alike-shapes", factory="agpis_example.builder:AlikeShapesBuilder", cacheable=True)


@hookimpl
def agpis_backbones() -> Iterable[BackboneSpec]:
    """Announce the backbone that needs no weights."""
    yield BackboneSpec(
        name="color-grid",
        factory="agpis_example.backbone:ColorGridBackbone",
        config=ColorGridConfig,
        provides=frozenset({"embedding", "stride32", "stride16", "stride8"}),
        cacheable=True,
    )
