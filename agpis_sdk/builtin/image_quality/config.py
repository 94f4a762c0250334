"""Settings of the classical image measures: the limit of each, at which its score is 0.5."""

from __future__ import annotations

from pydantic import Field

from agpis_sdk.components import ComponentConfig


class ImageQualityConfig(ComponentConfig):
    """Limits of the single-image measures."""

    min_side: int = Field(default=200, ge=1, description="Shorter side in original pixels below which AGP101 speaks.")
    max_aspect_ratio: float = Field(default=3.0, gt=1, description="Longer by shorter side above which AGP102 speaks.")
    min_sharpness: float = Field(
        default=0.16, gt=0, lt=1, description="Steepest step of an edge by the edge's height (AGP103)."
    )
    min_jpeg_quality: int = Field(default=40, ge=1, le=100, description="JPEG quality below which AGP107 speaks.")
    max_blocks: float = Field(
        default=0.65, gt=0, le=1, description="Share of lone steps that gather on JPEG's 8-pixel grid (AGP107)."
    )
    max_detail_decay: float = Field(
        default=5.0, gt=0, description="Exponent at which detail fades with frequency; photos have 2 to 4 (AGP110)."
    )
    max_clipped: float = Field(default=0.6, gt=0, le=1, description="Share of the product that is clipped (AGP104).")
    min_brightness: float = Field(default=0.12, ge=0, le=1, description="Mean luma of the picture for AGP105.")
    min_contrast: float = Field(default=0.2, ge=0, le=1, description="1 % to 99 % luma spread for AGP106.")
    max_background_noise: float = Field(default=0.5, gt=0, le=1, description="Busy share of the border ring (AGP115).")
    min_fill: float = Field(default=0.12, ge=0, le=1, description="Product box by picture area for AGP116.")
    max_cut: float = Field(
        default=0.35, gt=0, le=1, description="Share of the product's height that a side of the picture cuts (AGP117)."
    )
    max_offset: float = Field(
        default=0.2, gt=0, le=1, description="Product center to picture center, by side (AGP118)."
    )


class ExactCopiesConfig(ComponentConfig):
    """The exact-copy checker has nothing to set."""
