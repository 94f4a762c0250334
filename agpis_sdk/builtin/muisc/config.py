"""Settings of the MUIsC scorer."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from agpis_sdk.components import ComponentConfig


class MuiscScorerConfig(ComponentConfig):
    """Settings of the MUIsC scorer."""

    model: Path | None = Field(default=None, description="A folder of `agpis train muisc`; the shipped one when unset.")
    feedback_tokens: int = Field(default=32, ge=0, description="Longest feedback; 0 writes none.")
