"""Which products a model was trained on, noted beside it, so that nobody measures it on them without a warning."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from agpis_sdk.datasets.galleries import read_reviews, split_of_review
from agpis_sdk.datasets.splits import split_key
from agpis_sdk.records import Product
from agpis_sdk.training.request import EvaluationRequest, TrainingRequest
from agpis_sdk.wording import counted, percent

FILE = "trained-products.json"
DIGITS = 12  # of a SHA-256: two of a million products share them with a probability of 0.002


def note_trained_products(request: TrainingRequest) -> None:
    """Write the digests of the products whose reviews were learned from; nothing where there are no reviews."""
    if request.reviews is None:
        return
    learned = {
        _digest(review.product)
        for review in read_reviews(request.reviews)
        if split_of_review(review, seed=request.seed) != "test"
    }
    (request.out / FILE).write_text(json.dumps(sorted(learned)) + "\n", encoding="utf-8")


def warn_of_trained_products(request: EvaluationRequest) -> None:
    """Say how many of the products that are judged the model was trained on; nothing where that is not noted."""
    model = Path(request.model)
    noted = next((path for path in (model / FILE, model.parent / FILE) if path.is_file()), None)
    if noted is None or request.reviews is None:
        return
    learned = set(json.loads(noted.read_text(encoding="utf-8")))
    judged = {
        _digest(review.product)
        for review in read_reviews(request.reviews)
        if request.split in ("all", split_of_review(review, seed=request.seed))
    }
    if shared := len(judged & learned):
        share = percent(shared / len(judged))
        request.note(
            f"agpis: WARNING: the model was trained on {shared:,} of {counted(len(judged), 'product')} ({share}) that are judged; "
            "the figures are too good. Take other reviews, or --split test with the --seed of the training"
        )


def _digest(product: Product) -> str:
    return hashlib.sha256(split_key(product).encode()).hexdigest()[:DIGITS]
