"""The histogram of a product: which colors stand out, and how two histograms differ."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agpis_sdk.builtin.builders.color_agreement import (
    OTHER_COLOR,
    Appearance,
    color_distance,
    color_mismatch,
    compared_in_gallery,
)
from agpis_sdk.builtin.foreground.color_histogram import color_histogram_of
from agpis_sdk.builtin.foreground.plain_background import estimate_foreground
from agpis_sdk.config import Config
from agpis_sdk.facts import ColorHistogram
from agpis_sdk.pipeline.image_facts import RunFacts
from agpis_sdk.testing import isolated_host, make_image

Color = tuple[int, int, int]
RED, BLUE, SHADED_RED = (190, 40, 40), (40, 60, 170), (170, 34, 34)


def photo(*bands: Color, box: tuple[int, int, int, int] = (40, 30, 160, 170)) -> np.ndarray:
    """Return a product of equal bands of color, on white."""
    pixels = np.full((200, 200, 3), 255, np.uint8)
    left, top, right, bottom = box
    for number, color in enumerate(bands):
        begin = top + (bottom - top) * number // len(bands)
        pixels[begin : top + (bottom - top) * (number + 1) // len(bands), left:right] = color
    return pixels


def histogram(*bands: Color, **fields: tuple[int, int, int, int]) -> ColorHistogram:
    pixels = photo(*bands, **fields)
    _, foreground = estimate_foreground(pixels)
    assert foreground is not None
    return color_histogram_of(pixels, foreground)


FRONT, BACK = np.array([1, 0], np.float32), np.array([0, 1], np.float32)


def mismatch(one: ColorHistogram, other: ColorHistogram, *, alike: bool = False) -> float:
    """Return the probability of two colors, of pictures that look alike but for their colors or not at all."""
    return color_mismatch(Appearance(one, FRONT), Appearance(other, FRONT if alike else BACK))


def test_each_color_has_its_share() -> None:
    found = histogram(RED, BLUE)

    assert found.shares.tolist() == pytest.approx([0.5, 0.5], abs=0.05)
    assert found.shares.sum() == pytest.approx(1)


def test_the_background_is_no_color_of_the_product() -> None:
    assert histogram(RED).difference(histogram(RED, box=(20, 80, 80, 120))) == 0


@pytest.mark.parametrize("alike", [False, True])
def test_a_little_less_light_is_no_other_color(alike: bool) -> None:
    assert mismatch(histogram(RED), histogram(SHADED_RED), alike=alike) < 0.5


@pytest.mark.parametrize("alike", [False, True])
def test_another_dye_is(alike: bool) -> None:
    assert histogram(RED).difference(histogram(BLUE)) == 1
    assert mismatch(histogram(RED), histogram(BLUE), alike=alike) > 0.9


def test_shares_of_the_same_colors_tell_only_where_pictures_look_alike() -> None:
    mostly_red, mostly_blue = histogram(RED, RED, RED, BLUE), histogram(RED, BLUE, BLUE, BLUE)

    assert mostly_red.difference(mostly_blue) < 0.01
    assert mismatch(mostly_red, mostly_blue, alike=True) > 0.9
    assert mismatch(mostly_red, mostly_blue, alike=False) < 0.5


def test_half_of_a_product_in_another_color_is_half_a_difference() -> None:
    assert histogram(RED, RED).difference(histogram(RED, BLUE)) == pytest.approx(0.25, abs=0.05)


LAB = st.tuples(st.floats(0, 50), st.floats(-100, 100), st.floats(-100, 100))


@st.composite
def histograms(draw: st.DrawFn) -> ColorHistogram:
    colors = np.array(draw(st.lists(LAB, min_size=1, max_size=5)), np.float32)
    weights = np.array(draw(st.lists(st.floats(0.1, 1), min_size=len(colors), max_size=len(colors))), np.float32)
    return ColorHistogram(colors, weights / weights.sum())


@given(histograms(), histograms())
def test_a_difference_is_the_same_both_ways_and_a_share(one: ColorHistogram, other: ColorHistogram) -> None:
    assert one.difference(other) == pytest.approx(other.difference(one))
    assert -1e-6 <= one.difference(other) <= 1 + 1e-6
    assert one.difference(one) == 0


@given(histograms(), histograms())
def test_the_way_from_one_to_another_is_a_share_and_as_long_as_the_way_back(
    one: ColorHistogram, other: ColorHistogram
) -> None:
    assert color_distance(one, other) == pytest.approx(color_distance(other, one), abs=1e-4)
    assert -1e-4 <= color_distance(one, other) <= 1 + 1e-4
    assert color_distance(one, one) == pytest.approx(0, abs=1e-4)


class TestInAGallery:
    def test_what_is_closer_to_an_image_of_another_color_is_of_that_color(self) -> None:
        # The front in blue, the front in gray, a detail in gray.
        alone = np.array([[np.nan, 0.9, 0.3], [0.9, np.nan, 0.1], [0.3, 0.1, np.nan]])

        mismatch = compared_in_gallery(alone)

        assert mismatch[0, 2] == mismatch[2, 0] > OTHER_COLOR
        assert mismatch[1, 2] == 0.1

    def test_what_is_as_close_to_its_own_color_stays_of_it(self) -> None:
        alone = np.array([[np.nan, 0.9, 0.1], [0.9, np.nan, 0.5], [0.1, 0.5, np.nan]])
        assert compared_in_gallery(alone)[0, 2] == 0.1

    def test_two_images_differ_no_more_than_both_do_from_a_third(self) -> None:
        # The bag from the front, its black back, and both from an angle.
        alone = np.array([[np.nan, 0.8, 0.1], [0.8, np.nan, 0.75], [0.1, 0.75, np.nan]])
        assert compared_in_gallery(alone)[0, 1] == pytest.approx(0.8)
        alone[1, 2] = alone[2, 1] = 0.2
        assert compared_in_gallery(alone)[0, 1] == pytest.approx(0.3)

    def test_where_no_two_images_surely_differ_all_do_so_less_likely(self) -> None:
        alone = np.full((3, 3), 0.45)
        np.fill_diagonal(alone, np.nan)
        assert compared_in_gallery(alone)[0, 1] < OTHER_COLOR
        assert compared_in_gallery(alone[:2, :2])[0, 1] == 0.45  # of two images there is no such thing

    def test_a_pair_of_which_nothing_is_known_stays_unknown(self) -> None:
        alone = np.array([[np.nan, 0.9, np.nan], [0.9, np.nan, 0.1], [np.nan, 0.1, np.nan]])
        assert np.isnan(compared_in_gallery(alone)[0, 2])


def test_a_shadow_before_a_plain_background_is_no_color_of_the_product() -> None:
    pixels = np.full((300, 300, 3), 240, np.uint8)
    cv2.ellipse(pixels, (175, 235), (110, 30), 0, 0, 360, (90, 90, 90), -1, cv2.LINE_AA)
    pixels = cv2.GaussianBlur(pixels, (0, 0), 8).astype(np.uint8)
    cv2.ellipse(pixels, (150, 150), (60, 95), 0, 0, 360, (30, 60, 200), -1, cv2.LINE_AA)

    facts = RunFacts(frozenset({"color_histogram"}), host=isolated_host(), config=Config())
    colors = facts.features([replace(make_image(), pixels=pixels)])[0]["color_histogram"]

    _, outlined = estimate_foreground(pixels)
    assert gray_share(color_histogram_of(pixels, outlined)) > 0.1  # what color alone takes for the product
    assert gray_share(colors) < 0.05


def gray_share(histogram: ColorHistogram) -> float:
    return float(histogram.shares[np.abs(histogram.colors[:, 1:]).max(axis=1) < 10].sum())
