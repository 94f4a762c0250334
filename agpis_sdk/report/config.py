"""The settings of the reporters."""

from __future__ import annotations

from pydantic import Field

from agpis_sdk.components import ComponentConfig


class HtmlConfig(ComponentConfig):
    """Settings of the HTML report."""

    max_products: int = Field(10_000, ge=1, description="Products with a card; further ones are only counted.")
    large_pictures: int = Field(
        500,
        ge=0,
        description="Products whose pictures are kept at 480 px; those of further ones are kept at 240 or 120 px.",
    )
