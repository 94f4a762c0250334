"""The built-in sequence builders: the primary image first, then K^t - 1 of the others."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agpis_sdk.builtin.builders.builders import ListedBuilder, RandomBuilder
from agpis_sdk.components import ComponentConfig, Context, SequenceCandidates
from agpis_sdk.records import Product
from tests.builtin.pictures import decoded

PIXELS = np.zeros((4, 4, 3), np.uint8)
IMAGES = {letter: decoded(PIXELS, letter, position) for position, letter in enumerate("abcdefgh")}
BUILDERS = [RandomBuilder(ComponentConfig()), ListedBuilder(ComponentConfig())]


def candidates(primary: str, others: str, product_id: str = "P1") -> SequenceCandidates:
    product = Product.model_validate({"id": product_id, "images": [f"{letter}.jpg" for letter in "abcdefgh"]})
    first, *rest = (replace(IMAGES[letter], product_id=product_id) for letter in (primary, *others))
    return SequenceCandidates(product=product, primary=first, others=tuple(rest))


def built(builder: Any, given: list[SequenceCandidates], length: int = 3, seed: int = 0) -> list[str]:
    context = cast("Context", SimpleNamespace(seed=seed))
    return ["".join(sequence.ids) for sequence in builder.build(given, length, context)]


@pytest.mark.parametrize("builder", BUILDERS)
@given(data=st.data(), length=st.integers(1, 8), seed=st.integers(0, 99))
def test_a_sequence_starts_with_the_primary_image_and_repeats_none(
    builder: Any, data: st.DataObject, length: int, seed: int
) -> None:
    letters = data.draw(st.permutations("abcdefgh"))
    others = "".join(letters[1 : data.draw(st.integers(length, 8))])

    (sequence,) = built(builder, [candidates(letters[0], others)], length, seed)

    assert sequence[0] == letters[0]
    assert len(sequence) == len(set(sequence)) == length
    assert set(sequence) <= {letters[0], *others}


def test_listed_takes_the_others_in_the_shop_s_order() -> None:
    assert built(BUILDERS[1], [candidates("c", "abde")], 4) == ["cabd"]


def test_random_draws_the_same_for_the_same_seed_and_product() -> None:
    given_ = [candidates("a", "bcdefgh", f"P{number}") for number in range(20)]

    assert built(BUILDERS[0], given_) == built(BUILDERS[0], given_)
    assert built(BUILDERS[0], given_, seed=1) != built(BUILDERS[0], given_)


def test_random_draws_apart_for_each_product_whatever_comes_with_it() -> None:
    given_ = [candidates("a", "bcdefgh", f"P{number}") for number in range(20)]
    together = built(BUILDERS[0], given_)

    assert [built(BUILDERS[0], [one])[0] for one in given_] == together
    assert len(set(together)) > 10


def test_random_prefers_no_image() -> None:
    drawn = built(BUILDERS[0], [candidates("a", "bcde", f"P{number}") for number in range(4000)], 2)

    counts = [sum(sequence[1] == letter for sequence in drawn) for letter in "bcde"]
    assert min(counts) > 900
