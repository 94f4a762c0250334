"""The primary head: one logistic unit on an image's traits and embedding (paper section 3.3.1, Eq. 1)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from agpis_sdk.builtin.primary.handcrafted_features import SAID, TRAITS
from agpis_sdk.builtin.weights import read_tensors

SHIPPED = Path(__file__).parent / "weights" / "primary.safetensors"
WORTH_A_WORD = 0.4  # logit that a trait or the embedding takes away, from which a reason is given
MOST_REASONS = 3
UNLIKE = "it does not look like the first images that the model has learned from"


@dataclass(frozen=True, eq=False)
class PrimaryHead:
    """p_primary = sigmoid(embedding · weight + (traits - usual) · trait_weight + bias).

    `weight` is (channels,) and centered, so that the embedding's part is 0 for the average image; `trait_weight` and
    `usual`, the average image's traits, are (traits,); `bias` is (1,).
    """

    weight: NDArray[np.float32]
    center: NDArray[np.float32]
    trait_weight: NDArray[np.float32]
    usual: NDArray[np.float32]
    bias: NDArray[np.float32]

    def parts(self, embedding: NDArray[np.float32], traits: NDArray[np.float32]) -> tuple[float, NDArray[np.float64]]:
        """Return what the embedding and each trait (traits,) add to the logit; float64, image by image (law 6)."""
        looks = float((embedding.astype(np.float64) - self.center) @ self.weight.astype(np.float64))
        return looks, (traits.astype(np.float64) - self.usual) * self.trait_weight

    def probability(self, embedding: NDArray[np.float32], traits: NDArray[np.float32]) -> float:
        """Return p_primary in 0..1 of one image, from its embedding (channels,) and traits (traits,)."""
        looks, parts = self.parts(embedding, traits)
        return float(1 / (1 + np.exp(-np.clip(looks + parts.sum() + float(self.bias[0]), -40, 40))))

    def reasons(self, embedding: NDArray[np.float32], traits: NDArray[np.float32]) -> tuple[str, ...]:
        """Say what lowers an image's chance most, as a seller sees it; at most `MOST_REASONS`, the weightiest first."""
        looks, parts = self.parts(embedding, traits)
        lowered = [(looks, UNLIKE)]
        for name, part, high in zip(TRAITS, parts.tolist(), (traits > self.usual).tolist(), strict=True):
            lowered.append((part, SAID[name][int(high)]))
        said = [words for part, words in sorted(lowered) if part <= -WORTH_A_WORD and words]
        return tuple(dict.fromkeys(said))[:MOST_REASONS]

    def save(self, path: Path) -> None:
        """Write the head as safetensors."""
        save_file({name: np.ascontiguousarray(value) for name, value in vars(self).items()}, path)

    @classmethod
    def load(cls, path: Path = SHIPPED) -> PrimaryHead:
        """Read a head, for the backbone that it was trained on; raises `WeightsError` where it is of another layout."""
        traits = (len(TRAITS),)
        channels: tuple[int | str, ...] = ("channels",)
        layout: dict[str, tuple[int | str, ...]] = {
            "weight": channels,
            "center": channels,
            "trait_weight": traits,
            "usual": traits,
            "bias": (1,),
        }
        return cls(**read_tensors(path, layout))
