"""From pictures and titles to what `Muisc.forward` takes, and from generated words back to text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import BatchFeature

from agpis_sdk.builtin.muisc import evidence
from agpis_sdk.builtin.muisc.checkpoints import load_text
from agpis_sdk.builtin.muisc.features import REQUIRED_FACTS, image_tokens
from agpis_sdk.builtin.muisc.model import MuiscConfig
from agpis_sdk.builtin.muisc.text import MuiscText
from agpis_sdk.components import FeatureSource
from agpis_sdk.errors import ConfigError
from agpis_sdk.media.decode import as_image
from agpis_sdk.media.letterbox import letterbox

Pixels = NDArray[np.uint8]
FACTS = REQUIRED_FACTS | evidence.REQUIRED_FACTS
"""The facts that a model with evidence reads."""


class MuiscProcessor:
    """What goes with a `Muisc`: its tokenizer, and how it expects pictures; as a processor of transformers does.

    A model without a tower of its own reads the features that a `source` gives: a backbone or, where the config names
    evidence, `agpis_sdk.pipeline.image_facts.RunFacts` with `FACTS`. Raises `ConfigError` where it is not given one, and for
    early fusion without a tower.
    """

    # Not a `ProcessorMixin`: that copies and saves everything it holds, a backbone too, writes the config a second time,
    # and its `__call__` has no sequences of images; what would be left to inherit is the saving of the tokenizer.

    def __init__(self, config: MuiscConfig, text: MuiscText, source: FeatureSource | None = None) -> None:
        if not config.tower and source is None:
            raise ConfigError(
                "this model reads the features of a backbone", item="MuiscProcessor", remedy="hand one over"
            )
        if config.fusion == "early" and not config.tower:
            raise ConfigError(
                "puts the images of a sequence into one picture, which the features of single images do not allow",
                item="MuiscProcessor, fusion = early",
                remedy='use a model with a tower of its own, or fusion = "late"',
            )
        self.config, self.text, self._source = config, text, source

    @classmethod
    def from_pretrained(cls, model: Path | str, *, source: FeatureSource | None = None) -> MuiscProcessor:
        """Read the processor of a model, by folder, hub id, or "muisc-lite", the one that ships."""
        config, text = load_text(model)
        return cls(config, text, source)

    def save_pretrained(self, folder: Path) -> None:
        """Write config and tokenizer into a folder, where `from_pretrained` finds them."""
        folder.mkdir(parents=True, exist_ok=True)
        self.config.save_pretrained(folder)
        self.text.save(folder)

    def __call__(
        self, images: Sequence[Sequence[Pixels]], titles: Sequence[str], categories: Sequence[str] | None = None
    ) -> BatchFeature:
        """Return a batch with the names of `Muisc.forward`.

        Args:
            images: B sequences of pictures (H, W, 3) uint8 RGB of any size; shorter sequences are filled up.
            titles: (B,) the products' titles; "" where there is none.
            categories: (B,) such as "Bags/Backpacks".
        """
        words = [
            self.config.title_input(title, category)
            for title, category in zip(titles, categories or [""] * len(titles), strict=True)
        ]
        prompt, attention_mask = map(torch.from_numpy, self.text.prompts(words))
        parts = [self._pictures(sequence) for sequence in images]
        return BatchFeature(
            {
                "input_ids": prompt,
                "attention_mask": attention_mask,
                "image_mask": image_mask([len(sequence) for sequence in images]),
                **{name: pad_sequence([part[name] for part in parts], batch_first=True) for name in parts[0]},
            }
        )

    def batch_decode(self, words: Tensor) -> list[str]:
        """Return the text of generated words (B, F)."""
        return [self.text.read(row) for row in words.tolist()]

    def _pictures(self, sequence: Sequence[Pixels]) -> dict[str, Tensor]:
        """Return a sequence as pixels (K, 3, S, S) for the model's own tower, else as (K, h*w, C), (K, G), (K, E)."""
        if self._source is None or self.config.tower:
            squares = np.stack([letterbox(pixels, self.config.tower_size) for pixels in sequence])
            return {"pixels": normalized(torch.from_numpy(squares), self.config)}
        known = self._source.features([as_image(one) for one in sequence])
        features = [image_tokens(facts) for facts in known]
        batch = {
            "tokens": torch.from_numpy(np.stack([tokens for tokens, _ in features])),
            "global_tokens": torch.from_numpy(np.stack([global_token for _, global_token in features])),
        }
        if self.config.evidence:
            measured = [evidence.ImageEvidence.of(facts) for facts in known]
            batch["evidence"] = torch.from_numpy(evidence.sequence_evidence(measured))
        return batch


def normalized(squares: Tensor, config: MuiscConfig) -> Tensor:
    """Turn squares (K, S, S, 3) of bytes into a tower's input (K, 3, S, S), with the config's mean and deviation."""
    mean, deviation = (torch.tensor(part).view(3, 1, 1) for part in (config.tower_mean, config.tower_deviation))
    return (squares.permute(0, 3, 1, 2).float() / 255 - mean) / deviation


def image_mask(counts: Sequence[int]) -> Tensor:
    """Return (B, K), K the largest count: true where a sequence has an image."""
    return torch.arange(max(counts)) < torch.tensor(counts)[:, None]
