"""A correction teaches twice: what the reviewer put together is accepted, and what it replaced was not."""

from __future__ import annotations

import pytest

from agpis_sdk.datasets.galleries import with_replaced
from agpis_sdk.records import CandidateImage, Product, Review

PRODUCT = Product(id="p", images=tuple(CandidateImage(id=letter, uri=f"{letter}.jpg") for letter in "abcd"))


def corrected(sequence: str, proposed: str) -> Review:
    return Review(
        product=PRODUCT, sequence=tuple(sequence), decision="accepted", feedback="yes", proposed=tuple(proposed)
    )


@pytest.mark.parametrize(
    ("sequence", "rules"), [("bac", ("AGP302",)), ("abd", ()), ("ab", ()), ("dab", ())], ids=lambda value: str(value)
)
def test_what_a_correction_replaced_is_rejected(sequence: str, rules: tuple[str, ...]) -> None:
    own, replaced = with_replaced([corrected(sequence, "abc")])

    assert (own.decision, own.sequence) == ("accepted", tuple(sequence))
    assert (replaced.decision, replaced.sequence, replaced.rules) == ("rejected", ("a", "b", "c"), rules)


def test_other_reviews_stay_alone() -> None:
    accepted = Review(product=PRODUCT, sequence=("a",), decision="accepted")
    rejected = accepted.model_copy(update={"decision": "rejected"})

    assert list(with_replaced([accepted, rejected])) == [accepted, rejected]


def test_what_was_replaced_is_of_the_same_product_and_split() -> None:
    review = corrected("ba", "ab")
    review = review.model_copy(update={"product": PRODUCT.model_copy(update={"attributes": {"split": "test"}})})

    own, replaced = with_replaced([review])

    assert replaced.product == own.product
