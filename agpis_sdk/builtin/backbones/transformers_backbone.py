"""Backbones from transformers: any image model that gives patch tokens or a feature map."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping

import torch
from transformers import AutoImageProcessor, AutoModel

from agpis_sdk.builtin.backbones.config import TransformersConfig
from agpis_sdk.builtin.backbones.torch_backbone import TorchBackbone
from agpis_sdk.builtin.weights import refuse_non_finite
from agpis_sdk.errors import ConfigError, WeightsError

UNUSED = "pooler."  # many checkpoints lack it, and the features are taken before it


class TransformersBackbone(TorchBackbone):
    """A transformers image model, loaded with `AutoModel` from a local folder or a hub."""

    def __init__(self, config: TransformersConfig, device: str = "cpu") -> None:
        if not config.model:
            raise ConfigError(
                "no model is named", item="components.transformers.model", remedy="name a local folder or a hub id"
            )
        try:
            # No code and no pickle of whoever wrote the folder is run.
            processor = AutoImageProcessor.from_pretrained(
                config.model, local_files_only=config.local_files_only, trust_remote_code=False
            )
            model, report = AutoModel.from_pretrained(
                config.model,
                local_files_only=config.local_files_only,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
            )
        except Exception as error:
            # A folder that is incomplete, damaged or of another kind raises errors of many kinds and lines.
            raise WeightsError(
                textwrap.shorten(f"{type(error).__name__}: {error}", 300),
                item=config.model,
                remedy="is the folder complete?",
            ) from error
        missing = sorted(name for name in report["missing_keys"] if not name.startswith(UNUSED))
        if missing:
            raise WeightsError(f"has no {', '.join(missing[:3])}", item=config.model, remedy="is the folder complete?")
        refuse_non_finite(model, config.model)
        super().__init__(
            input_size=config.input_size or _side(processor.size),
            mean=processor.image_mean,
            std=processor.image_std,
            batch_size=config.batch_size,
            device=device,
        )
        self.model = model.eval().requires_grad_(False).to(self._device)

    def forward(self, batch: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Run the model once; patch tokens (B, 1 + h*w, C) are folded back into a map (B, C, h, w)."""
        output = self.model(pixel_values=batch)
        hidden = output.last_hidden_state
        if hidden.ndim == 3:
            patches = hidden[:, hidden.shape[1] - math.isqrt(hidden.shape[1]) ** 2 :]  # (B, h*w, C)
            side = math.isqrt(patches.shape[1])
            pooled = hidden[:, 0] if patches.shape[1] < hidden.shape[1] else hidden.mean(1)
            grid = patches.transpose(1, 2).reshape(hidden.shape[0], -1, side, side)  # (B, C, h, w)
        else:
            grid, pooled = hidden, hidden.mean((2, 3))
        return {"embedding": pooled, "stride32": grid, "stride16": grid, "stride8": grid}


def _side(size: Mapping[str, int]) -> int:
    return int(size.get("height") or size.get("shortest_edge") or 224)
