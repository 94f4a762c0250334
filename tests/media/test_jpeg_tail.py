"""JPEG files that end too early (agpis_sdk/media/jpeg_tail.py)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from agpis_sdk.errors import ImageReadError
from agpis_sdk.media.jpeg_tail import END_MARKER
from tests.media.files import decode, encoded

KINDS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "full color": {"subsampling": 0},
    "optimized": {"optimize": True},
    "progressive": {"progressive": True},
    "restart markers after rows": {"restart_marker_rows": 1},
    "restart markers after blocks": {"restart_marker_blocks": 1},
    "progressive with restart markers": {"progressive": True, "restart_marker_rows": 1},
}
SEQUENTIAL = [name for name in KINDS if "progressive" not in name]


def photo(width: int = 240, height: int = 180) -> Image.Image:
    """Return soft shapes, as a photo has them, down to the last corner."""
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(noise).filter(ImageFilter.GaussianBlur(3))


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("lost", [1, 2])
def test_a_picture_without_its_end_marker_is_whole(kind: str, lost: int) -> None:
    data = encoded(photo(), "JPEG", quality=85, **KINDS[kind])

    assert (decode(data[:-lost]).pixels == decode(data).pixels).all()


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_so_is_a_gray_and_a_cmyk_one(mode: str) -> None:
    data = encoded(photo().convert(mode), "JPEG")

    assert (decode(data[:-2]).pixels == decode(data).pixels).all()


@pytest.mark.parametrize("filling", [bytes(100), b"\r\n", b"<!-- served by a shop -->"])
def test_so_is_one_with_something_else_in_place_of_the_marker(filling: bytes) -> None:
    data = encoded(photo(), "JPEG")

    assert (decode(data[:-2] + filling).pixels == decode(data).pixels).all()


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("kept", [0.2, 0.35, 0.5, 0.75, 0.9, 0.95, 0.98])
def test_a_picture_that_has_lost_a_part_is_damaged(kind: str, kept: float) -> None:
    data = encoded(photo(), "JPEG", quality=85, **KINDS[kind])

    with pytest.raises(ImageReadError, match=r"its end is missing \([\d,]+ bytes are there\) \(export or fetch it"):
        decode(data[: int(len(data) * kept)])


@pytest.mark.parametrize("kind", SEQUENTIAL)
@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.98])
def test_it_stays_so_when_a_program_has_closed_the_file(kind: str, kept: float) -> None:
    data = encoded(photo(), "JPEG", quality=85, **KINDS[kind])

    with pytest.raises(ImageReadError, match="its end is missing"):
        decode(data[: int(len(data) * kept)] + END_MARKER)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_wherever_it_is_cut_what_is_read_is_the_picture(kind: str) -> None:
    data = encoded(photo(160, 120), "JPEG", quality=85, **KINDS[kind])
    whole = decode(data).pixels.astype(int)
    read = 0

    for kept in (*range(700, len(data) - 40, 499), *range(len(data) - 40, len(data))):
        try:
            image = decode(data[:kept])
        except ImageReadError:
            continue
        read += 1
        wrong = (np.abs(image.pixels - whole).max(axis=2) > 24).mean()
        assert wrong < 0.002, kept

    assert read >= 2


def test_the_last_row_of_a_picture_is_not_let_go() -> None:
    # A white picture's rows are coded in few bytes.
    picture = Image.new("RGB", (400, 304), "white")
    picture.paste(photo(400, 200), (0, 0))
    data = encoded(picture, "JPEG")
    row = (len(data) - len(encoded(picture.crop((0, 0, 400, 288)), "JPEG"))) - 4

    assert row < 100
    with pytest.raises(ImageReadError, match="its end is missing"):
        decode(data[: -2 - row])


@pytest.mark.parametrize("working_side", [64, 512])
def test_a_large_picture_is_judged_alike_at_every_scale(working_side: int) -> None:
    data = encoded(photo(1200, 900), "JPEG")

    assert decode(data[:-2], working_side=working_side).original_width == 1200
    with pytest.raises(ImageReadError, match="its end is missing"):
        decode(data[: int(len(data) * 0.95)], working_side=working_side)


def test_a_picture_whose_corner_is_gray_is_read_as_ever() -> None:
    picture = photo()
    picture.paste((128, 128, 128), (0, 120, 240, 180))
    data = encoded(picture, "JPEG")

    assert decode(data).pixels[-1, -1].tolist() == [128, 128, 128]
    assert (decode(data[:-2]).pixels == decode(data).pixels).all()
