"""Settings of the components that find the product in a picture."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from agpis_sdk.components import ComponentConfig


class ForegroundConfig(ComponentConfig):
    """Settings of the component `foreground`."""

    weights: Path | None = Field(
        default=None, description="A file of `agpis train foreground`; the shipped one when unset."
    )


class ForegroundTrainingConfig(ComponentConfig):
    """Options of `agpis train foreground`."""

    teacher: Path | None = Field(
        default=None,
        description="An ONNX file with U²-Net's input and output; the shipped head on its own backbone when unset.",
    )
    epochs: int = Field(default=12, ge=1, description="Passes over the train split.")
