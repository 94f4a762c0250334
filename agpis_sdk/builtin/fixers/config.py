"""Settings of the fixers."""

from __future__ import annotations

from pydantic import Field

from agpis_sdk.components import ComponentConfig


class CropToProductConfig(ComponentConfig):
    """How close the product is cropped, and how small the copy may become."""

    fill: float = Field(default=0.8, gt=0, le=1, description="Share of the picture's side that the product shall fill.")
    min_side: int = Field(default=500, ge=1, description="Shorter side in pixels below which nothing is cropped.")
