"""Settings of the view estimator."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from agpis_sdk.components import ComponentConfig


class ViewConfig(ComponentConfig):
    """Settings of the component `view`."""

    weights: Path | None = Field(default=None, description="A file of `agpis train view`; the shipped one when unset.")
