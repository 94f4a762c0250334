"""What every torch backbone shares."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from agpis_sdk.builtin.backbones.letterboxed import LetterboxedBackbone


class TorchBackbone(LetterboxedBackbone):
    """A frozen torch model that turns decoded images into "embedding", "stride32", "stride16" and "stride8"."""

    model: torch.nn.Module

    def __init__(
        self, *, input_size: int, mean: Sequence[float], std: Sequence[float], batch_size: int, device: str
    ) -> None:
        super().__init__(input_size=input_size, mean=mean, std=std, batch_size=batch_size)
        self._device = torch.device(device)

    @torch.inference_mode()
    def run(self, batch: NDArray[np.float32]) -> Mapping[str, NDArray[np.float32]]:
        """Turn a batch (B, 3, S, S) into facts by `forward`, on the device."""
        tensor = torch.from_numpy(batch).to(self._device, memory_format=torch.channels_last)
        return {name: value.float().cpu().numpy() for name, value in self.forward(tensor).items()}

    @abstractmethod
    def forward(self, batch: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Turn (B, 3, S, S) into {"embedding": (B, C)} and the maps "stride32", "stride16" and "stride8" (B, D, h, w)."""
