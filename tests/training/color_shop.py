"""A backbone that sees colors only: quick, and enough to learn an easy rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from agpis_sdk.components import DecodedImage


class ColorBackbone:
    """A backbone of the default's sizes that sees mean colors only: quick, and enough to learn an easy rule."""

    input_size = 224

    def features(self, images: Sequence[DecodedImage]) -> list[Mapping[str, np.ndarray]]:
        return [self._of(image) for image in images]

    def _of(self, image: DecodedImage) -> Mapping[str, np.ndarray]:
        color = image.pixels.reshape(-1, 3).mean(0) / 255

        def spread(*shape: int) -> np.ndarray:
            values = np.zeros(shape, np.float32)
            values[:3] = color.reshape(3, *([1] * (len(shape) - 1)))
            return values

        return {
            "embedding": spread(1280),
            "stride32": spread(320, 7, 7),
            "stride16": spread(112, 14, 14),
            "stride8": spread(40, 28, 28),
        }
