"""What stage 1 measured of the images of a sequence, as numbers beside their tokens: a MUIsC need not see it again.

A banner is plain to the non-compliance head, which saw many of them, and need not be learned again from sequences. Not part of
the paper; off in `MuiscConfig.paper()`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.noncompliance.kinds import KINDS
from agpis_sdk.builtin.primary import features as primary
from agpis_sdk.errors import WeightsError
from agpis_sdk.facts import ColorHistogram

REQUIRED_FACTS = primary.IMAGE_FACTS | {"noncompliance.kinds", "color_histogram", "product_embedding"}
OF_PAIRS = (
    "color difference to the first", "largest color difference", "smallest color difference",
    "likeness to the first", "smallest likeness", "largest likeness",
)  # fmt: skip
NAMES = (*primary.IMAGE_FEATURES, *KINDS, *OF_PAIRS)
"""Names of the numbers (E), in the order of `sequence_evidence`."""


def check_names(names: Sequence[str], *, item: str) -> None:
    """Raise `WeightsError` where a model was trained on other numbers than `NAMES`; a model without evidence fits."""
    if names and tuple(names) != NAMES:
        raise WeightsError(
            "was trained on other evidence of stage 1 than this version has", item=item, remedy="train the model again"
        )


@dataclass(frozen=True, eq=False)
class ImageEvidence:
    """What is known of one image: its own `numbers`, its colors (None without a product), and its product's embedding (C,)."""

    numbers: NDArray[np.float32]
    colors: ColorHistogram | None
    embedding: NDArray[np.float32]

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> ImageEvidence:
        """Return the evidence in an image's facts; `REQUIRED_FACTS` names them."""
        own = primary.features_of(facts["composition"], facts["view"], facts["p_noncompliant"])
        kinds = np.clip(facts["noncompliance.kinds"], -primary.MAX_LOGIT, primary.MAX_LOGIT)
        embedding = facts["product_embedding"] / max(float(np.linalg.norm(facts["product_embedding"])), 1e-6)
        return cls(np.concatenate([own, kinds]).astype(np.float32), facts["color_histogram"], embedding)

    def compared(self, other: ImageEvidence) -> tuple[float, float]:
        """Return how different the products' colors are, and how alike the products, each 0..1."""
        known = self.colors is not None and other.colors is not None
        difference = self.colors.difference(other.colors) if self.colors and other.colors and known else 0.0
        return difference, float(self.embedding @ other.embedding)


def sequence_evidence(images: Sequence[ImageEvidence]) -> NDArray[np.float32]:
    """Return (K, E) for the images of a sequence in order, each compared with all others; zeros where there is no other."""
    count = len(images)
    compared = np.zeros((count, count, 2), np.float32)
    for row in range(count):
        for column in range(row):
            compared[row, column] = compared[column, row] = images[row].compared(images[column])
    return np.stack([np.concatenate([images[row].numbers, _of_pairs(compared, row)]) for row in range(count)])


def _of_pairs(compared: NDArray[np.float32], row: int) -> NDArray[np.float32]:
    """Return the numbers of `OF_PAIRS` for an image, given the comparisons (K, K, 2) of all."""
    others = np.delete(compared[row], row, axis=0)  # (K-1, 2)
    if not len(others):
        return np.zeros(len(OF_PAIRS), np.float32)
    # The first image has itself as the first one: its comparison with the second says as much.
    to_first = others[0]
    differences, likenesses = others[:, 0], others[:, 1]
    return np.array(
        [to_first[0], differences.max(), differences.min(), to_first[1], likenesses.min(), likenesses.max()], np.float32
    )
