"""Undamaged JPEG files are decoded by another way, and by that alone they differ from the rest: not in a pixel."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from agpis_sdk.media.whole_jpeg import whole_jpeg
from tests.media.test_rgb import red_and_green_swapped

SIDE = 64


def jpeg(width: int, height: int, mode: str = "RGB", **settings: Any) -> bytes:
    """Return a colorful picture, soft enough for its colors to survive the file."""
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).filter(ImageFilter.GaussianBlur(2)).convert(mode).save(out, "JPEG", **settings)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.draft("", (SIDE, SIDE))
    return image


@pytest.mark.parametrize(
    "settings",
    [{}, {"quality": 30}, {"quality": 100, "subsampling": 0}, {"subsampling": 1}, {"progressive": True},
     {"optimize": True, "restart_marker_rows": 1}, {"keep_rgb": True}],
    ids=lambda settings: "-".join(settings) or "default",
)  # fmt: skip
@pytest.mark.parametrize("size", [(1, 1), (37, 61), (127, 129), (301, 130), (520, 517)], ids=str)
def test_the_pixels_are_those_of_pillow(size: tuple[int, int], settings: dict[str, Any]) -> None:
    data = jpeg(*size, **settings)

    pixels = whole_jpeg(opened(data), data)

    assert pixels is not None
    np.testing.assert_array_equal(pixels, np.asarray(opened(data)))


def test_bytes_behind_the_picture_do_not_matter() -> None:
    data = jpeg(200, 200) + b"\x07"

    pixels = whole_jpeg(opened(data), data)

    assert pixels is not None
    np.testing.assert_array_equal(pixels, np.asarray(opened(data)))


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_picture_of_other_channels_is_left_to_pillow(mode: str) -> None:
    data = jpeg(200, 200, mode)

    assert whole_jpeg(opened(data), data) is None


def test_a_picture_whose_colors_are_to_be_converted_is_left_to_pillow() -> None:
    data = jpeg(200, 200, icc_profile=red_and_green_swapped())

    assert whole_jpeg(opened(data), data) is None


@pytest.mark.parametrize("cut", [0.3, 0.9])
@pytest.mark.parametrize("closed", [b"", b"\xff\xd9"], ids=["open", "closed"])
def test_a_picture_that_has_lost_its_end_is_left_to_pillow(cut: float, closed: bytes) -> None:
    data = jpeg(200, 200)
    damaged = data[: int(len(data) * cut)] + closed

    assert whole_jpeg(opened(damaged), damaged) is None


def test_a_picture_without_its_end_marker_is_left_to_pillow() -> None:
    data = jpeg(200, 200)[:-2]

    assert whole_jpeg(opened(data), data) is None


def test_a_decoder_that_complains_tells_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    data = jpeg(200, 200)
    damaged = data[: len(data) // 2] + b"\xff\xd9"

    whole_jpeg(opened(damaged), damaged)

    assert capfd.readouterr() == ("", "")
