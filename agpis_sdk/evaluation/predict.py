"""Lets a model judge reviewed sequences, for calibration and for measuring."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from agpis_sdk.builtin.muisc.model import Muisc, SequenceFeature
from agpis_sdk.builtin.muisc.text import MuiscText
from agpis_sdk.datasets.review_dataset import Collator, Reviews
from agpis_sdk.datasets.review_features import LearnableReviews
from agpis_sdk.evaluation.predictions import JudgedReviews

BATCH = 64


def class_logits(
    model: Muisc, text: MuiscText, source: LearnableReviews, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the class logits (n, classes) of some reviews."""
    parts = [
        model.classify(sequence, prompt, mask).double().numpy()
        for sequence, prompt, mask in _encoded(model, text, source, rows)
    ]
    return np.concatenate(parts)


def judge(model: Muisc, text: MuiscText, source: LearnableReviews, rows: NDArray[np.int64]) -> JudgedReviews:
    """Return probabilities and generated feedback of some reviews beside what the reviewers said."""
    said: list[str] = []
    probabilities: list[NDArray[np.float64]] = []
    for sequence, prompt, mask in _encoded(model, text, source, rows):
        judged = model.probabilities(model.classify(sequence, prompt, mask))
        probabilities.append(judged.double().numpy())
        said.extend(feedback(model, text, sequence, prompt, mask, judged))
    reviews = [source.reviews[row] for row in rows]
    return JudgedReviews(
        codes=np.array([model.config.classes[model.config.class_of(review.code)] for review in reviews]),
        probabilities=np.concatenate(probabilities),
        feedback_said=said,
        feedback_written=[review.feedback for review in reviews],
        products=np.array([review.product for review in reviews]),
        classes=tuple(model.config.classes),
    )


def feedback(
    model: Muisc,
    text: MuiscText,
    sequence: SequenceFeature,
    prompt: torch.Tensor,
    mask: torch.Tensor,
    probabilities: torch.Tensor,
) -> list[str]:
    """Return the model's words on each sequence; none from a model without a decoder."""
    if not model.config.num_decoder_layers:
        return [""] * len(prompt)
    generated = model.generate_feedback(
        sequence, prompt, mask, eos_token_id=text.end, max_new_tokens=model.config.feedback_tokens,
        forbidden_first_tokens=text.forbidden_first_tokens(probabilities, objection_threshold=model.config.objection_threshold),
    )  # fmt: skip
    return [text.read(ids) for ids in generated.tolist()]


@torch.inference_mode()
def _encoded(
    model: Muisc, text: MuiscText, source: LearnableReviews, rows: NDArray[np.int64]
) -> Iterator[tuple[SequenceFeature, torch.Tensor, torch.Tensor]]:
    """Yield encoded sequences with their prompts, `BATCH` at a time."""
    reviews, collate = Reviews(source, rows, model.config), Collator(text)
    for start in range(0, len(rows), BATCH):
        batch = collate([reviews[index] for index in range(start, min(start + BATCH, len(rows)))])
        mask = batch["image_mask"]
        if "pixels" in batch:
            tokens, global_tokens = model.encode_pixels(batch["pixels"])
            mask = mask if model.config.fusion == "late" else None
        else:
            tokens, global_tokens = batch["tokens"], batch["global_tokens"]
        yield model.encode(tokens, global_tokens, mask), batch["input_ids"], batch["attention_mask"]
