"""Reviews as batches for MUIsC: from the shared backbone's cached features, or as pixels for a tower of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset, Sampler

from agpis_sdk.batches import batches
from agpis_sdk.builtin.muisc.model import MuiscConfig
from agpis_sdk.builtin.muisc.processor import image_mask, normalized
from agpis_sdk.builtin.muisc.text import MuiscText
from agpis_sdk.datasets.review_features import LearnableReviews, ReviewFeatures, ReviewPixels


@dataclass(frozen=True, eq=False)
class ReviewItem:
    """One review to learn: its words and label, and its images as features or as pixels.

    `tokens` (K, h*w, C) and `global_tokens` (K, G), with `evidence` (K, E) where the model reads it; or `pixels` (K, 3, S, S).
    """

    title: str
    feedback: str
    label: int
    images: Mapping[str, Tensor]


class Reviews(Dataset[ReviewItem]):
    """Reviews of one split; with `two_classes` all rejected ones are of one class (section 4.1)."""

    def __init__(
        self, source: LearnableReviews, rows: NDArray[np.int64], config: MuiscConfig, *, two_classes: bool = False
    ) -> None:
        self._source, self._rows, self._config, self._two_classes = source, rows, config, two_classes

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def lengths(self) -> list[int]:
        """How many images each sequence has."""
        return [len(self._source.reviews[row].images) for row in self._rows]

    def __getitem__(self, index: int) -> ReviewItem:
        review = self._source.reviews[self._rows[index]]
        words = self._config.title_input(review.title, review.category)
        label = self._config.class_of(review.code)
        label = min(label, 1) if self._two_classes else label
        return ReviewItem(words, review.feedback, label, images_of(self._source, list(review.images), self._config))


def images_of(source: LearnableReviews, places: list[int], config: MuiscConfig) -> Mapping[str, Tensor]:
    """Return some images of a source as the model reads them: pixels for a tower of its own, else features."""
    if isinstance(source, ReviewPixels):
        return {"pixels": normalized(torch.from_numpy(source.squares[places]), config)}  # (K, 3, S, S)
    assert isinstance(source, ReviewFeatures)  # noqa: S101 - there are two kinds
    features = {
        "tokens": torch.from_numpy(source.tokens[places].astype(np.float32)),
        "global_tokens": torch.from_numpy(source.global_tokens[places].astype(np.float32)),
    }
    return features | ({"evidence": torch.from_numpy(source.evidence[places])} if config.evidence else {})


class LengthGroupedSampler(Sampler[int]):
    """Draws reviews so that a batch holds sequences of one length, in an order that the seed and the epoch decide.

    Filled-up images cost as much as real ones: with lengths of 1 to 4 mixed, half of a batch would be filling.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self._lengths, self._batch_size, self._seed = np.asarray(lengths), batch_size, seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Say which pass over the data comes next; a resumed run asks for the same order as an unbroken one."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self._seed, self._epoch])
        order = rng.permutation(len(self._lengths))
        order = order[np.argsort(self._lengths[order], kind="stable")]
        # A short batch stays last, or the batches behind it would be cut elsewhere.
        whole = len(order) // self._batch_size
        alike = list(batches(order, self._batch_size))
        for batch in [*(alike[place] for place in rng.permutation(whole)), *alike[whole:]]:
            yield from batch.tolist()


@dataclass(frozen=True, eq=False)
class Collator:
    """Put reviews together to a batch: sequences padded to the longest, `image_mask` false at the padding."""

    text: MuiscText

    def __call__(self, items: Sequence[ReviewItem]) -> dict[str, Any]:
        """Return a batch with the names of `Muisc.forward`."""
        prompt, attention_mask = map(torch.from_numpy, self.text.prompts([item.title for item in items]))
        feedback, feedback_mask = map(
            torch.from_numpy,
            self.text.feedback([item.feedback for item in items], [item.label for item in items]),
        )
        counts = [len(next(iter(item.images.values()))) for item in items]
        batch: dict[str, Any] = {
            "input_ids": prompt,
            "attention_mask": attention_mask,
            "feedback_ids": feedback,
            "feedback_mask": feedback_mask,
            "labels": torch.tensor([item.label for item in items]),
            "image_mask": image_mask(counts),
        }
        images = {name: [item.images[name] for item in items] for name in items[0].images}
        return batch | {name: pad_sequence(parts, batch_first=True) for name, parts in images.items()}
