"""A trained MUIsC in torch: the reference, on any device, for any sizes and switches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from agpis_sdk.builtin.muisc.checkpoints import load_muisc
from agpis_sdk.builtin.muisc.judge import Floats
from agpis_sdk.builtin.muisc.model import SequenceFeature
from agpis_sdk.builtin.muisc.text import Words
from agpis_sdk.errors import WeightsError


@dataclass(frozen=True, eq=False)
class JudgedInTorch:
    """A batch of encoded sequences with their prompts (B, words) and class probabilities (B, classes)."""

    feature: SequenceFeature
    prompt: Tensor
    attention_mask: Tensor
    probabilities: Floats


class TorchJudge:
    """Judges sequences, and writes feedback, in torch."""

    def __init__(self, folder: Path, device: str) -> None:
        model, self.text = load_muisc(folder)
        self.config = model.config
        if model.config.tower or model.config.fusion == "early":
            raise WeightsError(
                "reads pixels of its own, not the shared backbone's features",
                item=str(folder),
                remedy="the pipeline scores with models trained on the shared backbone, late fusion",
            )
        self._model, self._device = model.to(device), device

    @torch.inference_mode()
    def judge(
        self, tokens: Floats, global_tokens: Floats, prompt: Words, mask: Words, evidence: Floats | None
    ) -> JudgedInTorch:
        """Judge sequences: patch tokens (B, K, h*w, C), global tokens (B, K, G), prompts (B, T + 1), evidence (B, K, E)."""
        images = (torch.from_numpy(array).to(self._device) for array in (tokens, global_tokens))
        measured = None if evidence is None else torch.from_numpy(evidence).to(self._device)
        feature = self._model.encode(*images, evidence=measured)
        words, attention_mask = (torch.from_numpy(array).to(self._device) for array in (prompt, mask))
        logits = self._model.classify(feature, words, attention_mask)
        return JudgedInTorch(feature, words, attention_mask, self._model.probabilities(logits).cpu().numpy())

    def feedback(self, judged: JudgedInTorch, threshold: float, most_words: int) -> list[str]:
        """Return feedback that agrees with the decision; "" from a model without a decoder."""
        if not self.config.num_decoder_layers:
            return [""] * len(judged.probabilities)
        never = self.text.forbidden_first_tokens(judged.probabilities, objection_threshold=threshold)
        words = self._model.generate_feedback(
            judged.feature, judged.prompt, judged.attention_mask, eos_token_id=self.text.end, max_new_tokens=most_words,
            forbidden_first_tokens=torch.from_numpy(never).to(self._device),
        )  # fmt: skip
        return [self.text.read(row) for row in words.tolist()]
