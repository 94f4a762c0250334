"""Bytes to pixels, as a shop shows the picture (agpis_sdk/media/decode.py)."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError, ImageTooLargeError
from agpis_sdk.media.decode import decode_image
from tests.media.files import decode, encoded, pixel

RED = (255, 0, 0)


def test_a_picture_is_rgb_bytes_that_nobody_may_change() -> None:
    image = decode(encoded(Image.new("RGB", (40, 30), RED)))

    assert image.pixels.shape == (30, 40, 3)
    assert image.pixels.dtype == np.uint8
    assert pixel(image, 0, 0) == RED
    with pytest.raises(ValueError, match="read-only"):
        image.pixels[0, 0] = 0


def test_a_large_picture_is_shrunk_to_the_working_side_and_remembers_its_size() -> None:
    image = decode(encoded(Image.new("RGB", (1600, 800), RED)), working_side=400)

    assert image.pixels.shape == (200, 400, 3)
    assert (image.original_width, image.original_height, image.scale) == (1600, 800, 4.0)
    assert image.original_box(100, 50, 10, 20) == (400, 200, 40, 80)


def test_a_small_picture_is_not_enlarged() -> None:
    assert decode(encoded(Image.new("RGB", (100, 80))), working_side=400).pixels.shape == (80, 100, 3)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_exif_rotation_is_applied_and_the_original_size_turned(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation

    image = decode(encoded(Image.new("RGB", (60, 40)), "JPEG", exif=exif))

    assert (image.original_width, image.original_height) == (40, 60)
    assert image.pixels.shape == (60, 40, 3)


def test_exif_rotation_turns_the_pixels_the_way_a_browser_does() -> None:
    # Orientation 6: what is stored at the left edge belongs at the top.
    stored = Image.new("RGB", (60, 40), "white")
    stored.paste("red", (0, 0, 20, 40))
    exif = Image.Exif()
    exif[0x0112] = 6

    image = decode(encoded(stored, "PNG", exif=exif))

    assert pixel(image, 20, 5) == RED
    assert pixel(image, 20, 55) == (255, 255, 255)


def test_cmyk_becomes_rgb() -> None:
    image = decode(encoded(Image.new("CMYK", (20, 20), (0, 255, 255, 0)), "JPEG"))

    red, green, blue = pixel(image, 10, 10)
    assert red > 200
    assert max(green, blue) < 60


def test_sixteen_bit_gray_becomes_eight_bit() -> None:
    values = np.full((20, 20), 32768, dtype=np.uint16)

    assert pixel(decode(encoded(Image.fromarray(values))), 5, 5) == (127, 127, 127)


def test_transparent_parts_of_rgba_lie_over_white() -> None:
    picture = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (0, 0, 10, 20))

    image = decode(encoded(picture))

    assert pixel(image, 2, 2) == RED
    assert pixel(image, 15, 2) == (255, 255, 255)


def test_half_transparent_parts_are_mixed_with_white() -> None:
    assert pixel(decode(encoded(Image.new("RGBA", (9, 9), (0, 0, 0, 128)))), 4, 4) == (127, 127, 127)


def test_a_transparent_palette_entry_lies_over_white() -> None:
    picture = Image.new("P", (20, 20), 0)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    picture.paste(1, (0, 0, 10, 20))

    image = decode(encoded(picture, transparency=0))

    assert pixel(image, 2, 2) == RED
    assert pixel(image, 15, 2) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_png_becomes_rgb(mode: str) -> None:
    assert decode(encoded(Image.new(mode, (12, 10)))).pixels.shape == (10, 12, 3)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_the_format_is_told(file_format: str) -> None:
    image = decode(encoded(Image.new("RGB", (12, 10), RED), file_format))

    assert (image.format, image.frame_count) == (file_format, 1)


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (12, 10), color) for color in ("red", "blue", "green")]

    image = decode(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))

    assert image.frame_count == 3
    assert pixel(image, 3, 3) == RED


def test_one_pixel_is_a_picture() -> None:
    image = decode(encoded(Image.new("RGB", (1, 1), RED)))

    assert image.pixels.shape == (1, 1, 3)
    assert image.original_box(0, 0, 1, 1) == (0, 0, 1, 1)


def test_a_hair_thin_picture_keeps_at_least_one_pixel() -> None:
    assert decode(encoded(Image.new("RGB", (3000, 1))), working_side=64).pixels.shape == (1, 64, 3)


def test_equal_bytes_have_equal_hashes() -> None:
    data = encoded(Image.new("RGB", (5, 5)))

    assert decode(data).sha256 == decode(data).sha256 != decode(data + b" ").sha256
    assert decode(data).byte_count == len(data)


class TestRefused:
    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", r"is empty \(0 bytes\) \(export or fetch it again\)"),
            (b"no picture at all", r"is not an image of a known format \(use JPEG, PNG or WebP\)"),
            (b"\x89PNG\r\n\x1a\n", "is not an image|is damaged"),
        ],
    )
    def test_what_is_no_picture(self, data: bytes, reason: str) -> None:
        with pytest.raises(ImageReadError, match=reason):
            decode(data)

    @pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
    def test_a_truncated_picture(self, file_format: str) -> None:
        noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8))
        data = encoded(noise, file_format)

        with pytest.raises(ImageReadError, match=r"export or fetch it again|use JPEG"):
            decode(data[: len(data) // 2])

    def test_a_picture_beyond_the_limit_on_pixels(self) -> None:
        with pytest.raises(
            ImageTooLargeError, match=r"40 x 30 pixels, more than media.max_pixels = 1,199 \(shrink it, or"
        ):
            decode(encoded(Image.new("RGB", (40, 30))), max_pixels=1199)

    def test_a_bomb_of_a_thousand_bytes_and_nine_hundred_million_pixels(self) -> None:
        with pytest.raises(ImageTooLargeError, match=r"pixels.*shrink it"):
            decode(png_that_claims(30_000, 30_000))

    def test_a_bomb_even_when_the_limit_allows_it(self) -> None:
        # Pillow's own guard stands behind ours.
        with pytest.raises(ImageTooLargeError, match="900000000 pixels"):
            decode(png_that_claims(30_000, 30_000), max_pixels=10**12)

    def test_a_bomb_between_the_two_limits(self) -> None:
        with pytest.raises(ImageTooLargeError, match=r"11000 x 10000 pixels, more than media.max_pixels"):
            decode(png_that_claims(11_000, 10_000))


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=300)
@given(data=st.data())
def test_a_damaged_file_is_a_picture_or_an_error_for_people_and_nothing_else(data: st.DataObject) -> None:
    file_format = data.draw(st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"]))
    damaged = bytearray(SAMPLES[file_format])
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(1, len(damaged)))

    try:
        image = decode(bytes(damaged[:end]), max_pixels=1_000_000)
    except ImageReadError as error:
        assert error.remedy  # noqa: PT017 - either of the two is fine
    else:
        assert image.pixels.ndim == 3


def png_that_claims(width: int, height: int) -> bytes:
    """Return a small PNG whose header claims any size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    )


def _sample(file_format: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    options = {"exif": exif} if file_format in ("JPEG", "PNG", "WEBP", "TIFF") else {}
    return encoded(Image.fromarray(pixels), file_format, **options)


SAMPLES = {file_format: _sample(file_format) for file_format in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")}


class TestWhatTheFileTells:
    @pytest.mark.parametrize(
        ("uri", "suffix"),
        [
            ("photos/Back.JPG", ".jpg"),
            ("https://shop.example/a.webp?w=8#x", ".webp"),
            ("photos.png/back", ""),
            ("", ""),
        ],
    )
    def test_the_ending_of_its_name_is_kept_in_lower_case(self, uri: str, suffix: str) -> None:
        data = encoded(Image.new("RGB", (8, 8)))

        image = decode_image(data, product_id="P1", image_id="a", position=0, limits=MediaSection(), uri=uri)

        assert image.suffix == suffix

    @pytest.mark.parametrize("quality", [5, 30, 50, 75, 95])
    def test_a_jpeg_tells_its_quality(self, quality: int) -> None:
        data = encoded(Image.new("RGB", (16, 16)), "JPEG", quality=quality)

        # At low qualities the table's entries are cut off at 255.
        assert decode(data).jpeg_quality == pytest.approx(quality, abs=8 if quality < 10 else 1)

    def test_a_png_has_no_quality(self) -> None:
        assert decode(encoded(Image.new("RGB", (16, 16)))).jpeg_quality is None

    def test_the_source_types_in_its_metadata_are_sorted_and_told_once(self) -> None:
        terms = ["trainedAlgorithmicMedia", "digitalCapture", "digitalCapture"]
        xmp = "".join(f"<li>http://cv.iptc.org/newscodes/digitalsourcetype/{term}</li>" for term in terms)
        data = encoded(Image.new("RGB", (16, 16)), "WEBP", xmp=xmp.encode())

        assert decode(data).digital_source_types == ("digitalCapture", "trainedAlgorithmicMedia")
        assert decode(encoded(Image.new("RGB", (16, 16)))).digital_source_types == ()


class TestDetail:
    @pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
    @pytest.mark.parametrize(
        ("size", "shape", "scale"),
        [((300, 200), (200, 300), 1), ((1000, 700), (400, 400), 1), ((2000, 1000), (400, 400), 2)],
    )
    def test_is_the_middle_at_the_finest_size_that_is_decoded(
        self, file_format: str, size: tuple[int, int], shape: tuple[int, int], scale: float, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr("agpis_sdk.media.decode.DETAIL_SIDE", 400)
        picture = Image.new("RGB", size, "black")
        picture.paste("white", (size[0] // 2 - 20, size[1] // 2 - 20, size[0] // 2 + 20, size[1] // 2 + 20))

        image = decode(encoded(picture, file_format), working_side=400)

        assert image.detail is not None
        assert image.detail.shape == shape
        assert image.detail_scale == scale
        assert image.detail[shape[0] // 2, shape[1] // 2] > 250
        assert image.detail.mean() * image.detail.size / 255 == pytest.approx((40 / scale) ** 2, rel=0.1)

    def test_nobody_may_change_it(self) -> None:
        detail = decode(encoded(Image.new("RGB", (40, 30)))).detail

        assert detail is not None
        with pytest.raises(ValueError, match="read-only"):
            detail[0, 0] = 1
