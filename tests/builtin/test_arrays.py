"""Reductions of short arrays: what numpy says, sooner."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from agpis_sdk.builtin.arrays import byte_counts, byte_quantile, counted_medians, medians, quantile, squared_length

shares = st.floats(0, 1)
bytes_of_a_picture = arrays_of.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)))


@given(values=arrays_of.arrays(np.float32, st.integers(1, 40), elements=st.floats(-99, 99, width=32)), share=shares)
def test_a_quantile_is_that_of_numpy(values: np.ndarray, share: float) -> None:
    assert quantile(values, share) == pytest.approx(np.quantile(values.astype(np.float64), share), abs=1e-9)


@given(values=bytes_of_a_picture, share=shares)
def test_a_quantile_of_bytes_is_that_of_numpy(values: np.ndarray, share: float) -> None:
    assert byte_quantile(values, share) == pytest.approx(np.quantile(values, share), abs=1e-9)


def test_a_squared_length_sums_over_the_channels() -> None:
    vectors = np.array([[[3.0, 4.0, 0.0], [1.0, 2.0, 2.0]]], np.float32)

    assert squared_length(vectors).tolist() == [[25.0, 9.0]]


@given(values=bytes_of_a_picture, seed=st.integers(0, 99))
def test_bytes_inside_a_mask_are_counted_as_if_the_others_were_not_there(values: np.ndarray, seed: int) -> None:
    mask = np.random.default_rng(seed).random(values.shape) < 0.5

    assert byte_counts(values, mask).tolist() == np.bincount(values[mask], minlength=256).tolist()


@given(rows=arrays_of.arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 9))))
def test_medians_by_counts_are_those_of_the_values(rows: np.ndarray) -> None:
    counts = np.stack([np.bincount(row, minlength=256) for row in rows])

    assert counted_medians(counts).tolist() == np.median(rows, axis=1).tolist()


@given(
    values=arrays_of.arrays(
        np.float32, st.tuples(st.integers(1, 4), st.integers(1, 7), st.just(3)), elements=st.floats(-99, 99, width=32)
    )
)
def test_medians_along_an_axis_are_those_of_numpy(values: np.ndarray) -> None:
    assert medians(values).tolist() == np.median(values, axis=1).tolist()
