"""The settings of the reporters."""

from __future__ import annotations

from pydantic import Field

from agpis_sdk.components import ComponentConfig


class HtmlConfig(ComponentConfig):
    """Settings of the HTML report."""

    max_products: int = Field(2000, ge=1, description="Products with a card; further ones are only counted.")
