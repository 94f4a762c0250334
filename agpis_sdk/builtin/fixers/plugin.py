"""Announces what mends a picture without inventing pixels: crops, and white around it."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.builtin.fixers.config import CropToProductConfig
from agpis_sdk.components import FixerSpec
from agpis_sdk.hookspecs import hookimpl


@hookimpl
def agpis_fixers() -> Iterable[FixerSpec]:
    """Announce the fixers that `agpis fix` uses, in the order of their names."""
    yield FixerSpec(name="crop-border", fixes=("AGP111",), factory="agpis_sdk.builtin.fixers.fixers:CropBorder")
    yield FixerSpec(
        name="crop-to-product",
        fixes=("AGP116", "AGP118"),
        factory="agpis_sdk.builtin.fixers.fixers:CropToProduct",
        config=CropToProductConfig,
    )
    yield FixerSpec(name="pad-to-square", fixes=("AGP102",), factory="agpis_sdk.builtin.fixers.fixers:PadToSquare")
