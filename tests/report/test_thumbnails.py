"""Thumbnails are small, keep their shape, and remember the original's size."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from agpis_sdk.report.thumbnails import LARGE_SIDE, SMALL_SIDE, Thumbnail, make_thumbnail


def size(thumbnail: Thumbnail) -> tuple[int, int]:
    return Image.open(io.BytesIO(thumbnail.webp)).size


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
    red, _, blue = Image.open(io.BytesIO(make_thumbnail(pixels, 300, 300).webp)).getpixel((100, 100))  # type: ignore[misc]
    assert red > 240
    assert blue < 10


def test_pictures_of_a_large_catalog_are_smaller_than_those_of_a_small_one() -> None:
    assert size(make_thumbnail(np.zeros((480, 960, 3), np.uint8), 960, 480, LARGE_SIDE)) == (480, 240)
    assert size(make_thumbnail(np.zeros((480, 960, 3), np.uint8), 960, 480, SMALL_SIDE)) == (120, 60)


def test_four_hundred_noisy_pictures_stay_below_eight_megabytes() -> None:
    # Film grain is the worst that a product photo brings; 3 of 4 pictures are in a sequence here.
    noise = np.random.default_rng(0).normal(128, 40, (500, 500, 3)).clip(0, 255).astype(np.uint8)
    medium, small = make_thumbnail(noise, 500, 500), make_thumbnail(noise, 500, 500, SMALL_SIDE)
    assert 300 * len(medium.data_uri()) + 100 * len(small.data_uri()) < 8_000_000
