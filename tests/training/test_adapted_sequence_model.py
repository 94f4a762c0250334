"""The sequence model learns on from a shop's own galleries, and is taken only where it ranks other products surely better."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from agpis_sdk.builtin.muisc.checkpoints import load_muisc
from agpis_sdk.config import Config
from agpis_sdk.evaluation.calibration import Calibration
from agpis_sdk.facts import VIEWS, ColorHistogram, View
from agpis_sdk.pipeline.image_facts import ProductFacts
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.records import CandidateImage, Product
from agpis_sdk.training.adaptation import muisc
from agpis_sdk.training.adaptation.muisc import CrossValidated, MuiscAdapter, seen_facts
from agpis_sdk.training.adaptation.request import AdaptationRequest
from tests.training.color_shop import ColorBackbone

RED, BLUE = np.array([[25, 60, 40]], np.float32), np.array([[25, 10, -60]], np.float32)


def seen(view: str, color: np.ndarray = RED, p_nc: float = 0.1) -> dict[str, object]:
    """Return what stage 1 says of an image."""
    probabilities = np.full(len(VIEWS), 0.01, np.float32)
    probabilities[VIEWS.index(view)] = 0.91
    colors = ColorHistogram(color, np.ones(1, np.float32))
    seen = {"color_histogram": colors, "product_embedding": np.ones(4, np.float32)}
    return {"view": View(probabilities, 0.9), "p_noncompliant": p_nc, **seen}


def product_of(**images: dict[str, object]) -> ProductFacts:
    candidates = tuple(CandidateImage(id=name, uri=f"{name}.jpg") for name in images)
    return ProductFacts(Product(id="p", images=candidates), images)


class TestWhatAGalleryIsTakenFor:
    def test_the_first_image_is_the_main_view_and_the_others_are_what_they_show(self) -> None:
        known = seen_facts(product_of(a=seen("model"), b=seen("back"), c=seen("detail"), d=seen("detail")))

        assert [known[name]["view"] for name in "abcd"] == ["main", "back", "detail 2", "detail 3"]

    def test_another_image_of_the_main_view_is_left_out(self) -> None:
        known = seen_facts(product_of(a=seen("front"), b=seen("front"), c=seen("back")))

        assert [known[name]["role"] for name in "abc"] == ["gallery", "excluded", "gallery"]

    def test_the_main_view_in_another_color_is_a_variant(self) -> None:
        known = seen_facts(product_of(a=seen("front"), b=seen("front", BLUE)))

        assert [known[name]["file_color"] for name in "ab"] == ["color 0", "color 1"]
        assert known["b"]["role"] == "gallery"

    def test_an_image_with_something_laid_over_it_is_left_out(self) -> None:
        assert seen_facts(product_of(a=seen("front"), b=seen("back", p_nc=0.8)))["b"]["role"] == "excluded"


def crossed(gain: float, products: int = 40) -> CrossValidated:
    """Return reviews of which the model knew nothing before, and knows about as much as `gain` afterwards."""
    rng = np.random.default_rng(0)
    qualified = np.arange(4 * products) % 2 == 0
    before = rng.normal(size=(4 * products, 2))
    after = before + gain * np.stack([qualified, ~qualified], axis=1)
    return CrossValidated(
        qualified=qualified,
        products=np.repeat([f"p{number}" for number in range(products)], 4),
        halves=np.repeat(np.arange(products) % 2 == 0, 4),
        before=before,
        after=after,
        calibration=Calibration(),
    )


class TestTheModelIsTaken:
    def test_where_it_is_surely_better(self) -> None:
        result = crossed(gain=3.0).adaptation(galleries=40)

        assert result.adopted
        assert result.settings == {"components": {"muisc": {"model": "./muisc"}}}
        assert result.before is not None
        assert result.after is not None
        assert result.after > result.before + 0.3

    def test_with_the_calibration_errors_of_products_that_did_not_teach_it(self) -> None:
        knowing_nothing = crossed(gain=0.0)
        overconfident = replace(knowing_nothing, before=knowing_nothing.before * 10, after=knowing_nothing.after * 10)

        before, after = overconfident.calibration_errors()

        assert after < 0.1 < before
        assert f"calibration error {before:.2f} before, {after:.2f} after" in overconfident.adaptation(40).reason

    def test_not_where_nothing_changes(self) -> None:
        result = crossed(gain=0.0).adaptation(galleries=40)

        assert not result.adopted
        assert result.settings == {}


def a_request(tmp_path: Path, products: list[ProductFacts]) -> AdaptationRequest:
    return AdaptationRequest(
        products=products, out=tmp_path / "shop", config=Config(), rules=shipped_rules(),
        run_facts=lambda _: ColorBackbone(), false_alarms=0.05,
    )  # fmt: skip


def test_a_shop_of_a_few_products_is_left_as_it_is(tmp_path: Path) -> None:
    result = MuiscAdapter().adapt(a_request(tmp_path, []))

    assert not result.adopted
    assert "needs 12 galleries" in result.reason


@pytest.mark.slow
def test_what_is_taken_can_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(muisc, "MOST_REVIEWS", 60)
    monkeypatch.setattr(muisc, "CERTAINTY", 0.0)
    products = []
    for number in range(12):
        for place in range(2):
            picture = np.full((96, 96, 3), 255, np.uint8)
            picture[20:76, 20 + 10 * place : 76] = (200, 20 * number, 0)
            cv2.imwrite(str(tmp_path / f"{number}-{place}.png"), picture)
        images = tuple(CandidateImage(id=str(place), uri=str(tmp_path / f"{number}-{place}.png")) for place in (0, 1))
        product = Product(id=f"p{number}", title=f"bag {number}", images=images)
        products.append(ProductFacts(product, {"0": seen("front"), "1": seen("back")}))

    result = MuiscAdapter().adapt(a_request(tmp_path, products))

    assert result.adopted
    load_muisc(tmp_path / "shop" / "muisc")
