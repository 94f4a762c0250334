"""Settings of the built-in sequence builders."""

from __future__ import annotations

from pydantic import Field

from agpis_sdk.components import ComponentConfig


class SearchBuilderConfig(ComponentConfig):
    """Settings of the builder `search`."""

    exhaustive_up_to: int = Field(default=60, ge=1, description="Score all sequences of a product up to this many.")
    beam_width: int = Field(default=8, ge=1, description="Beginnings kept per step where there are more.")
    one_color: bool = Field(default=True, description="Prefer images on which the product has the same colors.")
    shorten: bool = Field(
        default=True,
        description="Leave out, down to sequence.min_length, images that more likely than not show another color.",
    )
    alternative_weight: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="What a sequence counts that begins with an image only about as good as the primary one; 0: never.",
    )
