"""The paper's baselines: single towers with early or late fusion (section 4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agpis_sdk.batches import batches
from agpis_sdk.builtin.muisc.additions import FeatureNorm
from agpis_sdk.builtin.muisc.model import MuiscOutput
from agpis_sdk.builtin.muisc.tower import build_tower
from agpis_sdk.datasets.review_dataset import Collator, Reviews
from agpis_sdk.evaluation.predictions import Predictions

BATCH = 128


class SingleTower(nn.Module):
    """One visual backbone and an MLP over the global features of all images; it reads no word.

    With early fusion a sequence comes as one image, its images side by side; with late fusion the global features of
    its images are put one after the other, zeros where there are fewer than `max_images`. `tower` "" takes features of
    the frozen shared backbone, else the tower is trained with the head.
    """

    def __init__(
        self, *, channels: int, max_images: int, classes: int, width: int = 256, dropout: float = 0.3, tower: str = "",
        tower_size: int = 224,
    ) -> None:  # fmt: skip
        super().__init__()
        self.max_images = max_images
        self.tower = build_tower(tower, tower_size)
        self.norm = FeatureNorm(channels)
        self.head = nn.Sequential(
            nn.Linear(max_images * channels, width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(width, classes),
        )

    def forward(
        self,
        *,
        global_tokens: Tensor | None = None,
        pixels: Tensor | None = None,
        labels: Tensor | None = None,
        **_: Any,
    ) -> MuiscOutput:
        """Return class logits (B, classes) from (B, K, G) or (B, K, 3, S, S), and the loss where labels are given."""
        if global_tokens is None:
            assert pixels is not None and self.tower is not None  # noqa: PT018, S101 - one of the two is given
            global_tokens = self.tower(pixels.flatten(0, 1))[1].unflatten(0, pixels.shape[:2])
        global_tokens = self.norm(global_tokens)
        missing = self.max_images - global_tokens.shape[1]
        filled = nn.functional.pad(global_tokens, (0, 0, 0, missing)).flatten(1)  # (B, max_images * G)
        logits: Tensor = self.head(filled)
        loss = None if labels is None else nn.functional.cross_entropy(logits.float(), labels)
        return MuiscOutput(loss, logits)


@torch.inference_mode()
def predict_with_single_tower(
    model: SingleTower,
    collate: Collator,
    reviews: Reviews,
    codes: NDArray[np.str_],
    products: NDArray[np.str_],
    classes: Sequence[str],
) -> Predictions:
    """Return what a single tower thinks of some reviews; it says nothing, and of two classes it knows p^t alone."""
    model.eval()
    parts = []
    for places in batches(range(len(codes)), BATCH):
        batch = collate([reviews[place] for place in places])
        logits = model(**{name: batch[name] for name in ("global_tokens", "pixels") if name in batch}).logits
        parts.append(torch.softmax(logits.double(), dim=1).numpy())
    known = np.concatenate(parts)
    probabilities = np.zeros((len(codes), len(classes)))
    probabilities[:, : known.shape[1]] = known
    return Predictions(
        codes=codes,
        probabilities=probabilities,
        generated_feedback=[""] * len(codes),
        reviewer_feedback=[""] * len(codes),
        products=products,
        classes=classes,
    )
