"""Settings of the built-in backbones."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from agpis_sdk.components import ComponentConfig


class EfficientNetLite0Config(ComponentConfig):
    """Settings of the default backbone, whose weights ship with this package."""

    batch_size: int = Field(default=8, ge=1, description="Images per forward pass; every pass has exactly this shape.")


class OnnxConfig(ComponentConfig):
    """Settings of a backbone as an ONNX file."""

    file: Path | None = Field(default=None, description="A file of `agpis models export`.")


class TimmConfig(EfficientNetLite0Config):
    """Settings of a backbone from timm."""

    model: str = Field(default="resnet18", description="A timm model name.")
    checkpoint: Path | None = Field(default=None, description="A local checkpoint file, or a folder that holds one.")
    pretrained: bool = Field(default=False, description="Fetch timm's pretrained weights (needs a network).")
    input_size: int | None = Field(default=None, ge=32, description="Side of the input; the model's own when unset.")


class TransformersConfig(EfficientNetLite0Config):
    """Settings of a backbone from transformers."""

    model: str = Field(default="", description="A local folder, or a model id on a hub.")
    local_files_only: bool = Field(default=False, description="Never ask a hub.")
    input_size: int | None = Field(default=None, ge=32, description="Side of the input; the model's own when unset.")
