"""What the metrics say of decisions whose answer is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from agpis_sdk.review.metrics.agreement import agreement
from agpis_sdk.review.metrics.drift import drift, reference_of
from agpis_sdk.review.metrics.rates import Reviewed, compare, rate, rates_by, rates_by_rule
from agpis_sdk.review.metrics.threshold import for_budget, for_reject_rate, threshold_rows
from tests.review.settings import NOW

ONE = Reviewed(
    item_id=1, reviewer="Ann", decided_at=NOW, refused=False, rules=(), probability=0.5, audit=False,
    category="Shoes", seller="", model_version="m1", config_version="c1",
)  # fmt: skip


@given(count=st.integers(1, 200), share=st.floats(0, 1))
def test_a_rate_is_inside_its_interval(count: int, share: float) -> None:
    one = rate("all", round(count * share), count)

    assert one.value is not None
    assert one.low is not None
    assert one.high is not None
    assert one.low - 1e-9 <= one.value <= one.high + 1e-9


def test_rates_are_taken_by_group() -> None:
    rows = [ONE, replace(ONE, refused=True), replace(ONE, category="Bags", refused=True)]

    assert [(one.name, one.value) for one in rates_by(rows, lambda row: row.category)] == [
        ("Bags", 1.0),
        ("Shoes", 0.5),
    ]


def test_weeks_begin_on_monday() -> None:
    assert {replace(ONE, decided_at=NOW + timedelta(days=day)).week for day in range(7)} == {"2026-01-05"}


def test_a_rule_counts_once_a_review() -> None:
    rows = [replace(ONE, refused=True, rules=("AGP121", "AGP101", "AGP121")), ONE]

    assert [(one.name, one.refused, one.reviewed) for one in rates_by_rule(rows)] == [
        ("AGP101", 1, 2),
        ("AGP121", 1, 2),
    ]


def test_a_clear_difference_is_stated_and_a_faint_one_is_not() -> None:
    clear = compare(rate("old", 40, 100), rate("new", 10, 100))
    faint = compare(rate("old", 4, 10), rate("new", 3, 10))

    assert clear.statement.startswith("new is refused less often")
    assert faint.statement.startswith("No difference can be told yet")


def test_agreement_of_two_reviewers() -> None:
    pairs = [(True, True), (False, False), (True, False), (False, False)]
    rows = [replace(ONE, item_id=item, refused=refused) for item, pair in enumerate(pairs) for refused in pair]

    known = agreement(rows)

    assert (known.products, known.same, known.disagreements) == (4, 0.75, (2,))
    assert known.kappa == pytest.approx(0.5)  # (0.75 - 0.5) / (1 - 0.5), by hand


def test_agreement_without_variation_has_no_kappa() -> None:
    assert agreement([ONE, replace(ONE, reviewer="Bob")]).kappa is None


def decisions(count: int, seed: int = 0) -> tuple[list[Reviewed], np.ndarray]:
    """Return decisions on products that are refused with chance 1 - p^t."""
    generator = np.random.default_rng(seed)
    p = generator.uniform(0.05, 0.95, count)
    return [replace(ONE, probability=float(one), refused=bool(generator.random() > one)) for one in p], p


def test_the_advised_threshold_keeps_the_wanted_reject_rate() -> None:
    rows, p = decisions(4000)

    advised = for_reject_rate(threshold_rows(rows, p, np.ones(len(p))), 0.2)

    assert advised is not None
    kept = [row.refused for row in rows if (row.probability or 0) >= advised.threshold]
    assert np.mean(kept) == pytest.approx(0.2, abs=0.04)
    assert advised.low <= np.mean(kept) <= advised.high


def test_a_score_that_is_not_calibrated_is_calibrated_by_decisions() -> None:
    rows, p = decisions(4000)
    shifted = [replace(row, probability=float(expit(logit(row.probability) + 1.5))) for row in rows]

    before = threshold_rows(rows, p, np.ones(len(p)))[0]
    after = threshold_rows(shifted, expit(logit(p) + 1.5), np.ones(len(p)))[0]

    assert after.reject_rate == pytest.approx(before.reject_rate, abs=0.01)


def test_the_budget_counts_products_that_stand_for_many() -> None:
    rows, _ = decisions(200)

    advised = for_budget(threshold_rows(rows, np.array([0.2, 0.9]), np.array([20.0, 1.0])), 5)

    assert advised is not None
    assert (advised.threshold, advised.submitted) == (0.25, 1)


def test_too_few_decisions_advise_nothing() -> None:
    assert threshold_rows([ONE] * 19, np.array([0.5]), np.ones(1)) == []
    assert threshold_rows([ONE] * 100, np.array([0.5]), np.ones(1)) == []


def test_a_short_reference_says_what_all_scores_say() -> None:
    before, moved = np.linspace(0, 1, 5000), np.linspace(0.2, 1, 5000)
    reference = {name: np.array(kept) for name, kept in reference_of({"p_nc": before}).items()}

    assert len(reference["p_nc"]) == 500
    assert [one.drifts for now in (before, moved) for one in drift(reference, {"p_nc": now})] == [False, True]


def test_drift_is_named_where_scores_have_moved() -> None:
    generator = np.random.default_rng(0)
    before, same, moved = (generator.normal(center, 1, 300) for center in (0, 0, 1))

    found = drift({"p^t": before, "p_nc": before}, {"p^t": same, "p_nc": moved})

    assert [(one.score, one.drifts) for one in found] == [("p^t", False), ("p_nc", True)]
