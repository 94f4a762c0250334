"""Calibration makes p^t keep its word, and changes no more order than it must."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from agpis_sdk.errors import TrainingDataError
from agpis_sdk.evaluation.calibration import (
    Calibration,
    calibrated,
    decision_loss,
    fit_calibration,
    objection_limit,
)
from tests.evaluation.predicted import expected_calibration_error

TEMPERATURE = st.floats(0.2, 5)
BIAS = st.floats(-3, 3)
SEED = st.integers(0, 1000)


def honest(count: int, *, classes: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, C), and decisions (n,) that are drawn from the very probabilities that the logits mean."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(count, classes)) * 1.5
    logits[:, 0] += 1
    return logits, generator.random(count) < softmax(logits, axis=1)[:, 0]


def test_what_is_calibrated_already_stays_as_it_is() -> None:
    fitted = fit_calibration(*honest(20_000))

    assert fitted.temperature == pytest.approx(1, abs=0.05)
    assert fitted.bias == pytest.approx(0, abs=0.05)


def test_a_known_temperature_and_bias_are_found() -> None:
    logits, qualified = honest(20_000)
    spoilt = logits * 2.5
    spoilt[:, 0] += 1.5

    fitted = fit_calibration(spoilt, qualified)

    # (2.5 l + 1.5) / 2.5 - 0.6 = l
    assert fitted.temperature == pytest.approx(2.5, rel=0.05)
    assert fitted.bias == pytest.approx(-0.6, abs=0.05)


@pytest.mark.parametrize(("scale", "shift"), [(3.0, 0.0), (0.4, 0.0), (1.0, 2.0), (2.0, -1.5)])
def test_the_calibration_error_falls_on_unseen_reviews(scale: float, shift: float) -> None:
    (seen, decisions), (unseen, truth) = honest(4000, seed=1), honest(4000, seed=2)
    for logits in (seen, unseen):
        logits *= scale
        logits[:, 0] += shift

    fitted = fit_calibration(seen, decisions)

    before = expected_calibration_error(truth, softmax(unseen, axis=1)[:, 0])
    after = expected_calibration_error(truth, calibrated(unseen, fitted)[:, 0])
    assert after < before / 2
    assert after < 0.03


@settings(deadline=None, max_examples=30)
@given(SEED, TEMPERATURE, BIAS)
def test_decisions_are_never_less_probable_than_without(seed: int, scale: float, shift: float) -> None:
    logits, qualified = honest(60, seed=seed)
    logits = logits * scale
    logits[:, 0] += shift
    if qualified.all() or not qualified.any():
        return

    fitted = fit_calibration(logits, qualified)

    assert decision_loss(logits, qualified, fitted) <= decision_loss(logits, qualified, Calibration())


def test_fitting_twice_gives_the_same() -> None:
    logits, qualified = honest(300)

    assert fit_calibration(logits, qualified) == fit_calibration(logits, qualified)


def test_decisions_that_logits_tell_apart_perfectly_give_finite_numbers() -> None:
    logits = np.array([[4.0, 0.0, 0.0], [0.0, 4.0, 0.0]] * 10)

    fitted = fit_calibration(logits, np.array([True, False] * 10))

    assert 0.05 <= fitted.temperature <= 20
    assert -10 <= fitted.bias <= 10


class TestPrior:
    """A model that goes on brings a calibration: a handful of reviews must not throw it away."""

    PRIOR = Calibration(temperature=1.6, bias=-0.7)

    def test_a_few_decisions_stay_near_it(self) -> None:
        logits, _ = honest(6)
        five_accepted = np.array([True, True, True, True, True, False])

        fitted, alone = fit_calibration(logits, five_accepted, self.PRIOR), fit_calibration(logits, five_accepted)

        assert 1.2 < fitted.temperature < 2.4 < alone.temperature
        assert abs(fitted.bias - self.PRIOR.bias) < abs(alone.bias - self.PRIOR.bias) - 1

    def test_many_decisions_decide_alone(self) -> None:
        logits, qualified = honest(20_000)

        fitted = fit_calibration(logits, qualified, self.PRIOR)

        assert fitted.temperature == pytest.approx(1, abs=0.05)
        assert fitted.bias == pytest.approx(0, abs=0.05)

    def test_the_fewer_decisions_there_are_the_nearer_it_is(self) -> None:
        logits, qualified = honest(400)

        biases = [fit_calibration(logits[:n], qualified[:n], self.PRIOR).bias for n in (20, 400)]

        assert abs(biases[0] - self.PRIOR.bias) < abs(biases[1] - self.PRIOR.bias)


@pytest.mark.parametrize("decision", [True, False])
def test_one_decision_alone_cannot_be_calibrated_on(decision: bool) -> None:
    with pytest.raises(TrainingDataError, match="accepted and rejected"):
        fit_calibration(np.zeros((3, 4)), np.full(3, decision))


@given(SEED)
def test_no_calibration_is_the_softmax(seed: int) -> None:
    logits, _ = honest(20, seed=seed)

    np.testing.assert_allclose(calibrated(logits, Calibration()), softmax(logits, axis=1))


@given(SEED, TEMPERATURE, BIAS)
def test_probabilities_sum_to_one(seed: int, temperature: float, bias: float) -> None:
    logits, _ = honest(20, seed=seed)

    np.testing.assert_allclose(calibrated(logits, Calibration(temperature, bias)).sum(1), 1)


@given(SEED, BIAS)
def test_a_bias_keeps_the_order_of_p_t(seed: int, bias: float) -> None:
    logits, _ = honest(20, seed=seed)

    before, after = (calibrated(logits, Calibration(bias=value))[:, 0] for value in (0.0, bias))

    np.testing.assert_array_equal(np.argsort(before), np.argsort(after))


@given(SEED, TEMPERATURE, BIAS)
def test_with_two_classes_a_temperature_keeps_the_order_of_p_t(seed: int, temperature: float, bias: float) -> None:
    logits, _ = honest(20, classes=2, seed=seed)

    before, after = (calibrated(logits, fitted)[:, 0] for fitted in (Calibration(), Calibration(temperature, bias)))

    np.testing.assert_array_equal(np.argsort(before), np.argsort(after))


def test_with_more_classes_a_temperature_may_change_the_order_of_p_t() -> None:
    logits = np.array([[1.0, 1.0, -9.0, -9.0], [1.0, 0.4, 0.4, 0.4]])

    before, after = (calibrated(logits, Calibration(value))[:, 0] for value in (1.0, 0.1))

    assert before[0] > before[1]
    assert after[0] < after[1]


@given(SEED, TEMPERATURE, BIAS)
def test_the_order_of_a_sequence_s_objections_is_kept(seed: int, temperature: float, bias: float) -> None:
    logits, _ = honest(20, seed=seed)

    objections = calibrated(logits, Calibration(temperature, bias))[:, 1:]

    np.testing.assert_array_equal(np.argsort(objections, axis=1), np.argsort(logits[:, 1:], axis=1))


def test_logits_are_left_untouched() -> None:
    logits = np.zeros((2, 3))

    calibrated(logits, Calibration(bias=2.0))

    assert not logits.any()


def test_objections_begin_where_both_decisions_are_told_apart_best() -> None:
    p_qualified = np.array([0.1, 0.3, 0.7, 0.72, 0.9, 0.95])
    qualified = np.array([False, False, False, True, True, True])

    assert objection_limit(p_qualified, qualified) == pytest.approx(0.72)


def test_one_misjudged_review_does_not_move_the_limit() -> None:
    p_qualified = np.array([0.1, 0.2, 0.3, 0.6, 0.8, 0.9, 0.05])
    qualified = np.array([False, False, False, True, True, True, True])

    assert objection_limit(p_qualified, qualified) == pytest.approx(0.6)
