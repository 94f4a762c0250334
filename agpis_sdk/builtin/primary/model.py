"""The primary head: one logistic unit on readable features of an image (paper section 3.3.1, Eq. 1)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.logits import sigmoid
from agpis_sdk.builtin.primary.features import FEATURE_NAMES, REASONS
from agpis_sdk.builtin.weights import read_tensors, write_tensors

SHIPPED = Path(__file__).parent / "weights" / "primary.safetensors"
MAX_DEVIATION = 3.0
"""Deviations from the usual value beyond which a feature counts no further: no outlier decides alone."""
MIN_REASON_LOGIT = 0.3  # logit that features of one reason must take away for it to be given
MOST_REASONS = 3


@dataclass(frozen=True, eq=False)
class PrimaryHead:
    """p_primary = sigmoid(z · weight + (z² - 1) · curvature + bias), z = clip((features - usual) / spread, ± 3).

    All are (features,) but `bias` (1,). The curvature lets a feature be best in between: a product neither small nor cut.
    """

    usual: NDArray[np.float32]
    spread: NDArray[np.float32]
    weight: NDArray[np.float32]
    curvature: NDArray[np.float32]
    bias: NDArray[np.float32]

    def parts(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what each feature adds to the logit; features are (features,) or (n, features), float64 (law 6)."""
        z = deviations(features, self.usual, self.spread)
        return np.asarray(z * self.weight + (z**2 - 1) * self.curvature)

    def probability(self, features: NDArray[np.float32]) -> float:
        """Return p_primary in 0..1 of one image."""
        logit = float(self.parts(features).sum()) + float(self.bias[0])
        return float(sigmoid(logit))

    def reasons(self, features: NDArray[np.float32]) -> tuple[str, ...]:
        """Return what lowers an image's chance most, in words for the seller: at most `MOST_REASONS`, strongest first."""
        lowered: Counter[str] = Counter()
        for name, part, high in zip(
            FEATURE_NAMES, self.parts(features).tolist(), (features > self.usual).tolist(), strict=True
        ):
            reason = REASONS[name][int(high)]
            if part < 0 and reason:
                lowered[reason] -= part
        return tuple(reason for reason, logit in lowered.most_common(MOST_REASONS) if logit >= MIN_REASON_LOGIT)

    def save(self, path: Path) -> None:
        """Write the weights as safetensors, with the names of the features."""
        write_tensors(path, vars(self), FEATURE_NAMES)

    @classmethod
    def load(cls, path: Path = SHIPPED) -> PrimaryHead:
        """Read a head; raises `WeightsError` where it is of another layout, or for other features."""
        return cls(**read_tensors(path, _LAYOUT, features=FEATURE_NAMES))


def deviations(
    features: NDArray[np.float32], usual: NDArray[np.float32], spread: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return how many spreads features (…, features) are off their usual values, at most `MAX_DEVIATION` either way."""
    z = (features.astype(np.float64) - usual) / spread
    return np.asarray(np.clip(z, -MAX_DEVIATION, MAX_DEVIATION))


_LAYOUT: dict[str, tuple[int | str, ...]] = {
    **dict.fromkeys(("usual", "spread", "weight", "curvature"), (len(FEATURE_NAMES),)),
    "bias": (1,),
}
