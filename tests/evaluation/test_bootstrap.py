"""Weighted metrics are scikit-learn's on repeated rows, and a bootstrap draws whole products."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, precision_recall_curve, roc_auc_score

from agpis_sdk.evaluation import bootstrap
from agpis_sdk.evaluation.bootstrap import WeightedMetrics, bin_of, bootstrap_weights, confidence_interval

# A score of few levels brings ties; a weight of 0 leaves a review out.
ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 8), st.integers(0, 3)), min_size=1, max_size=40)


def weighted(rows: list[tuple[bool, int, int]]) -> tuple[WeightedMetrics, np.ndarray, np.ndarray]:
    """The same reviews twice: with weights, and with rows repeated as often as their weights say."""
    qualified = np.array([row[0] for row in rows])
    scores = np.array([row[1] / 8 for row in rows])
    weights = np.array([row[2] for row in rows])
    block = WeightedMetrics(weights[None, :].astype(float), qualified, scores)
    return block, np.repeat(qualified, weights), np.repeat(scores, weights)


def one_sided(qualified: np.ndarray) -> bool:
    return len(set(qualified.tolist())) < 2


@given(ROWS)
def test_the_area_under_roc_is_that_of_scikit_learn(rows) -> None:
    block, qualified, scores = weighted(rows)

    area = block.area_under_roc(~block.qualified)[0]

    if one_sided(qualified):
        assert np.isnan(area)
    else:
        assert area == pytest.approx(roc_auc_score(qualified, scores))


@given(ROWS, st.sampled_from([0.5, 0.8, 0.85, 0.9, 1.0]))
def test_recall_at_precision_is_that_of_scikit_learn_s_curve(rows, level: float) -> None:
    block, qualified, scores = weighted(rows)

    found = block.recall_at_precision(level)[0]

    if not qualified.any():
        assert np.isnan(found)
    else:
        precision, recall, _ = precision_recall_curve(qualified, scores)
        assert found == pytest.approx(recall[precision >= level].max(initial=0.0))


@given(ROWS)
def test_the_brier_score_is_that_of_scikit_learn(rows) -> None:
    block, qualified, scores = weighted(rows)

    if len(scores):
        expected = brier_score_loss(qualified, scores, pos_label=True)
        assert block.brier_score()[0] == pytest.approx(expected)
    else:
        assert np.isnan(block.brier_score()[0])


@given(ROWS)
def test_the_area_under_roc_depends_on_order_alone(rows) -> None:
    block, _, _ = weighted(rows)
    squared = WeightedMetrics(block.weights, block.qualified, block.scores**2)

    rejected = ~block.qualified

    np.testing.assert_array_equal(block.area_under_roc(rejected), squared.area_under_roc(rejected))


@given(ROWS)
def test_turning_scores_around_turns_the_area_around(rows) -> None:
    block, _, _ = weighted(rows)
    turned = WeightedMetrics(block.weights, block.qualified, 1 - block.scores)

    total = block.area_under_roc(~block.qualified) + turned.area_under_roc(~block.qualified)

    assert np.isnan(total[0]) or total[0] == pytest.approx(1)


@given(ROWS)
def test_more_precision_never_means_more_recall(rows) -> None:
    block, _, _ = weighted(rows)

    recalls = [block.recall_at_precision(level)[0] for level in (0.5, 0.8, 0.9)]

    assert np.isnan(recalls[0]) or recalls == sorted(recalls, reverse=True)


@given(ROWS)
def test_the_calibration_error_lies_in_0_to_1(rows) -> None:
    block, _, _ = weighted(rows)

    error = block.calibration_error()[0]

    assert np.isnan(error) or 0 <= error <= 1


def test_the_calibration_error_of_scores_that_keep_their_word_is_0() -> None:
    block = WeightedMetrics.unweighted(np.array([True, True, True, False]), np.full(4, 0.75))

    assert block.calibration_error()[0] == pytest.approx(0)


def test_the_calibration_error_weighs_bins_by_their_reviews() -> None:
    block = WeightedMetrics.unweighted(np.array([True, True, True, False]), np.array([0.95, 0.95, 0.95, 0.15]))

    assert block.calibration_error()[0] == pytest.approx(0.75 * 0.05 + 0.25 * 0.15)


def test_a_score_of_1_belongs_to_the_last_bin() -> None:
    assert bin_of(np.array([0.0, 0.1, 0.99, 1.0])).tolist() == [0, 1, 9, 9]


def test_no_review_has_no_metric() -> None:
    empty = WeightedMetrics.unweighted(np.zeros(0, bool), np.zeros(0))

    assert np.isnan(empty.area_under_roc(np.zeros(0, bool)))
    assert np.isnan(empty.recall_at_precision(0.8))
    assert np.isnan(empty.calibration_error())


def test_reviews_of_one_product_are_drawn_together() -> None:
    products = np.array(["a", "b", "a", "b", "c"])

    (weights,) = bootstrap_weights(products, resamples=50, seed=0)

    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    np.testing.assert_array_equal(weights[:, 1], weights[:, 3])


def test_as_many_products_are_drawn_as_there_are() -> None:
    products = np.array(["a", "b", "c"])

    (weights,) = bootstrap_weights(products, resamples=50, seed=0)

    assert weights.sum(1).tolist() == [3.0] * 50


def test_a_seed_decides_what_is_drawn() -> None:
    products = np.array([str(number) for number in range(9)])

    first, again, other = (next(bootstrap_weights(products, 20, seed)) for seed in (1, 1, 2))

    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_many_reviews_come_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "CELLS", 30)

    blocks = list(bootstrap_weights(np.array(["a", "b", "c"] * 5), resamples=5, seed=0))

    assert [len(block) for block in blocks] == [2, 2, 1]


def test_an_interval_leaves_out_a_fortieth_at_each_end() -> None:
    assert confidence_interval(np.arange(0, 41) / 40) == pytest.approx((0.025, 0.975))


def test_an_interval_does_not_count_what_could_not_be_computed() -> None:
    assert confidence_interval(np.array([np.nan, 0.5, 0.5])) == (0.5, 0.5)
    assert confidence_interval(np.array([np.nan])) is None
