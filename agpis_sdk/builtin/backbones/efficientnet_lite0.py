"""The default backbone, EfficientNet-lite0, as an ONNX graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from agpis_sdk.builtin.backbones.config import EfficientNetLite0Config
from agpis_sdk.builtin.backbones.letterboxed import LetterboxedBackbone
from agpis_sdk.builtin.graphs import GraphModel, GraphSpec

SIDE = 224
SHIPPED = Path(__file__).parent / "weights" / "efficientnet-lite0.safetensors"
GRAPH = GraphSpec(
    file=SHIPPED.with_suffix(".onnx"),
    weights=SHIPPED,
    reference="agpis_sdk.builtin.backbones.timm_backbone:lite0_of",
    inputs={"pictures": ("batch", 3, SIDE, SIDE)},
    outputs=("embedding", "stride32", "stride16", "stride8"),
)


class EfficientNetLite0(LetterboxedBackbone):
    """EfficientNet-lite0 (ImageNet-1k, Tan and Le), whose weights ship with this package.

    Input 224; embedding (1280,), stride32 (320, 7, 7), stride16 (112, 14, 14), stride8 (40, 28, 28).
    """

    def __init__(self, config: EfficientNetLite0Config, device: str = "cpu") -> None:
        super().__init__(input_size=SIDE, mean=[127 / 255] * 3, std=[128 / 255] * 3, batch_size=config.batch_size)
        self._model = GraphModel(GRAPH, load_file(SHIPPED), device)

    def run(self, batch: NDArray[np.float32]) -> Mapping[str, NDArray[np.float32]]:
        """Turn a batch (B, 3, 224, 224) into facts."""
        return self._model(pictures=batch)
