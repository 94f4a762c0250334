"""Pairs are compared in an order in which few pictures are read twice, and each pair once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agpis_sdk.index.candidates import io_schedule

ROWS = st.integers(0, 30)
PAIRS = st.sets(st.tuples(ROWS, ROWS).filter(lambda pair: pair[0] < pair[1]))


def as_array(pairs: set[tuple[int, int]] | list[tuple[int, int]]) -> np.ndarray:
    return np.array(sorted(pairs), np.int64).reshape(-1, 2)


def pictures_read(pairs: np.ndarray, at_once: int) -> int:
    """Return how many pictures are read where pairs are taken in order, as many together as `at_once` pictures make."""
    read, held = 0, set()
    for pair in pairs.tolist():
        if len(held.union(pair)) > at_once:
            read, held = read + len(held), set()
        held.update(pair)
    return read + len(held)


@given(PAIRS, st.integers(2, 12))
def test_every_pair_is_compared_once(pairs: set[tuple[int, int]], at_once: int) -> None:
    order = io_schedule(as_array(pairs), at_once)

    assert sorted(order.tolist()) == list(range(len(pairs)))


@given(PAIRS)
def test_the_same_pairs_are_compared_in_the_same_order(pairs: set[tuple[int, int]]) -> None:
    assert io_schedule(as_array(pairs), 5).tolist() == io_schedule(as_array(pairs), 5).tolist()


def test_pictures_that_hang_together_are_read_once() -> None:
    # Ten groups of eight, whose rows are scattered over the index.
    pairs = as_array([(one, other) for one in range(80) for other in range(one + 10, 80, 10)])

    order = io_schedule(pairs, 16)

    assert pictures_read(pairs[order], 16) == 80
    assert pictures_read(pairs, 16) > 200


def test_one_picture_that_is_near_to_all_is_no_trouble() -> None:
    pairs = as_array([(0, other) for other in range(1, 40)])

    order = io_schedule(pairs, 10)

    assert pictures_read(pairs[order], 10) == pytest.approx(40 + 4, abs=1)
