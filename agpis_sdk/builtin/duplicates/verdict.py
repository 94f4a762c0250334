"""The verdict on an aligned pair: a multinomial logistic classifier over the measurements of the verification."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.duplicates.verification import Comparison
from agpis_sdk.builtin.weights import read_tensors, write_tensors

SHIPPED = Path(__file__).parent / "weights" / "verdict.safetensors"
PairKind = Literal["duplicate", "variant", "similar-angle", "other"]
KINDS: tuple[PairKind, ...] = ("duplicate", "variant", "similar-angle", "other")
"""Same content again · same shot in another color · nearly the same angle · another view or another product."""
FEATURES = (
    "structure", "structure_margin", "color_shift", "greatest_color_shift", "recolored", "recolored_log", "covered",
    "coverage", "least_coverage", "tint", "grayed", "differing", "recolored_details",
)  # fmt: skip


def verdict_features(comparison: Comparison) -> NDArray[np.float64]:
    """Return the classifier's `FEATURES` (13,) of an aligned pair, each about 0..1.

    Structure as a margin to perfect, on a logarithmic scale as 0.99 and 0.9 differ more than 0.6 and 0.5; colors
    likewise, as a dye shifts them ten times as far as JPEG does.
    """
    return np.array(
        [
            max(comparison.structure, 0.0),
            -np.log10(max(1 - comparison.structure, 0.003)) / 2.5,
            np.log1p(comparison.color_shift) / 4,
            np.log1p(comparison.greatest_color_shift) / 4,
            np.sqrt(comparison.recolored),
            np.log10(1 + 1000 * comparison.recolored) / 3,
            comparison.covered,
            comparison.coverage,
            comparison.least_coverage,
            np.log1p(comparison.tint) / 4,
            float(comparison.grayed),
            np.sqrt(comparison.differing),
            np.sqrt(comparison.recolored_details),
        ]
    )


@dataclass(frozen=True, eq=False)
class VerdictHead:
    """Probabilities = softmax(weight · features + bias); `weight` is (kinds, features), `bias` (kinds,)."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def probabilities(self, comparison: Comparison) -> dict[PairKind, float]:
        """Return the probability of each kind; they sum to 1."""
        logits = self.weight.astype(np.float64) @ verdict_features(comparison) + self.bias
        shares = np.exp(logits - logits.max())
        return dict(zip(KINDS, (shares / shares.sum()).tolist(), strict=True))

    def save(self, path: Path) -> None:
        """Write the head as safetensors."""
        write_tensors(path, vars(self), FEATURES)

    @classmethod
    def load(cls, path: Path = SHIPPED) -> VerdictHead:
        """Read a head; raises `WeightsError` where it is of another layout or of other features."""
        layout = {"weight": (len(KINDS), len(FEATURES)), "bias": (len(KINDS),)}
        return cls(**read_tensors(path, layout, features=FEATURES))
