"""A MUIsC as the two modules that graphs are exported from: one judges sequences, one gives the next word of feedback."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import DynamicCache, EncoderDecoderCache

from agpis_sdk.builtin.muisc.model import Muisc, MuiscConfig, SequenceFeature
from agpis_sdk.builtin.muisc.saved_config import SHIPPED_FOLDER
from agpis_sdk.builtin.weights import Tensors


class Judging(nn.Module):
    """From features and prompts to class logits, the logits of the first word, and what the next words need."""

    def __init__(self, model: Muisc) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        tokens: Tensor,
        global_tokens: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor,
        evidence: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Return class logits (B, classes), word logits (B, vocab_size), and keys and values as `_cached` gives them."""
        sequence = self.model.encode(tokens, global_tokens, evidence=evidence)
        cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        separator = self.model.decode(sequence, input_ids, attention_mask, cache)[:, -1]  # (B, D)
        return (
            self.model._class_logits(sequence, separator),
            self.model.language_logits(separator),
            *_cached(cache.self_attention_cache),
            *_cached(cache.cross_attention_cache),
        )


class NextWord(nn.Module):
    """From the last word of each feedback, and what was cached, to the logits of the next word."""

    def __init__(self, model: Muisc) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        word: Tensor,
        attention_mask: Tensor,
        keys: Tensor,
        values: Tensor,
        image_keys: Tensor,
        image_values: Tensor,
    ) -> tuple[Tensor, ...]:
        """Return word logits (B, vocab_size), and keys and values that hold `word` (B, 1), too."""
        cache = EncoderDecoderCache(_cache(keys, values), _cache(image_keys, image_values))
        batch, places = image_keys.shape[1], image_keys.shape[3]
        # The images are in the cache: of the sequence only its size is read.
        images = torch.zeros(batch, places, self.model.config.hidden_size)
        sequence = SequenceFeature(images, torch.ones(batch, places, dtype=torch.bool))
        hidden = self.model.decode(sequence, word, attention_mask, cache)[:, -1]
        return (self.model.language_logits(hidden), *_cached(cache.self_attention_cache))


def judging_of(tensors: Tensors, folder: Path = SHIPPED_FOLDER) -> Judging:
    """Return the module that judges, with the config of a folder and the given tensors."""
    return Judging(_model_of(tensors, folder))


def next_word_of(tensors: Tensors, folder: Path = SHIPPED_FOLDER) -> NextWord:
    """Return the module that gives the next word, with the config of a folder and the given tensors."""
    return NextWord(_model_of(tensors, folder))


def _model_of(tensors: Tensors, folder: Path) -> Muisc:
    # torch fuses encoder layers into an operation of its own, which no other runtime knows.
    torch.backends.mha.set_fastpath_enabled(False)  # type: ignore[no-untyped-call]
    model = Muisc(MuiscConfig.from_pretrained(folder, local_files_only=True))
    model.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in tensors.items()})
    return model


def _cached(cache: DynamicCache) -> tuple[Tensor, Tensor]:
    """Return keys and values (layers, B, heads, words, D / heads)."""
    return torch.stack([layer.keys for layer in cache.layers]), torch.stack([layer.values for layer in cache.layers])


def _cache(keys: Tensor, values: Tensor) -> DynamicCache:
    cache = DynamicCache()
    for layer in range(len(keys)):
        cache.update(keys[layer], values[layer], layer)
    return cache
