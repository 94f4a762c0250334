"""What the built-in backbones share: letterboxing, normalization and passes of one fixed shape."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.batches import batches
from agpis_sdk.components import DecodedImage
from agpis_sdk.media.letterbox import letterbox


class LetterboxedBackbone(ABC):
    """Turns decoded images into "embedding", "stride32", "stride16" and "stride8".

    Every pass has the same shape: a short batch is filled up with zeros. Kernels are chosen by shape, so an image's
    features do not depend on which other images it came with (DESIGN law 6). `mean` and `std` are (3,), of the channels.
    """

    def __init__(self, *, input_size: int, mean: Sequence[float], std: Sequence[float], batch_size: int) -> None:
        self._input_size = input_size
        self.batch_size = batch_size
        self.mean, self.std = np.array(mean, np.float32), np.array(std, np.float32)
        levels = np.arange(256, dtype=np.float32)[:, None] / np.float32(255)
        self._normalized = ((levels - self.mean) / self.std)[None]  # (1, 256, 3), of each level and channel

    @property
    def input_size(self) -> int:
        """The side of the square input in pixels."""
        return self._input_size

    def preprocess(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the normalized, letterboxed (3, input_size, input_size) array of one (H, W, 3) image."""
        square = letterbox(pixels, self._input_size)  # (S, S, 3)
        return np.asarray(cv2.LUT(square, self._normalized), np.float32).transpose(2, 0, 1)

    def features(self, images: Sequence[DecodedImage]) -> list[Mapping[str, NDArray[np.float32]]]:
        """Return the facts of each image, in order."""
        facts: list[Mapping[str, NDArray[np.float32]]] = []
        for chunk in batches(images, self.batch_size):
            batch = np.zeros((self.batch_size, 3, self._input_size, self._input_size), np.float32)
            for row, image in enumerate(chunk):
                batch[row] = self.preprocess(image.pixels)
            named = self.run(batch)
            # A copy: a view would keep the whole batch in memory.
            facts.extend({name: value[row].copy() for name, value in named.items()} for row in range(len(chunk)))
        return facts

    @abstractmethod
    def run(self, batch: NDArray[np.float32]) -> Mapping[str, NDArray[np.float32]]:
        """Turn (B, 3, S, S) into {"embedding": (B, C)} and the maps "stride32", "stride16" and "stride8" (B, D, h, w)."""
