"""Local heads: a logistic regression on the backbone's embedding for each rule, in the place of the model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agpis_sdk import MIN_REPORTED_SCORE, Context, DecodedImage
from agpis_sdk.builtin.weights import check_shapes, read_tensors, write_tensors
from agpis_sdk.components import AttributedFinding
from agpis_sdk.errors import ConfigError, WeightsError
from agpis_vlm.config import VlmConfig

SENTENCES = "sentences.json"
"""The file of a folder of heads that says which sentence each was learned for."""


@dataclass(frozen=True, eq=False)
class Head:
    """The weight (channels,) and bias of a rule's logit."""

    weight: NDArray[np.float32]
    bias: float

    def probabilities(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the probability (n,) that each image breaks the rule, from embeddings (n, channels)."""
        # Summed row by row: a product of matrices rounds otherwise with the number of rows.
        logits = (embeddings.astype(np.float64) * self.weight).sum(axis=1) + self.bias
        return np.asarray(1 / (1 + np.exp(-logits)))

    def save(self, path: Path) -> None:
        """Write the weights as safetensors."""
        write_tensors(path, {"weight": self.weight, "bias": np.array([self.bias], dtype=np.float32)})

    @classmethod
    def load(cls, path: Path) -> Head:
        """Read a head; raises `WeightsError` where the file is none."""
        tensors = read_tensors(path, {"weight": ("channels",), "bias": (1,)})
        return cls(tensors["weight"], float(tensors["bias"][0]))


def head_file(folder: Path, code: str) -> Path:
    """Return where a folder of heads keeps that of a rule."""
    return folder / f"{code}.safetensors"


def sentences_of(folder: Path) -> dict[str, str]:
    """Return the rules of a folder of heads: code, and the sentence that the head was learned for."""
    path = folder / SENTENCES
    try:
        return {str(code): str(text) for code, text in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, AttributeError):
        raise WeightsError(
            f"holds no {SENTENCES}", item=str(folder), remedy="name a folder of agpis train vlm-heads"
        ) from None


class HeadChecker:
    """Judges images by the heads that were learned for their rules."""

    def __init__(self, config: VlmConfig) -> None:
        self._rules = config.rules_for("image", "head")
        if config.heads is None:
            raise ConfigError(
                'is not named, and rules have judge = "head"',
                item="components.vlm.heads",
                remedy="name a folder of agpis train vlm-heads",
            )
        self._folder = config.heads
        learned = sentences_of(config.heads)
        for code, rule in self._rules.items():
            if learned.get(code) != rule.text:
                raise ConfigError(
                    f"holds no head for the sentence of {code}",
                    item=f"components.vlm.heads = {config.heads}",
                    remedy='set judge = "model", ask and train again: a head knows one sentence alone',
                )
        self._heads = {code: Head.load(head_file(config.heads, code)) for code in self._rules}

    def check_backbone(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Raise `WeightsError` where a head was learned on embeddings of another length."""
        for head in self._heads.values():
            expected = {"embedding": head.weight.shape}
            check_shapes(expected, shapes, item=str(self._folder), setting="components.vlm.heads")

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[AttributedFinding]:
        """Yield a finding for each image and rule, but for the surest that nothing is wrong."""
        if not images:
            return
        embeddings = np.stack([context.fact(image, "embedding") for image in images])
        for code, rule in self._rules.items():
            for image, score in zip(images, self._heads[code].probabilities(embeddings).tolist(), strict=True):
                if score >= MIN_REPORTED_SCORE:
                    yield AttributedFinding(
                        product_id=image.product_id,
                        code=code,
                        name=rule.name,
                        images=(image.id,),
                        score=score,
                        message=f"looks like pictures that break the rule: {rule.text}",
                    )
