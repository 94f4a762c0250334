"""Which outcomes are reviewed, in which order, and which of them twice: pure functions, the same for the same seed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agpis_sdk.config import ReviewSection
from agpis_sdk.records import Outcome

Urgency = Callable[[Outcome], float]


@dataclass(frozen=True)
class Place:
    """Where an outcome is in the queue: the smallest `rank`, 0..1, comes first; `reviews` says how many it needs."""

    outcome: Outcome
    rank: float
    audit: bool
    reviews: int


def in_order(outcomes: Sequence[Outcome], settings: ReviewSection, seed: int = 0) -> list[Place]:
    """Return the outcomes to review.

    The audit share is drawn from all outcomes at random and spread evenly over the queue, so that what reviewers say of
    it is true of the whole run, wherever they stop.
    """
    audited = [one for one in outcomes if draw(one.product_id, f"audit:{seed}") < settings.audit_share]
    drawn = {one.product_id for one in audited}
    ordinary = [one for one in outcomes if one.status in settings.statuses and one.product_id not in drawn]
    urgency = URGENCIES[settings.order]
    ordinary.sort(key=lambda one: (-urgency(one), draw(one.product_id, f"order:{seed}")))
    audited.sort(key=lambda one: draw(one.product_id, f"order:{seed}"))
    places = [
        Place(one, (position + 0.5) / len(group), group is audited, _reviews(one, settings, seed))
        for group in (ordinary, audited)
        for position, one in enumerate(group)
    ]
    return sorted(places, key=lambda place: place.rank)


def uncertainty(outcome: Outcome) -> float:
    """Return how near p^t is to 0.5, 0..1; 0 where there is no p^t.

    >>> uncertainty(Outcome(product_id="a", status="submit", probability=0.75))
    0.5
    """
    return 0.0 if outcome.probability is None else 1.0 - abs(2 * outcome.probability - 1)


def primary_doubt(outcome: Outcome) -> float:
    """Return how close the race for the first image was, 0..1: 1 less the lead of the largest p_primary over the next."""
    scores = sorted((image.p_primary for image in outcome.images if image.p_primary is not None), reverse=True)
    return 1.0 - (scores[0] - scores[1]) if len(scores) > 1 else 0.0


def draw(product_id: str, purpose: str) -> float:
    """Return a number in 0..1 that is random between products and always the same for one."""
    digest = hashlib.sha256(f"{purpose}:{product_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


URGENCIES: dict[str, Urgency] = {
    "uncertainty": uncertainty,
    "probability": lambda outcome: outcome.probability or 0.0,
    "primary": primary_doubt,
    "random": lambda _: 0.0,
}


def _reviews(outcome: Outcome, settings: ReviewSection, seed: int) -> int:
    return 2 if draw(outcome.product_id, f"double:{seed}") < settings.double_share else 1
