"""Two models side by side: which figures are shared, and which one decides."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agpis_sdk.errors import TrainingDataError
from agpis_sdk.training import comparison
from agpis_sdk.training.comparison import ModelComparison, compare_models
from agpis_sdk.training.request import Evaluation, EvaluationRequest


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
