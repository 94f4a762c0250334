"""A model of stage 1 is measured on products that it has not seen, as its training did."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agpis_sdk.datasets.galleries import read_galleries
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.training.duplicates import train_pairs
from agpis_sdk.training.noncompliance import train_noncompliance
from agpis_sdk.training.primary import train_primary
from agpis_sdk.training.stage1_evaluation import evaluate_stage1, stage1_file
from tests.training.color_shop import ColorBackbone


@pytest.fixture
def few(folder: Path) -> Path:
    """The first fifteen of the shop's products."""
    path = folder / "products.jsonl"
    path.write_text("\n".join(path.read_text(encoding="utf-8").splitlines()[:15]), encoding="utf-8")
    return folder


def written(model: Path) -> Path:
    path = stage1_file(model)
    assert path is not None
    return path


def test_the_primary_head_gets_the_figures_of_its_training(folder: Path, tmp_path: Path) -> None:
    trained = train_primary(read_galleries([folder]), tmp_path / "out", ColorBackbone())

    figures = evaluate_stage1(
        written(tmp_path / "out"), read_galleries([folder]), [], ColorBackbone(), split="validation"
    )

    assert figures == trained["validation"]


def test_the_noncompliance_head_gets_the_figures_of_its_training(few: Path, tmp_path: Path) -> None:
    trained = train_noncompliance(read_galleries([few]), tmp_path / "out", ColorBackbone(), epochs=1)

    figures = evaluate_stage1(written(tmp_path / "out"), read_galleries([few]), [], ColorBackbone(), split="test")

    assert figures.items() <= trained.items()
    assert 0 <= figures["average_precision"] <= 1


def test_pairs_need_folders_of_photos(tmp_path: Path) -> None:
    (tmp_path / "verdict.safetensors").write_bytes(b"")

    with pytest.raises(TrainingDataError, match="--photos"):
        evaluate_stage1(tmp_path / "verdict.safetensors", [], [], ColorBackbone(), split="test")


def test_a_folder_of_another_model_is_none_of_stage_1(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")

    assert stage1_file(tmp_path) is None


class TestThePairVerdict:
    def test_is_measured_as_its_training_measured_it(self, few: Path, tmp_path: Path) -> None:
        colors = {0: "red", 1: "blue", 2: "blue", 3: "green"}
        views = {0: "main", 1: "back", 2: "side", 3: "main"}
        facts = {
            f"p{number}": {
                f"{number}-{place}": {"view": views[place], "file_color": colors[place]} for place in range(4)
            }
            for number in range(40)
        }
        (few / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
        trained = train_pairs([few], tmp_path / "out", ColorBackbone())

        figures = evaluate_stage1(written(tmp_path / "out"), [], [few], ColorBackbone(), split="test")

        assert figures == trained["test"]

    def test_cannot_be_learned_where_a_kind_of_pair_is_missing(self, tmp_path: Path) -> None:
        (tmp_path / "products.jsonl").write_text("", encoding="utf-8")

        with pytest.raises(TrainingDataError, match="no pair of the train split is duplicate or variant"):
            train_pairs([tmp_path], tmp_path / "out", ColorBackbone())
