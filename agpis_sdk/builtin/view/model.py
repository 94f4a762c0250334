"""The view head: softmax regression on an image's composition and embedding, and whether the whole product is shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.foreground import composition
from agpis_sdk.builtin.logits import sigmoid
from agpis_sdk.builtin.weights import read_tensors, write_tensors
from agpis_sdk.facts import VIEWS, View

SHIPPED = Path(__file__).parent / "weights" / "view.safetensors"


@dataclass(frozen=True, eq=False)
class ViewHead:
    """Logits of the views and of "whole" = features · weight + bias; features are composition, then embedding.

    `composition_weight` is (compositions, views + 1), `embedding_weight` (channels, views + 1), `bias` (views + 1,); the
    last column is for "whole".
    """

    composition_weight: NDArray[np.float32]
    embedding_weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def view(self, numbers: NDArray[np.float32], embedding: NDArray[np.float32]) -> View:
        """Return what one image shows; in float64 and image by image, so that no other image changes it (law 6)."""
        logits = (
            numbers.astype(np.float64) @ self.composition_weight.astype(np.float64)
            + embedding.astype(np.float64) @ self.embedding_weight.astype(np.float64)
            + self.bias
        )
        shares = np.exp(logits[:-1] - logits[:-1].max())
        whole = float(sigmoid(logits[-1]))
        return View((shares / shares.sum()).astype(np.float32), whole)

    def save(self, path: Path) -> None:
        """Write the weights as safetensors, with the names of the composition's numbers."""
        write_tensors(path, vars(self), composition.NAMES)

    @classmethod
    def load(cls, path: Path = SHIPPED) -> ViewHead:
        """Read a head; raises `WeightsError` where it is of another layout, or for other features."""
        return cls(**read_tensors(path, _LAYOUT, features=composition.NAMES))


_LAYOUT: dict[str, tuple[int | str, ...]] = {
    "composition_weight": (len(composition.NAMES), len(VIEWS) + 1),
    "embedding_weight": ("channels", len(VIEWS) + 1),
    "bias": (len(VIEWS) + 1,),
}
