"""Any backbone from timm by name, and the reference of the default one's graph."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from timm.data import resolve_model_data_config
from timm.models import load_checkpoint

from agpis_sdk.builtin.backbones.config import TimmConfig
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
        self.model = model.to(self._device).to(memory_format=torch.channels_last)

    def forward(self, batch: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Run the model once."""
        return features_of(self.model, batch)


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


class Lite0(torch.nn.Module):
    """EfficientNet-lite0 from pixels (B, 3, 224, 224) to the facts (embedding, stride32, stride16, stride8)."""

    def __init__(self) -> None:
        super().__init__()
        # num_classes=0 leaves out the classifier, which no fact needs.
        self.model = timm.create_model("tf_efficientnet_lite0", num_classes=0)

    def forward(self, batch: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the four facts of a batch."""
        return tuple(features_of(self.model, batch).values())


def lite0_of(tensors: Mapping[str, NDArray[np.float32]]) -> Lite0:
    """Return EfficientNet-lite0 in torch with weights by timm's names."""
    module = Lite0()
    module.model.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in tensors.items()}, strict=False)
    return module


def features_of(model: torch.nn.Module, batch: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return the facts of a batch: `stride32` is the last map, the others are the last of stride at most 16 and 8."""
    final, maps = model.forward_intermediates(batch)  # type: ignore[operator]
    side = batch.shape[-1]
    return {
        "embedding": model.forward_head(final, pre_logits=True),  # type: ignore[operator]
        "stride32": maps[-1],
        "stride16": _last_of_stride(maps, side, 16),
        "stride8": _last_of_stride(maps, side, 8),
    }


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
