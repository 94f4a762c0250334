"""Settings of the non-compliance checker."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from agpis_sdk.components import ComponentConfig


class NoncomplianceTrainingConfig(ComponentConfig):
    """Options of `agpis train noncompliance`."""

    epochs: int = Field(default=10, ge=1, description="Passes over the train split.")
    adapt: Path | None = Field(
        default=None,
        description="A folder or file of `agpis train noncompliance` to go on from; a new head when unset.",
    )


class NoncomplianceConfig(ComponentConfig):
    """Settings of the non-compliance checker."""

    weights: Path | None = Field(
        default=None, description="A file of `agpis train noncompliance`; the shipped one when unset."
    )
    kind_share: float = Field(
        default=0.4, ge=0, le=1, description="A kind is named from this probability on; below it the code is AGP128."
    )
