"""Announces the built-in backbones."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.builtin.backbones.config import EfficientNetLite0Config, OnnxConfig, TimmConfig, TransformersConfig
from agpis_sdk.components import BackboneSpec
from agpis_sdk.hookspecs import hookimpl

FACTS = frozenset({"embedding", "stride32", "stride16", "stride8"})


@hookimpl
def agpis_backbones() -> Iterable[BackboneSpec]:
    """Announce the default backbone and the loaders for any timm or transformers image model."""
    yield BackboneSpec(
        name="efficientnet-lite0",
        factory="agpis_sdk.builtin.backbones.efficientnet_lite0:EfficientNetLite0",
        config=EfficientNetLite0Config,
        provides=FACTS,
        cacheable=True,
    )
    yield BackboneSpec(
        name="onnx",
        factory="agpis_sdk.builtin.backbones.onnx_backbone:OnnxBackbone",
        config=OnnxConfig,
        provides=FACTS,
        cacheable=True,
    )
    yield BackboneSpec(
        name="timm",
        factory="agpis_sdk.builtin.backbones.timm_backbone:TimmBackbone",
        config=TimmConfig,
        provides=FACTS,
    )
    yield BackboneSpec(
        name="transformers",
        factory="agpis_sdk.builtin.backbones.transformers_backbone:TransformersBackbone",
        config=TransformersConfig,
        provides=FACTS,
    )
