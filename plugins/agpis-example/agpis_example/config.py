"""The plugin's settings, as they stand in agpis.toml under [components.gray-picture] and so on, by component."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from agpis_sdk import ComponentConfig


class GrayPictureConfig(ComponentConfig):
    """Settings of the check for colorless pictures."""

    max_saturation: float = Field(default=0.06, gt=0, le=1, description="Saturation up to which a picture is gray.")


class ShapeMismatchConfig(ComponentConfig):
    """Settings of the check for pairs of different shapes."""

    max_difference: float = Field(
        default=1.8, gt=1, description="How many times wider one shape may be than the other."
    )


class ColorGridConfig(ComponentConfig):
    """Settings of the backbone that knows which color is where."""

    input_size: int = Field(default=224, ge=28, description="Side of the square that `preprocess` gives.")


class MostColorfulConfig(ComponentConfig):
    """Settings of the selector."""

    weights: Path | None = Field(default=None, description="A file of `agpis train most-colorful`.")


class MostColorfulTrainingConfig(ComponentConfig):
    """Options of `agpis train most-colorful`."""

    steps: int = Field(default=11, ge=2, description="How many exponents from 0 to 2 are tried.")
