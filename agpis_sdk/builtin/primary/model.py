"""The primary head: one logistic unit on the backbone's embedding (paper section 3.3.1, Eq. 1)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from agpis_sdk.builtin.weights import read_tensors

SHIPPED = Path(__file__).parent / "weights" / "primary.safetensors"
EMBEDDING_CHANNELS = 1280


@dataclass(frozen=True, eq=False)
class PrimaryHead:
    """p_primary = sigmoid(embedding · weight + bias); `weight` is (channels,), `bias` (1,)."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def probability(self, embedding: NDArray[np.float32]) -> float:
        """Return p_primary in 0..1 of one (channels,) embedding; summed in float64, image by image (DESIGN law 6)."""
        logit = float(embedding.astype(np.float64) @ self.weight.astype(np.float64)) + float(self.bias[0])
        return float(1 / (1 + np.exp(-np.clip(logit, -40, 40))))

    def save(self, path: Path) -> None:
        """Write the head as safetensors."""
        save_file({"weight": self.weight, "bias": self.bias}, path)

    @classmethod
    def load(cls, path: Path = SHIPPED, channels: int = EMBEDDING_CHANNELS) -> PrimaryHead:
        """Read a head; raises `WeightsError` where it is of another layout."""
        return cls(**read_tensors(path, {"weight": (channels,), "bias": (1,)}))
