"""Tables 2 and 3: every row with every seed, nothing twice, and a table that a person can read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from agpis_sdk.components import FeatureSource
from agpis_sdk.datasets.galleries import read_reviews
from agpis_sdk.records import Review
from agpis_sdk.synthetic.reviews import build_reviews
from agpis_sdk.training.paper_tables import RESULTS, TablesConfig, read_results, render_tables, run_tables
from tests.training.color_shop import ColorBackbone

SMALL = ("hidden_size=16", "num_attention_heads=2", "num_decoder_layers=1", "vocab_size=400", "feedback_tokens=8")
CONFIG = TablesConfig.model_validate(
    {
        "seeds": [0, 1],
        "epochs": 1,
        "backbones": {"colors": []},
        "row": [
            {"table": "table-2", "name": "single tower", "model": "single-tower", "backbone": "colors"},
            {"table": "table-2", "name": "MUIsC", "model": "muisc", "backbone": "colors", "switches": SMALL},
            {"table": "table-3", "name": "+ title", "model": "muisc", "backbone": "colors", "switches": SMALL},
        ],
    }
)


def colors(options: Sequence[str], evidence: bool) -> FeatureSource:
    return ColorBackbone()


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> list[Review]:
    from tests.training.conftest import red_first

    folder = tmp_path_factory.mktemp("shop")
    red_first(folder)
    build_reviews([folder], folder / "bench", per_product=4)
    return list(read_reviews(folder / "bench" / "reviews.jsonl"))


@pytest.mark.slow
def test_a_run_that_was_cut_off_computes_what_is_missing(reviews: list[Review], tmp_path: Path) -> None:
    first = run_tables(reviews, CONFIG, tmp_path, colors, cache=tmp_path / "features")
    lines = (tmp_path / RESULTS).read_text(encoding="utf-8").splitlines(keepends=True)
    # As if the power had failed while the last result was written.
    (tmp_path / RESULTS).write_text("".join(lines[:-1]) + lines[-1][:20], encoding="utf-8")

    again = run_tables(reviews, CONFIG, tmp_path, colors, cache=tmp_path / "features")

    def figures(results: list[dict]) -> list[tuple]:  # type: ignore[type-arg]
        return [(result["row"]["model"], result["seed"], result["test"]["auc"]) for result in results]

    assert figures(again) == figures(first)
    assert read_results(tmp_path) == again
    # MUIsC stands in two tables, and is trained once a seed.
    assert [(model, seed) for model, seed, _ in figures(first)] == [
        ("single-tower", 0), ("single-tower", 1), ("muisc", 0), ("muisc", 1),
    ]  # fmt: skip
    assert not list((tmp_path / "runs").rglob("checkpoint-*"))


def result(name: str, seed: int, auc: float | None) -> dict[str, object]:
    row = next(row for row in CONFIG.row if row.name == name)
    return {"row": row.model_dump(mode="json"), "seed": seed, "test": {"auc": auc}}


def test_a_cell_holds_mean_and_deviation_between_seeds() -> None:
    text = render_tables([result("single tower", 0, 0.7), result("single tower", 1, 0.8)], CONFIG)

    assert "| single tower | colors | late | multi | 0.750 ± 0.071 |" in text


def test_the_interval_is_the_mean_of_those_of_the_seeds() -> None:
    hits = [result("MUIsC", seed, 0.8) for seed in (0, 1)]
    hits[0]["test"]["intervals"] = {"auc": [0.6, 0.8]}  # type: ignore[index]
    hits[1]["test"]["intervals"] = {"auc": [0.8, 0.9]}  # type: ignore[index]

    assert "| 0.700 to 0.850 | 2 |" in render_tables(hits, CONFIG)


def test_a_table_says_where_it_was_measured() -> None:
    hit = {**result("MUIsC", 0, 0.8), "date": "2026-01-31", "hardware": "2 CPU cores"}

    assert "Measured on 2026-01-31; hardware: 2 CPU cores" in render_tables([hit], CONFIG)


def test_what_is_not_known_is_a_dash() -> None:
    assert "| late | multi | – |" in render_tables([result("single tower", 0, None)], CONFIG)


def test_a_model_of_two_tables_stands_in_both() -> None:
    text = render_tables([result("MUIsC", 0, 0.9)], CONFIG)

    assert "| MUIsC | colors | late | multi | 0.900 |" in text
    assert "| + title | colors | late | multi | 0.900 |" in text
