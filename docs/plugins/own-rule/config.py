"""The plugin's settings, as they stand in agpis.toml under [components.shiny]."""

from __future__ import annotations

from agpis_sdk import ComponentConfig
from pydantic import Field


class ShinyConfig(ComponentConfig):
    """Settings of the check for colorless pictures."""

    max_saturation: float = Field(default=0.06, gt=0, le=1, description="Saturation at which the score is 0.5.")
