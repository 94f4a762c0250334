"""The config of a trained MUIsC as its file has it, read without the libraries that train one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from agpis_sdk.builtin.muisc.text import MuiscText, title_input

SHIPPED_FOLDER = Path(__file__).parent / "weights"
# In what models of one architecture may differ: what was learned or calibrated, and what only training reads.
NOT_ARCHITECTURE = frozenset(
    {
        "attention_dropout", "class_words", "classes", "dropout", "feedback_tokens", "mcc_qualified_bias",
        "mcc_temperature", "mcc_weight", "nlg_reduction", "nlg_weight", "objection_threshold", "predict_title",
        "title_words", "transformers_version", "use_category", "use_title",
    }
)  # fmt: skip


@dataclass(frozen=True)
class SavedConfig:
    """The fields of `MuiscConfig` that judging with a graph needs."""

    classes: list[str]
    class_words: bool
    title_tokens: int
    feedback_tokens: int
    use_title: bool
    use_category: bool
    title_words: list[str]
    mcc_temperature: float
    mcc_qualified_bias: float
    num_patches: int
    token_channels: int
    global_channels: int
    max_images: int
    vocab_size: int
    evidence: list[str]

    @classmethod
    def read(cls, folder: Path) -> SavedConfig:
        """Read the config of a folder that `is_of_shipped_architecture`."""
        saved = read_config(folder)
        return cls(
            **{"evidence": [], **{field.name: saved[field.name] for field in fields(cls) if field.name in saved}}
        )

    def title_input(self, title: str, category: str) -> str:
        """Return the text before the separator, as the switches ask."""
        return title_input(
            title, category, use_title=self.use_title, use_category=self.use_category, title_words=self.title_words
        )

    def text(self, folder: Path) -> MuiscText:
        """Read the tokenizer of a folder; raises `WeightsError` where it does not fit."""
        return MuiscText.load(
            folder,
            title_tokens=self.title_tokens,
            feedback_tokens=self.feedback_tokens,
            classes=self.classes if self.class_words else (),
            vocab_size=self.vocab_size,
        )


def read_config(folder: Path) -> Mapping[str, Any]:
    """Return the fields of a folder's config.json; none where there is no such file, or it is no JSON object."""
    try:
        saved = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return saved if isinstance(saved, dict) else {}


def architecture_of(folder: Path) -> str:
    """Return a digest of what a folder's graphs were exported from, beside the shapes of its weights."""
    kept = {name: value for name, value in read_config(folder).items() if name not in NOT_ARCHITECTURE}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def is_of_shipped_architecture(folder: Path) -> bool:
    """Tell whether a folder's model differs from the shipped one in nothing that its graph was exported for."""
    saved, shipped = read_config(folder), read_config(SHIPPED_FOLDER)
    return saved.keys() == shipped.keys() and all(
        saved[name] == shipped[name] for name in shipped.keys() - NOT_ARCHITECTURE
    )
