"""Settings of the primary selectors."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from agpis_sdk.components import ComponentConfig


class PrimaryTrainingConfig(ComponentConfig):
    """Options of `agpis train primary`."""

    adapt: Path | None = Field(
        default=None, description="A folder or file of `agpis train primary` to go on from; a new head when unset."
    )


class LearnedPrimaryConfig(ComponentConfig):
    """Settings of the learned primary selector."""

    weights: Path | None = Field(
        default=None, description="A file of `agpis train primary`; the shipped one when unset."
    )
