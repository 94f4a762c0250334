"""What every torch backbone shares: letterboxing, normalization and passes of one fixed shape."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from agpis_sdk.batches import batches
from agpis_sdk.components import DecodedImage
from agpis_sdk.media.letterbox import letterbox


class TorchBackbone(ABC):
    """A frozen torch model that turns decoded images into "embedding", "stride32", "stride16" and "stride8".

    Every forward pass has the same shape: a short batch is filled up with zeros. Kernels are chosen by shape, so an
    image's features do not depend on which other images it came with (DESIGN law 6).
    """

    def __init__(
        self, *, input_size: int, mean: Sequence[float], std: Sequence[float], batch_size: int, device: str
    ) -> None:
        self._input_size = input_size
        self._mean = torch.tensor(mean).view(3, 1, 1)
        self._std = torch.tensor(std).view(3, 1, 1)
        self._batch_size = batch_size
        self._device = torch.device(device)

    @property
    def input_size(self) -> int:
        """The side of the square input in pixels."""
        return self._input_size

    def preprocess(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """Return the normalized, letterboxed (3, input_size, input_size) float32 tensor of one (H, W, 3) image."""
        square = letterbox(pixels, self._input_size)  # (S, S, 3)
        tensor = torch.from_numpy(square).permute(2, 0, 1).float().div_(255)
        return (tensor - self._mean) / self._std

    @torch.inference_mode()
    def features(self, images: Sequence[DecodedImage]) -> list[Mapping[str, NDArray[np.float32]]]:
        """Return the facts of each image, in order."""
        facts: list[Mapping[str, NDArray[np.float32]]] = []
        for chunk in batches(images, self._batch_size):
            batch = torch.zeros(self._batch_size, 3, self._input_size, self._input_size)  # (B, 3, S, S)
            for row, image in enumerate(chunk):
                batch[row] = self.preprocess(image.pixels)
            batch = batch.to(self._device, memory_format=torch.channels_last)
            named = {name: value.float().cpu().numpy() for name, value in self.forward(batch).items()}
            facts.extend({name: value[row].copy() for name, value in named.items()} for row in range(len(chunk)))
        return facts

    @abstractmethod
    def forward(self, batch: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Turn (B, 3, S, S) into {"embedding": (B, C)} and the maps "stride32", "stride16" and "stride8" (B, D, h, w)."""
