"""Pictures upright, whatever their metadata holds (agpis_sdk/media/metadata.py, essentials.py)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, features

from agpis_sdk.components import DecodedImage
from agpis_sdk.errors import ImageReadError
from tests.media.files import (
    ASCII,
    FLOAT,
    RATIONAL,
    SIGNED_RATIONAL,
    Entry,
    chunk,
    decode,
    encoded,
    exif,
    pixel,
    short,
    tiff,
    with_chunk,
    with_segment,
)

ORIENTATION = 0x0112
# What EXIF 2.32 says of the stored rows and columns.
UPRIGHT: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: stored[::-1].swapaxes(0, 1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: stored[:, ::-1].swapaxes(0, 1),
}
FORMATS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True},
    "TIFF": {},
    "TIFF, LZW": {"compression": "tiff_lzw"},
    "TIFF, JPEG": {"compression": "jpeg", "quality": 100},
} | ({"AVIF": {"quality": 100, "subsampling": "4:4:4"}} if features.check("avif") else {})


@given(
    kind=st.sampled_from(sorted(FORMATS)),
    orientation=st.integers(1, 8),
    width=st.integers(20, 90),
    height=st.integers(20, 90),
)
def test_size_and_pixels_are_upright_in_every_format_and_orientation(
    kind: str, orientation: int, width: int, height: int
) -> None:
    stored = four_colors(width, height)
    data = encoded(Image.fromarray(stored), kind.split(",")[0], exif=turned(orientation), **FORMATS[kind])

    image = decode(data)

    expected = UPRIGHT[orientation](stored)
    assert (image.original_width, image.original_height) == expected.shape[1::-1]
    assert image.pixels.shape == expected.shape
    assert np.abs(image.pixels.astype(int) - expected).mean() < 12


@pytest.mark.parametrize("kind", sorted(FORMATS))
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_large_picture_is_upright_after_it_was_scaled(kind: str, orientation: int) -> None:
    stored = four_colors(350, 150)
    data = encoded(Image.fromarray(stored), kind.split(",")[0], exif=turned(orientation), **FORMATS[kind])

    image = decode(data, working_side=64)

    expected = UPRIGHT[orientation](stored)
    height, width = expected.shape[:2]
    assert (image.original_width, image.original_height) == (width, height)
    assert max(image.pixels.shape) == 64
    for x, y in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)):
        here = image.pixels[int(y * image.pixels.shape[0]), int(x * image.pixels.shape[1])].astype(int)
        assert np.abs(here - expected[int(y * height), int(x * width)]).max() < 30
    _, _, right, bottom = image.original_box(0, 0, image.pixels.shape[1], image.pixels.shape[0])
    assert width - 10 <= right <= width
    assert height - 10 <= bottom <= height


RUBBISH: dict[str, Entry] = {
    "a resolution of -1/0": (0x011A, SIGNED_RATIONAL, 1, struct.pack("<ii", -1, 0)),
    "a resolution of 0/0": (0x011A, RATIONAL, 1, bytes(8)),
    "a resolution as text": (0x011A, ASCII, 8, b"72 dpi!\0"),
    "a description as a float": (0x010E, FLOAT, 1, struct.pack("<f", 0.5)),
    "no values": (0x011A, RATIONAL, 0, b""),
    "a value beyond the end": (0x010E, ASCII, 2**31, b"far away"),
    "an unknown type": (0x010E, 99, 1, bytes(4)),
    "a directory that is no directory": (0x8769, ASCII, 4, b"text"),
}


class TestMetadataNeverMakesAPictureUnreadable:
    @pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
    @pytest.mark.parametrize("rubbish", sorted(RUBBISH))
    def test_the_orientation_is_read_beside_entries_of_rubbish(self, file_format: str, rubbish: str) -> None:
        metadata = exif(RUBBISH[rubbish], short(ORIENTATION, 6))

        image = decode(encoded(Image.new("RGB", (60, 40), "red"), file_format, exif=metadata))

        assert (image.original_width, image.original_height) == (40, 60)

    @pytest.mark.parametrize("rubbish", sorted(RUBBISH))
    @pytest.mark.parametrize(("orientation", "size"), [(1, (60, 40)), (6, (40, 60))])
    def test_a_tiff_is_drawn_without_its_entries_of_rubbish(
        self, rubbish: str, orientation: int, size: tuple[int, int]
    ) -> None:
        values = np.full((40, 60), 200, np.uint8)

        image = decode(tiff(values, RUBBISH[rubbish], short(ORIENTATION, orientation)))

        assert (image.original_width, image.original_height) == size
        assert pixel(image, 5, 5) == (200, 200, 200)

    @pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
    @pytest.mark.parametrize("value", [0, 9, 65535])
    def test_an_orientation_that_does_not_exist_turns_nothing(self, file_format: str, value: int) -> None:
        picture = Image.new("RGB", (60, 40))
        data = tiff(np.zeros((40, 60), np.uint8), short(ORIENTATION, value))
        if file_format != "TIFF":
            data = encoded(picture, file_format, exif=exif(short(ORIENTATION, value)))

        assert_unturned(decode(data))

    @pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
    @pytest.mark.parametrize(
        "metadata", [b"", b"Exif\0\0", b"Exif\0\0rubbish!", b"\0" * 40, b"Exif\0\0II*\0\xff\xff\xff\xff"]
    )
    def test_metadata_that_is_rubbish_as_a_whole_turns_nothing(self, file_format: str, metadata: bytes) -> None:
        assert_unturned(decode(encoded(Image.new("RGB", (60, 40)), file_format, exif=metadata)))

    @pytest.mark.parametrize(
        "broken",
        [
            chunk(b"pHYs", b"?"),
            chunk(b"tEXt", b"Title\0fine")[:-1] + b"?",
            chunk(b"zTXt", b"Title\0\x07rubbish"),
            chunk(b"zTXt", b"Title\0\0" + zlib.compress(bytes(20_000_000))),
            chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(20_000_000))),
            chunk(b"gAMA", b""),
            chunk(b"cHRM", b"short"),
            chunk(b"sRGB", b""),
            chunk(b"Raw\0", b""),
        ],
        ids=["size", "checksum", "compression", "text bomb", "profile bomb", "gamma", "primaries", "srgb", "no name"],
    )
    def test_a_png_is_drawn_without_its_broken_chunks(self, broken: bytes) -> None:
        assert_unturned(decode(with_chunk(encoded(Image.new("RGB", (60, 40))), broken)))

    @pytest.mark.parametrize(
        ("marker", "body"),
        [
            (0xE1, b"Exif\0\0MM"),
            (0xE1, b"http://ns.adobe.com/xap/1.0/\0<tiff:Orientation>9</"),
            (0xE2, b"MPF\0II*\0\x08\0\0\0"),
            (0xE2, b"ICC_PROFILE\0\x09\x01?"),
            (0xED, b"Photoshop 3.0\0" + b"8BIM\x03\xed\0\0\0\0\xff\xff"),
            (0xEE, b"Adobe"),
            (0xE0, b"JFIF\0"),
            (0xFE, b""),
        ],
    )
    def test_a_jpeg_is_drawn_without_its_broken_segments(self, marker: int, body: bytes) -> None:
        assert_unturned(decode(with_segment(encoded(Image.new("RGB", (60, 40)), "JPEG"), marker, body)))

    def test_pixels_that_are_missing_still_make_it_unreadable(self) -> None:
        noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (99, 99, 3), dtype=np.uint8))
        data = with_chunk(encoded(noise), chunk(b"pHYs", b"?"))

        with pytest.raises(ImageReadError, match="is damaged"):
            decode(data[: len(data) // 2])


def test_the_pages_of_a_tiff_are_no_animation() -> None:
    page = Image.new("RGB", (12, 10))

    image = decode(encoded(page, "TIFF", save_all=True, append_images=[page.copy(), page.copy()]))

    assert image.frame_count == 1


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP"])
def test_the_frames_of_an_animation_are_counted(file_format: str) -> None:
    frames = [Image.new("RGB", (12, 10), color) for color in ("red", "blue", "green")]

    assert decode(encoded(frames[0], file_format, save_all=True, append_images=frames[1:])).frame_count == 3


def four_colors(width: int, height: int) -> NDArray[np.uint8]:
    """Return a picture whose four quarters differ."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[: height // 2, : width // 2] = (200, 30, 30)
    pixels[height // 2 :, : width // 2] = (30, 160, 30)
    pixels[height // 2 :, width // 2 :] = (30, 30, 200)
    return pixels


def turned(orientation: int) -> Image.Exif:
    metadata = Image.Exif()
    metadata[ORIENTATION] = orientation
    return metadata


def assert_unturned(image: DecodedImage) -> None:
    assert (image.original_width, image.original_height) == (60, 40)
    assert image.pixels.shape == (40, 60, 3)


def test_a_gif_of_very_many_frames_is_not_counted_to_its_end() -> None:
    data = encoded(Image.new("P", (1, 1)), "GIF")
    frame = data[data.rindex(b"\x2c") : -1]

    assert decode(data[:-1] + frame * 4 + b";").frame_count == 5
    assert decode(data[:-1] + frame * 20_000 + b";").frame_count == 10_000


def test_frames_before_a_damaged_one_are_counted() -> None:
    data = encoded(Image.new("P", (1, 1)), "GIF")
    frame = data[data.rindex(b"\x2c") : -1]

    assert decode(data[:-1] + frame + b"rubbish").frame_count == 2
