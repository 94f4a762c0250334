"""Plots are PNG files, one a subject, drawn from whatever reviews there are."""

from __future__ import annotations

import builtins
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agpis_sdk.errors import ConfigError
from agpis_sdk.evaluation.metrics import evaluate
from agpis_sdk.evaluation.plots import rule_bars, wilson_interval, write_plots
from agpis_sdk.evaluation.predictions import Predictions
from agpis_sdk.plugins import shipped_rules
from tests.evaluation.predicted import drawn, predicted

NAMES = ["precision-recall.png", "roc.png", "reliability.png", "confusion.png", "rules.png"]


def written(reviews: Predictions, folder: Path) -> list[Path]:
    return write_plots(reviews, evaluate(reviews, resamples=10), folder)


def test_each_plot_is_a_picture_of_its_own(tmp_path: Path) -> None:
    paths = written(drawn(300), tmp_path / "new" / "plots")

    assert [path.name for path in paths] == NAMES
    for path in paths:
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            assert min(picture.size) > 300
            assert max(picture.size) < 3000


@pytest.mark.parametrize("codes", [[], ["yes"], ["AGP103"] * 6, ["yes", "AGP103"]], ids=str)
def test_what_cannot_be_drawn_is_a_picture_that_says_why(codes: list[str], tmp_path: Path) -> None:
    assert [path.name for path in written(predicted(codes), tmp_path)] == NAMES


def test_each_rule_with_enough_reviews_has_a_bar() -> None:
    reviews = predicted(["yes"] * 3 + ["AGP103"] * 5 + ["AGP121"] * 2, np.linspace(1, 0, 10).tolist())

    (axes,) = rule_bars(evaluate(reviews, resamples=0), shipped_rules()).axes

    assert [label.get_text() for label in axes.get_yticklabels()] == ["AGP103  blurry-image  (5)"]
    assert any("AGP121" in text.get_text() for text in axes.texts)


def test_a_share_of_one_is_not_certain() -> None:
    low, high = wilson_interval(np.array([1.0, 0.5]), np.array([4, 400]))

    assert low[0] < 0.6
    assert high[0] == pytest.approx(1)
    assert (low[1], high[1]) == pytest.approx((0.45, 0.55), abs=0.01)


def test_the_missing_package_s_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_matplotlib(name: str, *rest: object, **more: object) -> object:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **more)  # type: ignore[arg-type]

    reviews = predicted(["yes"])
    monkeypatch.setattr(builtins, "__import__", without_matplotlib)

    with pytest.raises(ConfigError, match=r"agpis-sdk\[train\]"):
        written(reviews, tmp_path)


def test_drawing_leaves_the_settings_of_others_alone(tmp_path: Path) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)

    written(drawn(50), tmp_path)

    assert dict(mpl.rcParams) == before
