"""The builder `search`: the sequence that the scorer likes best, the primary image first."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agpis_sdk.builtin.builders.config import SearchBuilderConfig
from agpis_sdk.builtin.builders.search import SearchBuilder
from agpis_sdk.components import Context, DecodedImage, ImageSequence, SequenceCandidates
from agpis_sdk.facts import ColorHistogram
from agpis_sdk.records import Finding
from tests.builtin.test_builders import candidates
from tests.pipeline.fakes import Stand, product


@dataclass
class Taste:
    """A context whose scorer likes some letters at some places; it notes what it was asked."""

    likes: dict[tuple[int, str], float]
    asked: list[int] = field(default_factory=list)
    sequence_fewest: int = 1

    def score(self, letters: Sequence[str]) -> float:
        return sum(self.likes.get((place, letter), 0.0) for place, letter in enumerate(letters)) / 10

    def fact(self, image: DecodedImage, name: str) -> object:
        return None  # no histogram: nothing can be said of colors

    def p_qualified(self, sequences: Sequence[ImageSequence]) -> list[float]:
        self.asked.append(len(sequences))
        return [self.score(sequence.ids) for sequence in sequences]


def chosen(taste: Taste, others: str, length: int = 3, **settings: int) -> str:
    builder = SearchBuilder(SearchBuilderConfig(**settings))
    (sequence,) = builder.build([candidates("a", others)], length, cast("Context", taste))
    return "".join(sequence.ids)


def test_the_best_order_is_found() -> None:
    taste = Taste({(1, "d"): 1.0, (2, "b"): 0.5})

    assert chosen(taste, "bcd") == "adb"


def test_of_equals_the_shop_s_own_order_wins() -> None:
    assert chosen(Taste({}), "bcd") == "abc"


def test_all_sequences_of_all_products_are_scored_in_one_call() -> None:
    taste = Taste({})

    given = [candidates("a", "bcd"), candidates("b", "cde", product_id="P2")]
    list(SearchBuilder(SearchBuilderConfig()).build(given, 3, taste))

    assert taste.asked == [12]


tastes = st.dictionaries(
    st.tuples(st.integers(1, 3), st.sampled_from("bcdefgh")), st.integers(0, 3).map(float), max_size=12
)


@given(likes=tastes, others=st.permutations("bcdefg"), length=st.integers(2, 4))
@settings(deadline=None)
def test_what_is_chosen_is_the_best_of_all(likes: dict[tuple[int, str], float], others: str, length: int) -> None:
    taste = Taste(likes)

    found = chosen(taste, "".join(others), length, exhaustive_up_to=1000)

    assert taste.score(found) == max(taste.score(("a", *rest)) for rest in itertools.permutations(others, length - 1))
    assert found[0] == "a"
    assert len(set(found)) == length


@given(likes=tastes, others=st.permutations("bcdef"))
@settings(deadline=None)
def test_a_beam_that_keeps_everything_is_exhaustive(likes: dict[tuple[int, str], float], others: str) -> None:
    taste = Taste(likes)

    wide = chosen(taste, "".join(others), 4, exhaustive_up_to=1, beam_width=1000)

    assert wide == chosen(taste, "".join(others), 4, exhaustive_up_to=1000)


def test_a_narrow_beam_scores_few() -> None:
    taste = Taste({(1, "h"): 1.0, (2, "g"): 1.0})

    assert chosen(taste, "bcdefgh", 3, exhaustive_up_to=1, beam_width=1) == "ahg"
    assert sum(taste.asked) == 7 + 6


def test_a_sequence_of_the_primary_alone_needs_no_choice() -> None:
    assert chosen(Taste({}), "", 1) == "a"


class Colors(Taste):
    """A context that knows the color of each letter."""

    def fact(self, image: DecodedImage, name: str) -> ColorHistogram | np.ndarray:
        if name == "product_embedding":
            return np.ones(4, np.float32)
        hue = 60.0 if image.id in "bd" else -60.0
        return ColorHistogram(np.array([[25, hue, 0]], np.float32), np.ones(1, np.float32))


class TestImagesOfAnotherColor:
    def test_are_left_out_where_no_sequence_of_one_color_is_long_enough(self) -> None:
        assert chosen(Colors({}), "bcd", length=4) == "ac"

    def test_are_kept_where_too_few_would_be_left(self) -> None:
        assert chosen(Colors({}, sequence_fewest=3), "bcd") == "abc"

    def test_are_kept_where_the_setting_says_so(self) -> None:
        assert chosen(Colors({}), "bcd", length=4, shorten=False) == "abcd"

    def test_are_not_scored_where_they_cannot_win(self) -> None:
        colors = Colors({(1, "c"): 4.0, (2, "e"): 4.0})

        assert chosen(colors, "bcde") == "ace"
        assert colors.asked == [2]  # ace and aec alone are of one color

    def test_win_where_the_others_are_unlikely(self) -> None:
        colors = Colors({(1, "b"): 9.0})

        assert chosen(colors, "bce", shorten=False) == "abc"

    def test_are_told_by_the_finding_that_two_are_one_shot_in_two_colors(self) -> None:
        variant = Finding(code="AGP208", name="color-variant", images=("a", "c"), score=0.8, message="")
        given = replace(candidates("a", "ceg"), findings=(variant,))

        (sequence,) = SearchBuilder(SearchBuilderConfig()).build([given], 3, cast("Context", Colors({(1, "c"): 4.0})))

        assert "".join(sequence.ids) == "aeg"


def test_a_shortened_sequence_says_so(gallery: Path) -> None:
    def build(given: Sequence[SequenceCandidates], length: int, context: Context) -> list[ImageSequence]:
        return [ImageSequence(product=one.product, images=(one.primary,)) for one in given]

    stand = Stand().builder(build, name="short")
    outcome = stand.run_one(product(gallery), {"sequence.builder": "short", "sequence.min_length": 1})

    assert outcome.sequence == ("a",)
    assert outcome.detail == "1 of 3 images: short left out what does not go with the first"
