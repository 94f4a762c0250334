"""Reviews as batches for MUIsC: from the shared backbone's cached features, or as pixels for a tower of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from agpis_sdk.builtin.muisc.configuration import MuiscConfig
from agpis_sdk.builtin.muisc.text import MuiscText
from agpis_sdk.learn.review_features import LearnableReviews, ReviewFeatures, ReviewPixels


@dataclass(frozen=True, eq=False)
class ReviewItem:
    """One review to learn: its words and label, and its images as features or as pixels.

    `tokens` (K, N-1, C) and `global_tokens` (K, G), or `pixels` (K, 3, S, S).
    """

    title: str
    feedback: str
    label: int
    images: Mapping[str, Tensor]


class Reviews(Dataset[ReviewItem]):
    """Reviews as a dataset."""

    @property
    def lengths(self) -> list[int]:
        """How many images each sequence has."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError


class FeatureReviews(Reviews):
    """Reviews of one split over cached features."""

    def __init__(self, features: ReviewFeatures, rows: NDArray[np.int64], config: MuiscConfig) -> None:
        self._features, self._rows, self._config = features, rows, config

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def lengths(self) -> list[int]:
        """How many images each sequence has."""
        return [len(self._features.reviews[row].images) for row in self._rows]

    def __getitem__(self, index: int) -> ReviewItem:
        review = self._features.reviews[self._rows[index]]
        words = self._config.words_of(review.title, review.category)
        places = list(review.images)
        images = {
            "tokens": torch.from_numpy(self._features.tokens[places].astype(np.float32)),
            "global_tokens": torch.from_numpy(self._features.global_tokens[places].astype(np.float32)),
        }
        return ReviewItem(words, review.feedback, review.label, images)


class PixelReviews(Reviews):
    """Reviews of one split with their pixels, for a tower that is trained with the model."""

    def __init__(self, pixels: ReviewPixels, rows: NDArray[np.int64], config: MuiscConfig) -> None:
        self._pixels, self._rows, self._config = pixels, rows, config

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def lengths(self) -> list[int]:
        """How many images each sequence has."""
        return [len(self._pixels.reviews[row].images) for row in self._rows]

    def __getitem__(self, index: int) -> ReviewItem:
        review = self._pixels.reviews[self._rows[index]]
        words = self._config.words_of(review.title, review.category)
        squares = torch.from_numpy(self._pixels.squares[list(review.images)])  # (K, S, S, 3)
        images = {"pixels": normalised(squares, self._config)}
        return ReviewItem(words, review.feedback, review.label, images)


def reviews_of(source: LearnableReviews, rows: NDArray[np.int64], config: MuiscConfig) -> Reviews:
    """Return some reviews of a source as a dataset of the kind that its images call for."""
    if isinstance(source, ReviewPixels):
        return PixelReviews(source, rows, config)
    assert isinstance(source, ReviewFeatures)  # noqa: S101 - there are two kinds
    return FeatureReviews(source, rows, config)


def normalised(squares: Tensor, config: MuiscConfig) -> Tensor:
    """Turn squares (K, S, S, 3) of bytes into a tower's input (K, 3, S, S), with the config's mean and deviation."""
    mean, deviation = (torch.tensor(part).view(3, 1, 1) for part in (config.tower_mean, config.tower_deviation))
    return (squares.permute(0, 3, 1, 2).float() / 255 - mean) / deviation


class AlikeLengths(Sampler[int]):
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
        size = self._batch_size
        batches = [order[start : start + size] for start in range(0, len(order), size)]
        # A short batch stays last, or the batches behind it would be cut elsewhere.
        whole = [batch for batch in batches if len(batch) == size]
        for place in rng.permutation(len(whole)):
            yield from whole[place].tolist()
        for batch in batches[len(whole) :]:
            yield from batch.tolist()


@dataclass(frozen=True, eq=False)
class Collator:
    """Puts reviews together to a batch: sequences filled up to the longest, and told apart by `image_mask`."""

    text: MuiscText

    def __call__(self, items: Sequence[ReviewItem]) -> dict[str, Any]:
        """Return a batch with the names of `Muisc.forward`."""
        prompt, prompt_mask = self.text.prompts([item.title for item in items])
        feedback, feedback_mask = self.text.feedback([item.feedback for item in items], [item.label for item in items])
        counts = [len(next(iter(item.images.values()))) for item in items]
        longest = max(counts)
        batch: dict[str, Any] = {
            "prompt": prompt,
            "prompt_mask": prompt_mask,
            "feedback": feedback,
            "feedback_mask": feedback_mask,
            "labels": torch.tensor([item.label for item in items]),
            "image_mask": torch.tensor([[place < count for place in range(longest)] for count in counts]),
        }
        for name in items[0].images:
            parts = [item.images[name] for item in items]
            filled = torch.zeros(len(items), longest, *parts[0].shape[1:])
            for row, part in enumerate(parts):
                filled[row, : len(part)] = part
            batch[name] = filled
        return batch
