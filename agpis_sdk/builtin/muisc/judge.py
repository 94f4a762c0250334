"""Who computes what the scorer asks: ONNX Runtime for a model of the shipped architecture, torch for any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.muisc.text import MuiscText, Words

Floats = NDArray[np.float32]


class Judged(Protocol):
    """A batch of judged sequences; who judged it knows what else is needed for feedback."""

    @property
    def probabilities(self) -> Floats:
        """Calibrated class probabilities (B, classes); column 0 is p^t."""
        ...


class Judge(Protocol):
    """A trained MUIsC on arrays. `config` has the fields of `SavedConfig`."""

    config: Any
    text: MuiscText

    def judge(
        self, tokens: Floats, global_tokens: Floats, prompt: Words, mask: Words, evidence: Floats | None
    ) -> Judged:
        """Judge sequences: patch tokens (B, K, h*w, C), global tokens (B, K, G), prompts (B, T + 1), evidence (B, K, E)."""
        ...

    def feedback(self, judged: Any, threshold: float, most_words: int) -> list[str]:
        """Return feedback that agrees with the decision, given the p^t from which on a sequence is submitted."""
        ...


def load_judge(folder: Path, device: str) -> Judge:
    """Read a trained model, to run where it fits; raises `WeightsError` where a folder is no model."""
    from agpis_sdk.builtin.muisc.graph_judge import GraphJudge

    if GraphJudge.fits(folder, device):
        return GraphJudge(folder)
    from agpis_sdk.builtin.muisc.torch_judge import TorchJudge

    return TorchJudge(folder, device)
