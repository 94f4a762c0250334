"""A backbone: what turns pixels into features. Chosen with `backbone.name = "color-grid"`.

This one needs no weights, which makes it quick and nearly blind: it knows which color is where. The heads that ship were
trained on another one and refuse it, so it goes with components that need no head. A network of your own subclasses
`agpis_sdk.builtin.backbones.torch_backbone.TorchBackbone` and writes `forward` alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from agpis_example.config import ColorGridConfig
from agpis_sdk import DecodedImage

GRIDS = {"stride32": 7, "stride16": 14, "stride8": 28}


class ColorGridBackbone:
    """Mean colors in grids of 7, 14 and 28 cells a side; the embedding is the coarsest grid in one row (147,)."""

    def __init__(self, config: ColorGridConfig) -> None:
        self._input_size = config.input_size

    @property
    def input_size(self) -> int:
        """The side of the square input in pixels."""
        return self._input_size

    def features(self, images: Sequence[DecodedImage]) -> list[Mapping[str, NDArray[np.float32]]]:
        """Return "embedding" (147,) and the maps (3, h, w) of each image, colors in 0..1."""
        return [self._facts(image.pixels) for image in images]

    def preprocess(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the (3, input_size, input_size) array of one (H, W, 3) image, white around it."""
        return self._square(pixels, self._input_size)

    def _facts(self, pixels: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float32]]:
        maps = {name: self._square(pixels, side) for name, side in GRIDS.items()}
        return {"embedding": maps["stride32"].ravel(), **maps}

    @staticmethod
    def _square(pixels: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
        """Return the mean colors (3, side, side) of a picture, letterboxed on white."""
        longer = max(pixels.shape[:2])
        square = np.full((longer, longer, 3), 255, np.uint8)
        top, left = (longer - pixels.shape[0]) // 2, (longer - pixels.shape[1]) // 2
        square[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
        small = Image.fromarray(square).resize((side, side), Image.Resampling.BOX)
        return np.asarray(small, dtype=np.float32).transpose(2, 0, 1) / 255
