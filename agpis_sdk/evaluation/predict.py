"""Run a model over reviewed sequences, for calibration and evaluation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from agpis_sdk.batches import batches
from agpis_sdk.builtin.muisc.model import Muisc, SequenceFeature
from agpis_sdk.builtin.muisc.text import MuiscText
from agpis_sdk.datasets.review_dataset import Collator, Reviews
from agpis_sdk.datasets.review_features import LearnableReviews
from agpis_sdk.evaluation.predictions import Predictions

BATCH = 64


def class_logits(
    model: Muisc, text: MuiscText, source: LearnableReviews, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the class logits (n, C) of the reviews in `rows` (n,)."""
    parts = [
        model.classify(sequence, prompt, mask).double().numpy()
        for sequence, prompt, mask in _encoded(model, text, source, rows)
    ]
    return np.concatenate(parts)


def predict(model: Muisc, text: MuiscText, source: LearnableReviews, rows: NDArray[np.int64]) -> Predictions:
    """Return the model's probabilities and generated feedback for the reviews in `rows` (n,), beside their labels."""
    generated: list[str] = []
    probabilities: list[NDArray[np.float64]] = []
    for sequence, prompt, mask in _encoded(model, text, source, rows):
        class_probabilities = model.probabilities(model.classify(sequence, prompt, mask))
        probabilities.append(class_probabilities.double().numpy())
        generated.extend(feedback(model, text, sequence, prompt, mask, class_probabilities))
    reviews = [source.reviews[row] for row in rows]
    return Predictions(
        codes=np.array([model.config.classes[model.config.class_of(review.code)] for review in reviews]),
        probabilities=np.concatenate(probabilities),
        generated_feedback=generated,
        reviewer_feedback=[review.feedback for review in reviews],
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
    """Return the generated feedback of each sequence; "" from a model without a decoder."""
    if not model.config.num_decoder_layers:
        return [""] * len(prompt)
    token_ids = model.generate_feedback(
        sequence, prompt, mask, eos_token_id=text.end, max_new_tokens=model.config.feedback_tokens,
        forbidden_first_tokens=torch.from_numpy(
            text.forbidden_first_tokens(probabilities.cpu().numpy(), objection_threshold=model.config.objection_threshold)
        ).to(probabilities.device),
    )  # fmt: skip
    return [text.read(ids) for ids in token_ids.tolist()]


@torch.inference_mode()
def _encoded(
    model: Muisc, text: MuiscText, source: LearnableReviews, rows: NDArray[np.int64]
) -> Iterator[tuple[SequenceFeature, torch.Tensor, torch.Tensor]]:
    """Yield batches of encoded sequences with their prompts and prompt masks, `BATCH` at a time."""
    reviews, collate = Reviews(source, rows, model.config), Collator(text)
    for places in batches(range(len(rows)), BATCH):
        batch = collate([reviews[place] for place in places])
        mask = batch["image_mask"]
        if "pixels" in batch:
            tokens, global_tokens = model.encode_pixels(batch["pixels"])
            mask = mask if model.config.fusion == "late" else None
        else:
            tokens, global_tokens = batch["tokens"], batch["global_tokens"]
        sequence = model.encode(tokens, global_tokens, mask, batch.get("evidence"))
        yield sequence, batch["input_ids"], batch["attention_mask"]
