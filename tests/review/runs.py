"""Outcomes as a run writes them, made up."""

from __future__ import annotations

import uuid
from typing import Any

from agpis_sdk.records import CandidateImage, Finding, ImageOutcome, Outcome, Product
from agpis_sdk.review.outcomes import RunOutput, RunProduct
from agpis_sdk.review.store.decisions import Judgment


def run_product(number: int, **changes: Any) -> RunProduct:
    """Return a product of four images a, b, c, d, and an outcome that submits a, b, c; p^t falls with the number."""
    name = f"p{number:05d}"
    images = tuple(CandidateImage(id=letter, uri=f"{name}-{letter}.png") for letter in "abcd")
    states = {"a": "primary", "b": "selected", "c": "selected", "d": "removed"}
    outcome = {
        "product_id": name,
        "status": "submit",
        "sequence": ("a", "b", "c"),
        "probability": max(0.0, 0.99 - number / 20_000),
        "feedback": "there is a watermark on the second image",
        "images": tuple(
            ImageOutcome(id=one, state=states[one], p_primary=0.9 if one == "a" else 0.1) for one in "abcd"
        ),  # type: ignore[arg-type]
        "findings": (
            Finding(code="AGP201", name="duplicate-content", images=("a", "d"), score=0.9, message="Nearly the same."),
        ),
    }
    product = Product(id=name, title=f"Product {number}", category=f"Category {number % 3}", images=images)
    return RunProduct(product, Outcome(**{**outcome, **changes}))


def run_of(count: int, **changes: Any) -> RunOutput:
    """Return the outcomes of a run of so many products."""
    return RunOutput("outcomes.jsonl", uuid.uuid4().hex, "", tuple(run_product(row, **changes) for row in range(count)))


def accepting(key: str = "", **changes: Any) -> Judgment:
    """Return a judgment that accepts a, b, c."""
    return Judgment(**{"key": key or uuid.uuid4().hex, "verdict": "accepted", "sequence": ("a", "b", "c"), **changes})


def rejecting(key: str = "", **changes: Any) -> Judgment:
    """Return a judgment that rejects a, b, c for a watermark."""
    said = {"verdict": "rejected", "rules": ("AGP121",), "feedback": "watermark on the second image"}
    return accepting(key, **{**said, **changes})
