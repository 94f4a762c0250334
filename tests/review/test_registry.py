"""The registry of model versions: what is kept of each, what may be promoted, and the way back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agpis_sdk.config import load_config
from agpis_sdk.errors import ModelRegistryError
from agpis_sdk.plugins import PluginHost
from agpis_sdk.review.registry import Registry
from agpis_sdk.training.comparison import Figure, ModelComparison
from tests.pipeline.fakes import Stand
from tests.review import position_model


@pytest.fixture
def host() -> PluginHost:
    host = Stand().host()
    host.add(position_model, name="positions")
    return host


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """Return a folder as `agpis train position` leaves it, with a checkpoint that nobody needs any more."""
    folder = tmp_path / "trained"
    (folder / "checkpoint-7").mkdir(parents=True)
    (folder / "component.json").write_text(json.dumps({"component": "position", "seed": 0}))
    (folder / "metrics.json").write_text(json.dumps({"products": 12}))
    (folder / position_model.WEIGHTS).write_text(json.dumps({"position": 2}))
    return folder


def compared(old: float, new: float) -> ModelComparison:
    return ModelComparison("old", "new", "test", "top1", (Figure("products", 9, 9), Figure("top1", old, new)))


def promoted_weights(registry: Registry) -> Path | None:
    settings = load_config(shop=registry.folder, directory=registry.folder).config.components
    return Path(settings["position"]["weights"]) if "position" in settings else None


def test_a_version_keeps_what_it_is_and_where_it_came_from(registry: Registry, trained: Path, tmp_path: Path) -> None:
    reviews = tmp_path / "reviews.jsonl"
    reviews.write_text("{}\n{}\n")

    version = registry.add(trained, reviews=reviews)

    assert (version.component, version.version, version.parent) == ("position", 1, 0)
    assert version.metrics == {"products": 12}
    assert version.data["reviews"] == 2
    assert len(version.files[position_model.WEIGHTS]) == 64
    assert not (registry.place("position", 1) / "checkpoint-7").exists()
    assert "position, version 1" in (registry.place("position", 1) / "README.md").read_text()
    assert registry.versions() == [version]


def test_a_better_version_runs_with_shop(registry: Registry, host: PluginHost, trained: Path) -> None:
    registry.add(trained)

    registry.promote(host, "position", 1, compared(0.5, 0.7))

    weights = promoted_weights(registry)
    assert weights is not None
    assert position_model.position_of(weights) == 2
    assert registry.promoted("position") == 1


def test_a_worse_version_is_refused_unless_forced(registry: Registry, host: PluginHost, trained: Path) -> None:
    registry.add(trained)

    with pytest.raises(ModelRegistryError, match=r"is worse: top1 0.4000, against 0.5000"):
        registry.promote(host, "position", 1, compared(0.5, 0.4))
    assert registry.promoted("position") == 0

    registry.promote(host, "position", 1, compared(0.5, 0.4), force=True)
    assert registry.promoted("position") == 1
    assert registry.history()[-1].reason == "forced"


def test_a_version_that_was_not_compared_is_refused(registry: Registry, host: PluginHost, trained: Path) -> None:
    registry.add(trained)

    with pytest.raises(ModelRegistryError, match="was not compared"):
        registry.promote(host, "position", 1, None)


def test_rollback_goes_back_step_by_step(registry: Registry, host: PluginHost, trained: Path) -> None:
    for version in (1, 2):
        registry.add(trained)
        registry.promote(host, "position", version, compared(0.5, 0.5))

    assert registry.rollback(host, "position") == 1
    assert registry.rollback(host, "position") == 0
    assert promoted_weights(registry) is None
    with pytest.raises(ModelRegistryError, match="was never promoted"):
        registry.rollback(host, "position")
    assert [change.action for change in registry.history()] == ["promote", "promote", "rollback", "rollback"]


def test_a_version_notes_which_one_ran_before_it(registry: Registry, host: PluginHost, trained: Path) -> None:
    registry.add(trained)
    registry.promote(host, "position", 1, compared(0.5, 0.5))

    assert registry.add(trained).parent == 1


@pytest.mark.parametrize(("name", "version"), [("position", 7), ("nobody", 1)])
def test_a_version_that_is_not_there_is_named(
    registry: Registry, host: PluginHost, trained: Path, name: str, version: int
) -> None:
    registry.add(trained)

    with pytest.raises(ModelRegistryError, match=f"{name} {version}: is not in the registry"):
        registry.promote(host, name, version, None, force=True)


def test_a_folder_of_no_model_is_refused(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(ModelRegistryError, match="is no folder of agpis train"):
        registry.add(tmp_path)


def test_the_scores_of_the_running_version_are_the_reference(
    registry: Registry, trained: Path, host: PluginHost
) -> None:
    registry.add(trained, reference={"p^t": [0.1, 0.9]})
    assert registry.reference() == {}

    registry.promote(host, "position", 1, None, force=True)
    assert registry.reference() == {"p^t": [0.1, 0.9]}

    registry.rollback(host, "position")
    assert registry.reference() == {}
