"""Whoever measures a model on products that it was trained on is warned (agpis_sdk/training/trained_products.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agpis_sdk.datasets.splits import split_of
from agpis_sdk.records import Product
from agpis_sdk.rules import RuleSet
from agpis_sdk.training.request import EvaluationRequest, TrainingRequest
from agpis_sdk.training.trained_products import note_trained_products, warn_of_trained_products

SHARED: dict[str, Any] = {"backbone": None, "image_facts": None, "run_facts": None, "rules": RuleSet()}


def reviews(folder: Path, *ids: str) -> Path:
    path = folder / f"{ids[0]}.jsonl"
    lines = [
        {"product": {"id": one, "images": ["a.jpg"]}, "sequence": ["a"], "decision": "accepted", "feedback": "yes"}
        for one in ids
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    out = tmp_path / "model"
    out.mkdir()
    names = [f"P{number}" for number in range(40)]
    note_trained_products(TrainingRequest(reviews=reviews(tmp_path, *names), out=out, note=lambda line: None, **SHARED))
    return out


def said(model: Path, judged: Path, **options: Any) -> list[str]:
    notes: list[str] = []
    warn_of_trained_products(
        EvaluationRequest(model=str(model), reviews=judged, note=notes.append, **SHARED, **options)
    )
    return notes


def test_all_reviews_of_the_training_are_warned_of_with_their_number(model: Path, tmp_path: Path) -> None:
    learned = sum(split_of(Product(id=f"P{number}", images=())) != "test" for number in range(40))

    (note,) = said(model, tmp_path / "P0.jsonl", split="all")

    assert f"trained on {learned} of 40 products" in note


def test_its_own_test_split_and_other_products_are_not(model: Path, tmp_path: Path) -> None:
    assert said(model, tmp_path / "P0.jsonl", split="test") == []
    assert said(model, reviews(tmp_path, "Q1", "Q2"), split="all") == []


def test_another_seed_judges_products_that_were_trained_on(model: Path, tmp_path: Path) -> None:
    assert "WARNING" in said(model, tmp_path / "P0.jsonl", split="test", seed=7)[0]


def test_weights_without_that_note_are_judged_without_a_word(tmp_path: Path) -> None:
    assert said(tmp_path, reviews(tmp_path, "P1"), split="all") == []
