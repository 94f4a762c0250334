"""Two models side by side: which figures are shared, and which one decides."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agpis_sdk.errors import TrainingDataError
from agpis_sdk.training import comparison
from agpis_sdk.training.comparison import Figure, ModelComparison, PairedDifference, compare_models, paired_difference
from agpis_sdk.training.request import Evaluation, EvaluationRequest, JudgedExamples


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch):
    """Return a function that compares two models whose figures are given."""

    def compared(old: Mapping[str, Any], new: Mapping[str, Any]) -> ModelComparison:
        figures = {"old": old, "new": new}
        monkeypatch.setattr(comparison, "evaluate", lambda host, request, *_: Evaluation(figures[request.model]))
        request = EvaluationRequest(
            model="old",
            reviews=Path("reviews.jsonl"),
            backbone=None,
            image_facts=None,
            run_facts=None,
            rules=None,
            note=print,
        )  # type: ignore[arg-type]
        return compare_models(None, request, "new", "any", "any")  # type: ignore[arg-type]

    return compared


def test_the_larger_headline_figure_is_better(compare) -> None:
    assert compare({"top1": 0.5}, {"top1": 0.6}).new_is_worse is False
    assert compare({"top1": 0.6}, {"top1": 0.5}).new_is_worse is True
    assert compare({"top1": 0.6}, {"top1": 0.6}).new_is_worse is False


def test_an_estimate_keeps_its_interval(compare) -> None:
    found = compare(
        {"auc": {"value": 0.7, "low": 0.6, "high": 0.8}}, {"auc": {"value": 0.8, "low": None, "high": None}}
    )

    assert found.headline == "auc"
    assert (found.decisive.old_interval, found.decisive.new_interval) == ((0.6, 0.8), None)
    assert found.decisive.difference == pytest.approx(0.1)


def test_figures_in_tables_have_dotted_names(compare) -> None:
    found = compare(
        {"auc": 0.9, "auc_by_kind": {"banner": 0.8}}, {"auc": 0.9, "auc_by_kind": {"banner": 0.7, "blur": 1}}
    )

    assert [figure.name for figure in found.figures] == ["auc", "auc_by_kind.banner"]


def test_models_without_a_shared_headline_are_not_ranked(compare) -> None:
    with pytest.raises(TrainingDataError, match="too small to rank"):
        compare({"top1": 0.5, "products": 3}, {"products": 3})


def judged(scores: list[float], positive: list[bool] | None = None) -> JudgedExamples:
    """Return examples of as many products."""
    products = np.array([f"p{number}" for number in range(len(scores))])
    return JudgedExamples(products, np.array(scores), None if positive is None else np.array(positive))


def test_a_model_that_is_right_where_the_other_is_wrong_is_clearly_better() -> None:
    found = paired_difference(judged([0.0] * 20 + [1.0] * 20), judged([1.0] * 40))

    assert found is not None
    assert (found.is_clear, found.products) == (True, 40)
    assert 0.3 < found.low < 0.5 < found.high < 0.7


def test_a_difference_in_one_of_many_products_may_be_chance() -> None:
    found = paired_difference(judged([0.0] + [1.0] * 39), judged([1.0] * 40))

    assert found is not None
    assert not found.is_clear


def test_scores_are_compared_by_their_auc() -> None:
    positive = [True, False] * 20
    right, chance = [0.9, 0.1] * 20, [0.4, 0.6, 0.6, 0.4] * 10

    found = paired_difference(judged(chance, positive), judged(right, positive))

    assert found is not None
    assert found.is_clear
    assert 0.3 < found.low <= found.high < 0.7


def test_models_that_judged_other_examples_are_not_paired() -> None:
    assert paired_difference(judged([1.0, 0.0]), judged([1.0])) is None
    assert paired_difference(None, judged([1.0])) is None


def test_a_comparison_says_whether_it_may_be_chance() -> None:
    figures = (Figure("auc", 0.7, 0.8),)

    sure = ModelComparison("old", "new", "test", "auc", figures, PairedDifference(40, 0.05, 0.15, 0.001))
    unsure = ModelComparison("old", "new", "test", "auc", figures, PairedDifference(40, -0.05, 0.25, 0.2))

    assert "no worse on the test split, clearly so: auc +0.1000 (+0.0500 to +0.1500" in sure.verdict
    assert "which may be chance" in unsure.verdict
