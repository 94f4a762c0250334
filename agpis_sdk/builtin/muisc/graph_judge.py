"""A trained MUIsC as two ONNX graphs: one judges sequences, one gives the next word of feedback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from agpis_sdk.builtin.graphs import CPU, GraphModel, GraphSpec, has_shipped_shapes
from agpis_sdk.builtin.muisc.judge import Floats
from agpis_sdk.builtin.muisc.saved_config import (
    SHIPPED_FOLDER,
    SavedConfig,
    architecture_of,
    is_of_shipped_architecture,
    read_config,
)  # fmt: skip
from agpis_sdk.builtin.muisc.text import Words
from agpis_sdk.errors import WeightsError

WEIGHTS = "model.safetensors"
CACHE = ("keys", "values", "image_keys", "image_values")


def specs_of(folder: Path) -> tuple[GraphSpec, GraphSpec]:
    """Return the graphs of a folder's model: the one that judges, and the one that gives the next word."""
    sizes = read_config(folder)
    evidence = sizes.get("evidence", [])
    cached = (sizes["num_decoder_layers"], "batch", sizes["num_attention_heads"])
    head = sizes["hidden_size"] // sizes["num_attention_heads"]
    own = None if folder == SHIPPED_FOLDER else folder
    judging = GraphSpec(
        file=folder / "judging.onnx",
        weights=folder / WEIGHTS,
        reference="agpis_sdk.builtin.muisc.graph_modules:judging_of",
        inputs={
            "tokens": ("batch", "images", sizes["num_patches"], sizes["token_channels"]),
            "global_tokens": ("batch", "images", sizes["global_channels"]),
            "input_ids": ("batch", "words"),
            "attention_mask": ("batch", "words"),
            **({"evidence": ("batch", "images", len(evidence))} if evidence else {}),
        },
        outputs=("class_logits", "word_logits", *CACHE),
        integers=frozenset({"input_ids", "attention_mask"}),
        folder=own,
    )
    next_word = GraphSpec(
        file=folder / "next_word.onnx",
        weights=folder / WEIGHTS,
        reference="agpis_sdk.builtin.muisc.graph_modules:next_word_of",
        inputs={
            "word": ("batch", 1),
            "attention_mask": ("batch", "words + 1"),
            "keys": (*cached, "words", head),
            "values": (*cached, "words", head),
            "image_keys": (*cached, "places", head),
            "image_values": (*cached, "places", head),
        },
        outputs=("word_logits", "keys", "values"),
        integers=frozenset({"word", "attention_mask"}),
        reads=r"wte|wpe|ln_f|lm_head|decoder\.(?!\d+\.crossattention\.c_attn)",
        folder=own,
    )
    return judging, next_word


JUDGING, NEXT_WORD = specs_of(SHIPPED_FOLDER)


@dataclass(frozen=True, eq=False)
class JudgedByGraph:
    """A batch of judged sequences: prompts' mask (B, words), class probabilities (B, classes), what the first word needs."""

    attention_mask: Words
    probabilities: Floats
    word_logits: Floats
    cache: Mapping[str, NDArray[Any]]


def has_own_graphs(folder: Path) -> bool:
    """Tell whether a folder holds graphs, and they were exported from a model of its config."""
    files, made_of = [folder / spec.file.name for spec in (JUDGING, NEXT_WORD)], architecture_of(folder).encode()
    return (folder / WEIGHTS).is_file() and all(file.is_file() and made_of in file.read_bytes() for file in files)


class GraphJudge:
    """Judges sequences, and writes feedback, with a model of the shipped architecture."""

    def __init__(self, folder: Path) -> None:
        self.config = SavedConfig.read(folder)
        self.text = self.config.text(folder)
        tensors = load_file(folder / WEIGHTS)
        for name, tensor in tensors.items():
            if not np.isfinite(tensor).all():
                raise WeightsError(
                    f"{name} holds values that are not finite", item=str(folder), remedy="fetch or train it again"
                )
        if self.fits_shipped(folder):
            self._judging, self._next_word = GraphModel(JUDGING, tensors), GraphModel(NEXT_WORD, tensors)
        else:
            self._judging, self._next_word = (GraphModel(spec, tensors) for spec in specs_of(folder))

    @staticmethod
    def fits(folder: Path, device: str) -> bool:
        """Tell whether the graphs that ship, or those in the folder, can run the folder's model."""
        return device == CPU and (GraphJudge.fits_shipped(folder) or has_own_graphs(folder))

    @staticmethod
    def fits_shipped(folder: Path) -> bool:
        """Tell whether the graphs that ship can run the folder's model."""
        return is_of_shipped_architecture(folder) and has_shipped_shapes(JUDGING, folder / WEIGHTS)

    def judge(
        self, tokens: Floats, global_tokens: Floats, prompt: Words, mask: Words, evidence: Floats | None
    ) -> JudgedByGraph:
        """Judge sequences: patch tokens (B, K, h*w, C), global tokens (B, K, G), prompts (B, T + 1), evidence (B, K, E)."""
        measured = {} if evidence is None else {"evidence": evidence}
        judged = self._judging(
            tokens=tokens, global_tokens=global_tokens, input_ids=prompt, attention_mask=mask, **measured
        )
        probabilities = self._probabilities(judged["class_logits"])
        return JudgedByGraph(mask, probabilities, judged["word_logits"], {name: judged[name] for name in CACHE})

    def feedback(self, judged: JudgedByGraph, threshold: float, most_words: int) -> list[str]:
        """Return feedback that agrees with the decision, chosen greedily word by word."""
        never = self.text.forbidden_first_tokens(judged.probabilities, objection_threshold=threshold)
        logits, mask, cache = np.where(never, -np.inf, judged.word_logits), judged.attention_mask, dict(judged.cache)
        words: list[Words] = []
        ended = np.zeros(len(mask), bool)
        while len(words) < most_words and not ended.all():
            if words:
                mask = np.concatenate([mask, np.ones_like(mask[:, :1])], axis=1)
                following = self._next_word(word=words[-1][:, None], attention_mask=mask, **cache)
                logits = following.pop("word_logits")
                cache |= following
            likeliest: Words = np.asarray(logits.argmax(axis=1), np.int64)
            words.append(np.where(ended, self.text.end, likeliest))
            ended = ended | (words[-1] == self.text.end)
        return [self.text.read(row) for row in np.transpose(words).tolist()] if words else [""] * len(mask)

    def _probabilities(self, logits: Floats) -> Floats:
        """Return calibrated class probabilities (B, classes), as `Muisc.probabilities` does."""
        shifted = logits / np.float32(self.config.mcc_temperature)
        shifted[:, 0] += np.float32(self.config.mcc_qualified_bias)
        shares = np.exp(shifted - shifted.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True), dtype=np.float32)
