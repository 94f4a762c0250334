"""Decisions as reviews: the training data of the next models."""

from __future__ import annotations

from collections.abc import Iterator

from agpis_sdk.records import Mark, Outcome, Product, Review
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.decisions import Judged, judged

ACCEPTED_WORDS = "yes"


def reviews_of(store: Store, queue_id: int | None = None) -> Iterator[Review | None]:
    """Yield the decisions that count, of one queue or of all, as reviews; None for a product without a usable sequence."""
    for one in judged(store, queue_id):
        yield review_of(one)


def review_of(one: Judged) -> Review | None:
    """Return a decision as a review; None where it holds no sequence.

    A correction is an accepted review of the reviewer's own sequence; `proposed` is what it replaced.
    """
    decision = one.decision
    if not decision.sequence:
        return None
    product = Product.model_validate_json(one.item.product)
    rejected = decision.verdict == "rejected"
    proposed = Outcome.model_validate_json(one.item.outcome).sequence if decision.verdict == "corrected" else ()
    return Review(
        product=product,
        sequence=tuple(decision.sequence),
        decision="rejected" if rejected else "accepted",
        feedback=decision.feedback if rejected else ACCEPTED_WORDS,
        rules=tuple(decision.rules),
        marks=tuple(Mark.model_validate(mark) for mark in decision.marks),
        proposed=proposed,
    )
