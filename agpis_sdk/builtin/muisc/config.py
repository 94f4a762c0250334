"""Settings of the MUIsC scorer."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from agpis_sdk.components import ComponentConfig


class MuiscScorerConfig(ComponentConfig):
    """Settings of the MUIsC scorer."""

    model: Path | None = Field(default=None, description="A folder of `agpis train muisc`; the shipped one when unset.")
    feedback_tokens: int = Field(default=32, ge=0, description="Longest feedback; 0 writes none.")


class MuiscTrainingConfig(ComponentConfig):
    """Options of `agpis train muisc`."""

    epochs: int = Field(default=10, ge=1, description="Most passes over the train split.")
    batch_size: int | None = Field(
        default=None, ge=1, description="64; with adapt 16, which makes more steps of few reviews."
    )
    accumulation: int = Field(default=1, ge=1, description="Batches per step.")
    learning_rate: float | None = Field(
        default=None, gt=0, description="8e-4 for a new model, 2e-4 with adapt, 1.5e-4 for the size paper."
    )
    adapt: str | None = Field(
        default=None, description='A trained model to go on from: "muisc-lite", which ships, a folder, or a hub id.'
    )
    size: Literal["lite", "paper", "released"] = Field(
        default="lite", description="The small model, the paper's, or the released layout."
    )
    switch: tuple[str, ...] = Field(
        default=(), description='Fields of MuiscConfig, e.g. "use_title=false" or "nlg_weight=0"; repeatable.'
    )
    accepted_share: float = Field(
        default=0.5, ge=0.05, le=0.95, description="Most accepted reviews in the train split, as a share."
    )
    title_products: int = Field(default=3, ge=1, description="Title words of fewer products are not read; 1 reads all.")
    tower: str | None = Field(default=None, description="Pretrained weights of the config's own tower.")
    decoder: str | None = Field(default=None, description="A GPT-2 folder or hub id to start from.")
    tokenizer: str | None = Field(default=None, description="A Hugging Face tokenizer to use.")
