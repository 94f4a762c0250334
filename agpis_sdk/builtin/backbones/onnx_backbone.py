"""A backbone as an ONNX file of `agpis models export`: it runs without the library that it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.backbones.config import OnnxConfig
from agpis_sdk.builtin.backbones.letterboxed import LetterboxedBackbone
from agpis_sdk.builtin.graphs import CPU, open_session
from agpis_sdk.errors import ConfigError, WeightsError

INPUT = "pictures"
OUTPUTS = ("embedding", "stride32", "stride16", "stride8")
NORMALIZATION = "agpis.normalization"
"""The key of the file's metadata: a JSON object with "mean" and "std", three numbers each."""


class OnnxBackbone(LetterboxedBackbone):
    """Runs a graph from "pictures" (B, 3, S, S) to the four facts, each (B, …); B and S are the graph's own."""

    def __init__(self, config: OnnxConfig, device: str = CPU) -> None:
        if config.file is None:
            raise ConfigError("names no file", item="components.onnx.file", remedy="name one of agpis models export")
        if device != CPU:
            raise ConfigError("runs on the CPU", item="backbone.name = onnx", remedy='set run.device = "cpu"')
        session = open_session(config.file)
        shapes = {one.name: one.shape for one in session.get_inputs()}
        normalization = session.get_modelmeta().custom_metadata_map.get(NORMALIZATION)
        missing = {*OUTPUTS} - {one.name for one in session.get_outputs()}
        if shapes.keys() != {INPUT} or missing or normalization is None:
            raise WeightsError("is no backbone", item=str(config.file), remedy="write it with agpis models export")
        batch_size, _, side, _ = shapes[INPUT]
        super().__init__(input_size=side, batch_size=batch_size, **json.loads(normalization))
        self._session = session

    def run(self, batch: NDArray[np.float32]) -> Mapping[str, NDArray[np.float32]]:
        """Turn a batch (B, 3, S, S) into facts."""
        return dict(zip(OUTPUTS, self._session.run(list(OUTPUTS), {INPUT: batch}), strict=True))
