"""Trains MUIsC on reviews (paper sections 3.4.3 and 4.2) over the frozen backbone's tokens."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agpis_sdk.builtin.muisc.model import Muisc, MuiscConfig
from agpis_sdk.builtin.muisc.text import CLASSES, END, QUALIFIED, MuiscText
from agpis_sdk.components import Backbone, DecodedImage
from agpis_sdk.errors import ImageReadError, TrainingDataError
from agpis_sdk.learn.photos import load_photo
from agpis_sdk.learn.rule_words import rules_in
from agpis_sdk.learn.splits import Split, split_of
from agpis_sdk.records import Review

BATCH_SIZE = 64
REVIEWS_AT_ONCE = 32
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class ReviewTable:
    """Reviews as tensors: tokens (n, K, h*w, C) and globals (n, K, G) float16, classes (n,), and the words."""

    tokens: Tensor
    global_tokens: Tensor
    classes: Tensor
    titles: list[str]
    feedback: list[str]
    splits: NDArray[np.str_]


def train_muisc(
    reviews: Iterable[Review],
    out: Path,
    backbone: Backbone,
    *,
    seed: int = 0,
    epochs: int = 12,
    learning_rate: float = 6e-4,
) -> dict[str, Any]:
    """Train on the train split, stop at the best validation AUC, calibrate there, and measure on the test split.

    Writes model, tokenizer and metrics to `out`. Raises `TrainingDataError` when a split cannot be learned from.
    """
    table, skipped = review_table(reviews, backbone, seed=seed)
    train = np.flatnonzero(table.splits == "train")
    if len(set((table.classes[train] > 0).tolist())) < 2:
        raise TrainingDataError("all reviews of the train split have one decision", item="muisc", remedy="add others")
    config = _config(table)
    words = [text for row in train for text in (table.titles[row], table.feedback[row])]
    text = MuiscText.train(
        words,
        vocabulary=config.vocabulary,
        title_tokens=config.title_tokens,
        feedback_tokens=config.feedback_tokens,
    )
    config.vocabulary = text.vocabulary
    model = fit(table, config, text, seed=seed, epochs=epochs, learning_rate=learning_rate)
    model.config.mcc_temperature = temperature(model, table, text)
    metrics = {
        "seed": seed,
        "reviews": {split: int((table.splits == split).sum()) for split in SPLITS},
        "skipped_reviews": skipped,
        "temperature": round(model.config.mcc_temperature, 4),
        **{split: measure(model, table, text, split) for split in ("validation", "test")},
    }
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out)
    text.save(out)
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    return metrics


def review_table(reviews: Iterable[Review], backbone: Backbone, *, seed: int) -> tuple[ReviewTable, int]:
    """Run the backbone over the images of reviewed sequences; return also how many reviews had an image gone."""
    tokens, global_tokens, classes, titles, feedback, splits = [], [], [], [], [], []
    readable = _Readable(reviews)
    while chunk := list(itertools.islice(readable, REVIEWS_AT_ONCE)):
        # Many sequences at once, so that the backbone sees full batches.
        facts = iter(backbone.features([image for _, images in chunk for image in images]))
        for review, images in chunk:
            own = list(itertools.islice(facts, len(images)))
            tokens.append(np.stack([f["tokens"].reshape(f["tokens"].shape[0], -1).T for f in own]).astype(np.float16))
            global_tokens.append(np.stack([f["embedding"] for f in own]).astype(np.float16))
            classes.append(class_of(review))
            titles.append(review.product.title)
            feedback.append(review.feedback if review.decision == "rejected" else QUALIFIED)
            splits.append(_split(review, seed))
    if not classes or len({array.shape for array in tokens}) != 1:
        raise TrainingDataError("no readable review, or sequences of different lengths", item="muisc")
    table = ReviewTable(
        torch.from_numpy(np.stack(tokens)),
        torch.from_numpy(np.stack(global_tokens)),
        torch.tensor(classes),
        titles,
        feedback,
        np.array(splits),
    )
    return table, readable.skipped


class _Readable:
    """Iterates over reviews with their decoded sequences, and counts those with an image gone."""

    def __init__(self, reviews: Iterable[Review]) -> None:
        self._reviews = iter(reviews)
        self.skipped = 0

    def __iter__(self) -> Iterator[tuple[Review, list[DecodedImage]]]:
        return self

    def __next__(self) -> tuple[Review, list[DecodedImage]]:
        while True:
            review = next(self._reviews)
            by_id = {image.id: image for image in review.product.images}
            try:
                return review, [load_photo(review.product, by_id[image_id]) for image_id in review.sequence]
            except ImageReadError:
                self.skipped += 1


def class_of(review: Review) -> int:
    """Return a review's class: 0 accepted, else that of the first rule it names, else that of "other"."""
    if review.decision == "accepted":
        return 0
    rules = review.rules or rules_in(review.feedback)
    return CLASSES.index(rules[0]) if rules and rules[0] in CLASSES else CLASSES.index("other")


def fit(
    table: ReviewTable, config: MuiscConfig, text: MuiscText, *, seed: int, epochs: int, learning_rate: float
) -> Muisc:
    """Train with AdamW and keep the epoch with the best validation AUC."""
    torch.manual_seed(seed)
    order = torch.Generator().manual_seed(seed)
    model = Muisc(config)
    rows = torch.from_numpy(np.flatnonzero(table.splits == "train"))
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.05)
    steps = epochs * -(-len(rows) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=learning_rate, total_steps=steps)
    best, best_auc = {}, -1.0
    for _ in range(epochs):
        model.train()
        for batch in rows[torch.randperm(len(rows), generator=order)].split(BATCH_SIZE):
            words, mask = text.with_feedback(*_words(table, batch))
            tokens, global_tokens = table.tokens[batch].float(), table.global_tokens[batch].float()
            with torch.autocast(model.device.type, dtype=torch.bfloat16):
                loss = model(tokens, global_tokens, words, mask, table.classes[batch]).loss
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        # With no product in the validation split, the last epoch is the best one known.
        auc = measure(model, table, text, "validation", feedback=False).get("auc", best_auc)
        if auc >= best_auc:
            best_auc, best = auc, {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.load_state_dict(best)
    model.eval()
    return model


@torch.inference_mode()
def judge(
    model: Muisc, table: ReviewTable, text: MuiscText, rows: NDArray[np.int64], *, feedback: bool
) -> tuple[Tensor, list[str]]:
    """Return class logits (n, classes) and generated feedback of some rows."""
    model.eval()
    logits: list[Tensor] = []
    said: list[str] = []
    for batch in torch.from_numpy(rows).split(BATCH_SIZE):
        sequence = model.encode(table.tokens[batch].float(), table.global_tokens[batch].float())
        words, mask = text.prompts(_words(table, batch)[0])
        logits.append(model.to_classes(model.decode(sequence, words, mask)[:, -1]))
        if feedback:
            generated = model.generate_feedback(sequence, words, mask, END, model.config.feedback_tokens)
            said.extend(text.read(ids) for ids in generated.tolist())
    return torch.cat(logits), said


def measure(
    model: Muisc, table: ReviewTable, text: MuiscText, split: Split, *, feedback: bool = True
) -> dict[str, Any]:
    """Return AUC (overall and against each category alone), recall at precision, calibration and feedback quality."""
    from agpis_sdk.learn.sequence_metrics import expected_calibration_error, sequence_metrics

    rows = np.flatnonzero(table.splits == split)
    if len(set((table.classes[rows] > 0).tolist())) < 2:
        return {}
    logits, said = judge(model, table, text, rows, feedback=feedback)
    p_qualified = model.p_qualified(logits)[:, 0].numpy()
    codes = np.array([CLASSES[index] for index in table.classes[rows].tolist()])
    metrics = {
        **sequence_metrics(codes, p_qualified),
        "ece": expected_calibration_error(codes == QUALIFIED, p_qualified),
    }
    if feedback:
        rejected = [(code, words) for code, words in zip(codes, said, strict=True) if code != QUALIFIED]
        metrics["feedback_names_the_rule"] = round(
            float(np.mean([rules_in(words)[:1] == (code,) for code, words in rejected])), 4
        )
    return metrics


def temperature(model: Muisc, table: ReviewTable, text: MuiscText) -> float:
    """Return the temperature that makes the validation split's classes most probable."""
    rows = np.flatnonzero(table.splits == "validation")
    if not len(rows):
        return 1.0
    logits, _ = judge(model, table, text, rows, feedback=False)
    candidates = np.geomspace(0.5, 4.0, 61)
    losses = [
        float(torch.nn.functional.cross_entropy(logits / float(value), table.classes[rows])) for value in candidates
    ]
    return float(candidates[int(np.argmin(losses))])


def _words(table: ReviewTable, batch: Tensor) -> tuple[Sequence[str], Sequence[str]]:
    rows = batch.tolist()
    return [table.titles[row] for row in rows], [table.feedback[row] for row in rows]


def _split(review: Review, seed: int) -> Split:
    """Return the split that the bench wrote down, else the product's own."""
    written = review.product.attributes.get("split")
    return cast("Split", written) if written in SPLITS else split_of(review.product, seed=seed)


def _config(table: ReviewTable) -> MuiscConfig:
    _, _, patches, channels = table.tokens.shape
    return MuiscConfig(token_channels=channels, global_channels=table.global_tokens.shape[2], patches=patches)
