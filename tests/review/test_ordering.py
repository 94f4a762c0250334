"""Which outcomes are reviewed, in which order, and which of them at random or twice."""

from __future__ import annotations

from typing import Any

import pytest

from agpis_sdk.config import ReviewSection
from agpis_sdk.records import ImageOutcome, Outcome
from agpis_sdk.review.ordering import Place, in_order


def outcome(
    name: str, probability: float | None = 0.5, status: Any = "submit", scores: tuple[float, ...] = ()
) -> Outcome:
    images = tuple(ImageOutcome(id=str(n), state="kept", p_primary=score) for n, score in enumerate(scores))
    return Outcome(product_id=name, status=status, probability=probability, images=images)


def ordered(outcomes: list[Outcome], **settings: Any) -> list[str]:
    section = ReviewSection(**{"audit_share": 0.0, "double_share": 0.0, **settings})
    return [place.outcome.product_id for place in in_order(outcomes, section)]


THREE = [outcome("sure", 0.95, scores=(0.9, 0.1)), outcome("unsure", 0.52, scores=(0.5, 0.5)), outcome("fair", 0.7)]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("uncertainty", ["unsure", "fair", "sure"]),
        ("probability", ["sure", "fair", "unsure"]),
        ("primary", ["unsure", "sure", "fair"]),
    ],
)
def test_the_order_is_what_the_config_names(order: str, expected: list[str]) -> None:
    assert ordered(THREE, order=order) == expected


def test_only_the_statuses_named_are_reviewed() -> None:
    outcomes = [outcome("sent"), outcome("held", status="hold"), outcome("none", status="none")]

    assert ordered(outcomes) == ["sent"]
    assert set(ordered(outcomes, statuses=("hold", "none"))) == {"held", "none"}


def places(count: int, **settings: Any) -> list[Place]:
    outcomes = [outcome(f"p{n}", n / count, "submit" if n % 2 else "hold") for n in range(count)]
    return in_order(outcomes, ReviewSection(**settings))


def test_the_audit_share_is_drawn_from_all_outcomes_and_spread_evenly() -> None:
    audited = [place for place in places(2000, audit_share=0.2) if place.audit]

    held = sum(place.outcome.status == "hold" for place in audited)
    assert len(audited) == pytest.approx(400, abs=60)
    assert held == pytest.approx(len(audited) / 2, abs=40)
    assert sum(place.rank < 0.5 for place in audited) == pytest.approx(len(audited) / 2, abs=1)


def test_the_double_share_needs_two_reviews() -> None:
    twice = [place for place in places(2000, double_share=0.1) if place.reviews == 2]

    assert len(twice) / len(places(2000)) == pytest.approx(0.1, abs=0.03)


def test_the_order_does_not_depend_on_the_order_of_the_file() -> None:
    outcomes = [outcome(f"p{n}") for n in range(50)]

    assert ordered(outcomes, order="random") == ordered(outcomes[::-1], order="random")
