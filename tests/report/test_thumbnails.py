"""Thumbnails are small, keep their shape, and remember the original's size."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from agpis_sdk.report.thumbnails import Thumbnail, make_thumbnail, shrunk


def size(thumbnail: Thumbnail) -> tuple[int, int]:
    return Image.open(io.BytesIO(thumbnail.jpeg)).size


@pytest.mark.parametrize(
    ("width", "height", "expected"), [(960, 480, (240, 120)), (480, 960, (120, 240)), (9000, 3, (240, 1))]
)
def test_the_long_side_is_cut_to_size(width: int, height: int, expected: tuple[int, int]) -> None:
    assert size(make_thumbnail(np.zeros((height, width, 3), np.uint8), width, height)) == expected


def test_a_small_picture_is_not_enlarged() -> None:
    assert size(make_thumbnail(np.zeros((40, 50, 3), np.uint8), 50, 40)) == (50, 40)


def test_the_original_s_size_is_kept_in_mind() -> None:
    thumbnail = make_thumbnail(np.zeros((512, 384, 3), np.uint8), 3000, 4000)
    assert (thumbnail.original_width, thumbnail.original_height) == (3000, 4000)


def test_colors_stay_red_green_blue() -> None:
    pixels = np.zeros((300, 300, 3), np.uint8)
    pixels[..., 0] = 250
    red, _, blue = Image.open(io.BytesIO(make_thumbnail(pixels, 300, 300).jpeg)).getpixel((100, 100))  # type: ignore[misc]
    assert red > 240
    assert blue < 10


def test_a_thumbnail_shrinks_once_more() -> None:
    assert size(shrunk(make_thumbnail(np.zeros((480, 960, 3), np.uint8), 960, 480), 120)) == (120, 60)


def test_a_thumbnail_that_is_small_enough_stays_as_it_is() -> None:
    thumbnail = make_thumbnail(np.zeros((80, 90, 3), np.uint8), 90, 80)
    assert shrunk(thumbnail, 120) is thumbnail


def test_four_hundred_noisy_pictures_stay_below_eight_megabytes() -> None:
    # Film grain is the worst that a product photo brings; 3 of 4 pictures are in a sequence here.
    noise = np.random.default_rng(0).normal(128, 40, (500, 500, 3)).clip(0, 255).astype(np.uint8)
    large = make_thumbnail(noise, 500, 500)
    total = 300 * len(large.data_uri()) + 100 * len(shrunk(large, 120).data_uri())
    assert total < 8_000_000
