"""A trained model is measured on products that it has not seen, by the evaluator that its component announces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agpis_sdk.builtin.duplicates.verdict import SHIPPED
from agpis_sdk.builtin.primary.config import PrimaryTrainingConfig
from agpis_sdk.datasets.galleries import read_galleries
from agpis_sdk.errors import ConfigError, TrainingDataError, UnknownNameError
from agpis_sdk.plugins import PluginHost
from agpis_sdk.training import primary
from agpis_sdk.training.components import PROVENANCE, evaluate
from agpis_sdk.training.duplicates import train_pairs
from agpis_sdk.training.noncompliance import train_noncompliance
from agpis_sdk.training.request import EvaluationRequest
from tests.training.color_shop import ColorBackbone, color_facts, training_request

HOST = PluginHost.load(discover=False)
OF_THE_TEST_SPLIT = "Thing 3"


@pytest.fixture
def few(folder: Path) -> Path:
    """The first fifteen of the shop's products."""
    path = folder / "products.jsonl"
    path.write_text("\n".join(path.read_text(encoding="utf-8").splitlines()[:15]), encoding="utf-8")
    return folder


def figures(model: Path, component: str | None = None, default: str = "muisc", **data: Any) -> dict[str, Any]:
    request = EvaluationRequest(
        model=str(model), backbone=ColorBackbone, image_facts=color_facts, run_facts=lambda _: ColorBackbone(),
        rules=HOST.rules, note=lambda _: None, **data,
    )  # fmt: skip
    return dict(evaluate(HOST, request, component, default).figures)


def test_the_primary_head_gets_the_figures_of_its_training(folder: Path, tmp_path: Path) -> None:
    trained = primary.train(training_request(tmp_path / "out", photos=(folder,), settings=PrimaryTrainingConfig()))

    assert figures(tmp_path / "out", "primary", photos=(folder,), split="validation") == trained["validation"]


def test_the_noncompliance_head_gets_the_figures_of_its_training(few: Path, tmp_path: Path) -> None:
    trained = train_noncompliance(read_galleries([few]), tmp_path / "out", ColorBackbone(), epochs=1)

    measured = figures(tmp_path / "out", "noncompliance", photos=(few,))

    assert measured.items() <= trained.items()
    assert 0 <= measured["average_precision"] <= 1


def test_the_component_is_read_from_the_training_folder(folder: Path, tmp_path: Path) -> None:
    trained = primary.train(training_request(tmp_path / "out", photos=(folder,), settings=PrimaryTrainingConfig()))
    (tmp_path / "out" / PROVENANCE).write_text('{"component": "primary"}', encoding="utf-8")

    assert figures(tmp_path / "out", photos=(folder,)) == trained["test"]


@pytest.mark.parametrize("written", ["{", "[]", "{}"])
def test_a_damaged_note_of_the_component_is_named_with_the_remedy(tmp_path: Path, written: str) -> None:
    (tmp_path / PROVENANCE).write_text(written, encoding="utf-8")

    with pytest.raises(TrainingDataError, match=r"component\.json: does not say whose model it is .*--component"):
        figures(tmp_path, photos=(tmp_path,))


def test_pairs_need_folders_of_photos(tmp_path: Path) -> None:
    (tmp_path / "verdict.safetensors").write_bytes(SHIPPED.read_bytes())

    with pytest.raises(ConfigError, match="name them with --photos"):
        figures(tmp_path, "duplicates", reviews=tmp_path / "reviews.jsonl")


def test_a_folder_without_the_component_s_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match=r"holds no primary\.safetensors"):
        figures(tmp_path, "primary", photos=(tmp_path,))


def test_an_unknown_component_suggests_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match='did you mean "primary"'):
        figures(tmp_path, "primry")


def test_a_component_without_an_evaluator_is_refused_and_the_others_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no evaluator.*muisc"):
        figures(tmp_path, "random")


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

        assert figures(tmp_path / "out", "duplicates", photos=(few,)) == trained["test"]

    def test_cannot_be_learned_where_a_kind_of_pair_is_missing(self, folder: Path, tmp_path: Path) -> None:
        path = folder / "products.jsonl"
        lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        path.write_text("\n".join(json.dumps({**line, "title": OF_THE_TEST_SPLIT}) for line in lines), encoding="utf-8")

        with pytest.raises(TrainingDataError, match="no pair of the train split is duplicate"):
            train_pairs([folder], tmp_path / "out", ColorBackbone())
