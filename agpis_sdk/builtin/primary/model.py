"""The primary head: one logistic unit on an image's features and embedding (paper section 3.3.1, Eq. 1)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from agpis_sdk.builtin.primary.handcrafted_features import FEATURE_NAMES, REASONS
from agpis_sdk.builtin.weights import read_tensors

SHIPPED = Path(__file__).parent / "weights" / "primary.safetensors"
MIN_REASON_LOGIT = 0.4  # logit that a feature or the embedding must take away to be given as a reason
MOST_REASONS = 3
EMBEDDING_REASON = "it does not look like the first images that the model has learned from"


@dataclass(frozen=True, eq=False)
class PrimaryHead:
    """p_primary = sigmoid(embedding · weight + (features - usual) · trait_weight + bias).

    `weight` is (channels,) and centered, so that the embedding's part is 0 for the average image; `trait_weight` and
    `usual`, the average image's features, are (features,); `bias` is (1,).
    """

    weight: NDArray[np.float32]
    center: NDArray[np.float32]
    trait_weight: NDArray[np.float32]
    usual: NDArray[np.float32]
    bias: NDArray[np.float32]

    def parts(self, embedding: NDArray[np.float32], features: NDArray[np.float32]) -> tuple[float, NDArray[np.float64]]:
        """Return what the embedding and each feature (features,) add to the logit; float64, image by image (law 6)."""
        looks = float((embedding.astype(np.float64) - self.center) @ self.weight.astype(np.float64))
        return looks, (features.astype(np.float64) - self.usual) * self.trait_weight

    def probability(self, embedding: NDArray[np.float32], features: NDArray[np.float32]) -> float:
        """Return p_primary in 0..1 of one image, from its embedding (channels,) and features (features,)."""
        looks, parts = self.parts(embedding, features)
        return float(1 / (1 + np.exp(-np.clip(looks + parts.sum() + float(self.bias[0]), -40, 40))))

    def reasons(self, embedding: NDArray[np.float32], features: NDArray[np.float32]) -> tuple[str, ...]:
        """Return what lowers an image's chance most, in words for the seller: at most `MOST_REASONS`, strongest first."""
        looks, parts = self.parts(embedding, features)
        lowered = [(looks, EMBEDDING_REASON)]
        for name, part, high in zip(FEATURE_NAMES, parts.tolist(), (features > self.usual).tolist(), strict=True):
            lowered.append((part, REASONS[name][int(high)]))
        reasons = [words for part, words in sorted(lowered) if part <= -MIN_REASON_LOGIT and words]
        return tuple(dict.fromkeys(reasons))[:MOST_REASONS]

    def save(self, path: Path) -> None:
        """Write the head as safetensors."""
        save_file({name: np.ascontiguousarray(value) for name, value in vars(self).items()}, path)

    @classmethod
    def load(cls, path: Path = SHIPPED) -> PrimaryHead:
        """Read a head, for the backbone that it was trained on; raises `WeightsError` where it is of another layout."""
        features = (len(FEATURE_NAMES),)
        channels: tuple[int | str, ...] = ("channels",)
        layout: dict[str, tuple[int | str, ...]] = {
            "weight": channels,
            "center": channels,
            "trait_weight": features,
            "usual": features,
            "bias": (1,),
        }
        return cls(**read_tensors(path, layout))
