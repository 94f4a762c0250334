"""A builder that asks for p^t: the engine answers for whichever scorer is configured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from agpis_sdk.components import Context, ImageSequence
from agpis_sdk.errors import ConfigError
from agpis_sdk.records import SequenceVerdict
from pipeline.fakes import Stand, product, verdict

SEARCH = {"sequence.builder": "search"}


def likes_reversed(sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
    """Find a sequence likelier accepted the later its second image was listed."""
    for sequence in sequences:
        yield verdict(sequence, p_qualified=sequence.images[1].position / 10, feedback="yes")


def test_the_sequence_with_the_highest_probability_is_submitted(gallery: Path) -> None:
    outcome = Stand().scorer(likes_reversed).run_one(product(gallery, "abcd"), {**SEARCH, "sequence.threshold": 0.3})

    assert outcome.sequence[:2] == ("a", "d")
    assert outcome.probability == 0.3
    assert outcome.feedback == "yes"


@pytest.mark.parametrize("batch_size", [1, 2, 16])
def test_what_is_chosen_does_not_depend_on_the_batch(gallery: Path, batch_size: int) -> None:
    products = [product(gallery, letters, letters) for letters in ("abcd", "bcda", "cab")]

    outcomes = Stand().scorer(likes_reversed).run(products, {**SEARCH, "run.batch_size": batch_size})

    assert ["".join(outcome.sequence) for outcome in outcomes] == ["adb", "bac", "cba"]


def test_without_a_scorer_the_search_is_refused() -> None:
    with pytest.raises(ConfigError, match="there is no scorer"):
        Stand().pipeline({**SEARCH, "sequence.scorer": "none"})


def test_a_scorer_that_fails_is_named(gallery: Path) -> None:
    def fails(sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
        raise RuntimeError("out of ink")

    outcome = Stand().scorer(fails).run_one(product(gallery, "abcd"), SEARCH)

    assert outcome.status == "failed"
    assert "steady" in (outcome.reason or "") + (outcome.detail or "")
    assert "out of ink" in (outcome.reason or "") + (outcome.detail or "")
