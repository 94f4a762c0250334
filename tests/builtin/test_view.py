"""What an image shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agpis_sdk.builtin.foreground.composition import NAMES
from agpis_sdk.builtin.view.config import ViewConfig
from agpis_sdk.builtin.view.estimator import ViewEstimator
from agpis_sdk.builtin.view.model import ViewHead
from agpis_sdk.builtin.weights import write_tensors
from agpis_sdk.errors import WeightsError
from agpis_sdk.facts import VIEWS, View


def head_for(view: str) -> ViewHead:
    """Return a head that sees one view, and a whole product, everywhere."""
    bias = np.zeros(len(VIEWS) + 1, np.float32)
    bias[VIEWS.index(view)], bias[-1] = 5.0, 5.0
    return ViewHead(np.zeros((len(NAMES), len(bias)), np.float32), np.zeros((4, len(bias)), np.float32), bias)


def test_the_probabilities_of_an_image_add_up_to_one() -> None:
    head = ViewHead.load()
    rng = np.random.default_rng(0)

    view = head.view(rng.random(len(NAMES), np.float32), rng.random(1280, np.float32))

    assert view.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert 0 <= view.whole <= 1


def test_the_most_probable_view_is_named() -> None:
    view = head_for("back").view(np.zeros(len(NAMES), np.float32), np.zeros(4, np.float32))

    assert view.name == "back"
    assert view.probability("back") > 0.9
    assert view.whole > 0.9


def test_an_unknown_view_has_no_probability() -> None:
    with pytest.raises(ValueError, match="not in"):
        View(np.full(len(VIEWS), 0.1, np.float32), 0.5).probability("upside-down")


def test_a_head_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    head_for("side").save(tmp_path / "view.safetensors")

    loaded = ViewHead.load(tmp_path / "view.safetensors")

    assert all((vars(loaded)[name] == value).all() for name, value in vars(head_for("side")).items())


def test_weights_for_other_numbers_of_the_composition_are_refused(tmp_path: Path) -> None:
    write_tensors(tmp_path / "view.safetensors", vars(head_for("side")), NAMES[::-1])

    with pytest.raises(WeightsError, match="was trained on the features"):
        ViewHead.load(tmp_path / "view.safetensors")


def test_features_of_another_backbone_are_refused() -> None:
    estimator = ViewEstimator(ViewConfig())

    with pytest.raises(WeightsError, match=r"trained on a backbone with embedding \(1280,\); the configured one gives"):
        estimator.check_backbone({"embedding": (64,)})

    estimator.check_backbone({"embedding": (1280,)})
