"""Image towers that are part of the model: any timm or transformers model with patch tokens (paper section 3.4.1)."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path

from torch import Tensor, nn

from agpis_sdk.errors import ConfigError, WeightsError


class TimmTower(nn.Module):
    """A timm model; its own weights are loaded by `checkpoint`, else they are initial."""

    def __init__(self, name: str, size: int, checkpoint: Path | None = None) -> None:
        super().__init__()
        import timm
        from timm.models import load_checkpoint

        if not timm.is_model(name):
            raise ConfigError("timm has no such model", item=f"timm/{name}", remedy="see timm.list_models()")
        try:
            self.model = timm.create_model(name, num_classes=0)
            if checkpoint is not None:
                load_checkpoint(self.model, str(checkpoint), weights_only=True)
        except (RuntimeError, OSError, ValueError) as error:
            raise WeightsError(
                textwrap.shorten(str(error), 300), item=str(checkpoint), remedy="is it a checkpoint of this model?"
            ) from error
        self.size = size

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Turn (M, 3, S, S) into patch tokens (M, N-1, C) and global tokens (M, G)."""
        features = self.model.forward_features(pixels)
        pooled = self.model.forward_head(features, pre_logits=True)  # (M, G)
        if features.ndim == 4:
            return features.flatten(2).transpose(1, 2), pooled
        prefix = getattr(self.model, "num_prefix_tokens", 0)
        # A transformer's own class token is the global one; without it, the mean of the patches is.
        return features[:, prefix:], features[:, 0] if prefix else pooled


class TransformersTower(nn.Module):
    """A transformers image model, from a local folder or a hub, or with initial weights from a folder's config alone."""

    def __init__(self, name: str, *, pretrained: bool) -> None:
        super().__init__()
        from transformers import AutoConfig, AutoModel

        try:
            if pretrained:
                self.model = AutoModel.from_pretrained(name, trust_remote_code=False, use_safetensors=True)
            else:
                config = AutoConfig.from_pretrained(name, trust_remote_code=False)
                self.model = AutoModel.from_config(config, trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise WeightsError(
                textwrap.shorten(str(error), 300), item=name, remedy="is the folder complete?"
            ) from error

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Turn (M, 3, S, S) into patch tokens (M, N-1, C) and global tokens (M, G)."""
        hidden = self.model(pixel_values=pixels).last_hidden_state
        if hidden.ndim == 4:
            return hidden.flatten(2).transpose(1, 2), hidden.mean((2, 3))
        patches = math.isqrt(hidden.shape[1]) ** 2
        prefix = hidden.shape[1] - patches
        return hidden[:, prefix:], hidden[:, 0] if prefix else hidden.mean(1)


def build_tower(name: str, size: int) -> nn.Module | None:
    """Return the tower that a config names, with initial weights; None where the shared backbone gives the features."""
    if not name:
        return None
    kind, _, model = name.partition("/")
    if kind == "timm":
        return TimmTower(model, size)
    if kind == "transformers":
        return TransformersTower(model, pretrained=False)
    raise ConfigError("no such kind of tower", item=name, remedy='"timm/NAME" or "transformers/FOLDER OR ID"')
