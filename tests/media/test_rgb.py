"""Any kind of picture as 8-bit sRGB over white (agpis_sdk/media/rgb.py, color.py)."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from agpis_sdk.media import rgb
from tests.media.files import chunk, decode, encoded, pixel, png, tiff

WHITE = (255, 255, 255)


class TestMoreThanEightBits:
    def test_gray_of_16_bits_with_a_transparent_value_lies_over_white(self) -> None:
        values = np.full((20, 20), 30_000, np.uint16)
        values[:, 10:] = 1000
        data = png(values, chunk(b"tRNS", struct.pack(">H", 1000)))

        image = decode(data)

        assert pixel(image, 3, 3) == (116, 116, 116)
        assert pixel(image, 15, 3) == WHITE

    def test_so_it_does_where_black_is_the_transparent_value(self) -> None:
        data = png(np.zeros((20, 20), np.uint16), chunk(b"tRNS", struct.pack(">H", 0)))

        assert pixel(decode(data), 3, 3) == WHITE

    def test_rgb_of_16_bits_with_a_transparent_color_lies_over_white(self) -> None:
        values = np.full((20, 20, 3), (60_000, 1000, 1000), np.uint16)
        values[:, 10:] = (500, 1000, 65_535)
        data = png(values, chunk(b"tRNS", struct.pack(">HHH", 500, 1000, 65_535)))

        image = decode(data)

        assert pixel(image, 3, 3) == (234, 3, 3)
        assert pixel(image, 15, 3) == WHITE

    @pytest.mark.parametrize(
        ("kind", "values", "shown"),
        [
            ("<u2", [0, 32_768, 65_535], [0, 127, 255]),
            ("<u4", [0, 2**31, 2**32 - 1], [0, 127, 255]),
            ("<u4", [0, 32_768, 65_535], [0, 127, 255]),
            ("<i4", [-5, 128, 255], [0, 128, 255]),
            ("<f4", [0, 0.5, 1], [0, 127, 255]),
            ("<f4", [0, 0.1, 0.2], [0, 25, 51]),
            ("<f4", [-1, 128, 255], [0, 128, 255]),
            ("<f4", [0, 32_768, 65_535], [0, 127, 255]),
            ("<f4", [float("nan"), float("-inf"), 0.5], [0, 0, 127]),
            ("<f4", [0, 5e9, 1e10], [0, 127, 255]),
        ],
    )
    def test_a_gray_tiff_is_scaled_so_that_white_is_255(self, kind: str, values: list[float], shown: list[int]) -> None:
        image = decode(tiff(np.array([values] * 3).astype(kind)))

        assert image.pixels[1, :, 0].tolist() == shown
        assert (image.pixels == image.pixels[..., :1]).all()

    @pytest.mark.parametrize(("kind", "values"), [("<u2", [0, 65_535]), ("<f4", [0, 1]), ("<u1", [0, 255])])
    def test_a_tiff_whose_zero_is_white_is_inverted(self, kind: str, values: list[int]) -> None:
        image = decode(tiff(np.array([values] * 2).astype(kind), photometric=0))

        assert image.pixels[0, :, 0].tolist() == [255, 0]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "LAB"])
@pytest.mark.parametrize("transparency", [False, True])
def test_a_picture_scaled_in_bands_is_the_scaled_picture(
    mode: str, transparency: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = of_mode(mode)
    if transparency and mode in ("P", "L", "I;16"):
        picture.info["transparency"] = 100
    whole = rgb.rgb_pixels(picture)
    monkeypatch.setattr(rgb, "BAND_PIXELS", 1000)
    monkeypatch.setattr(rgb, "WHOLE_PIXELS", 1000)

    banded = rgb.rgb_pixels(picture)
    shrunk = rgb.rgb_pixels(picture, 4)

    assert (banded == whole).all()
    assert shrunk.shape == (23, 31, 3)
    assert (shrunk == np.asarray(Image.fromarray(whole).reduce(4))).all()


def test_transparent_parts_leave_no_fringe_where_a_picture_is_scaled() -> None:
    # The hidden color is black; under it lies white.
    picture = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (0, 0, 202, 400))

    image = decode(encoded(picture), working_side=64)

    assert pixel(image, 63, 5) == WHITE
    edge = image.pixels[5].astype(int)
    assert edge[:, 0].min() >= 254


class TestColorProfiles:
    @pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
    def test_colors_are_converted_to_srgb(self, file_format: str) -> None:
        data = encoded(Image.new("RGB", (16, 16), (250, 20, 20)), file_format, icc_profile=red_and_green_swapped())

        red, green, blue = pixel(decode(data), 8, 8)

        assert red < 40 < 230 < green
        assert blue < 40

    @pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
    def test_srgb_itself_changes_nothing(self, file_format: str) -> None:
        picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))

        named = decode(encoded(picture, file_format, icc_profile=srgb()))

        assert (named.pixels == decode(encoded(picture, file_format)).pixels).all()

    @pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
    @pytest.mark.parametrize("profile", ["rubbish", "cut", "of another kind"])
    def test_a_profile_that_is_broken_or_does_not_fit_is_left_out(self, file_format: str, profile: str) -> None:
        broken = {"rubbish": b"rubbish", "cut": red_and_green_swapped()[:200], "of another kind": gray_profile()}
        picture = Image.new("RGB", (16, 16), (250, 20, 20))

        image = decode(encoded(picture, file_format, icc_profile=broken[profile]))

        assert (image.pixels == decode(encoded(picture, file_format)).pixels).all()

    def test_transparency_stays_where_colors_are_converted(self) -> None:
        picture = Image.new("RGBA", (16, 16), (250, 20, 20, 255))
        picture.paste((0, 0, 0, 0), (8, 0, 16, 16))

        image = decode(encoded(picture, icc_profile=red_and_green_swapped()))

        assert pixel(image, 12, 5) == WHITE
        assert pixel(image, 3, 5)[1] > 230

    @pytest.mark.parametrize(
        "picture", [Image.new("L", (16, 16), 100), Image.fromarray(np.full((16, 16), 25_700, np.uint16))]
    )
    def test_a_gray_picture_is_converted_by_a_gray_profile(self, picture: Image.Image) -> None:
        # Linear gray: 100 of 255 is a light gray in sRGB.
        assert pixel(decode(encoded(picture, icc_profile=gray_profile())), 3, 3)[0] == pytest.approx(167, abs=2)

    def test_a_cmyk_picture_without_a_profile_is_converted_plainly(self) -> None:
        image = decode(encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "TIFF"))

        assert pixel(image, 3, 3) == (255, 0, 0)

    def test_lab_is_converted(self) -> None:
        gray = Image.new("LAB", (16, 16), (128, 128, 128))

        red, green, blue = pixel(decode(encoded(gray, "TIFF")), 3, 3)

        assert max(red, green, blue) - min(red, green, blue) <= 3
        assert 100 < red < 140


def of_mode(mode: str) -> Image.Image:
    """Return a picture of 121 x 90 pixels of a mode."""
    hand = np.random.default_rng(0)
    makers: dict[str, Any] = {
        "I;16": lambda: Image.fromarray(hand.integers(0, 65_536, (90, 121), dtype=np.uint16)),
        "I": lambda: Image.fromarray(hand.integers(0, 65_536, (90, 121), dtype=np.int32)),
        "F": lambda: Image.fromarray(hand.random((90, 121), dtype=np.float32)),
        "LAB": lambda: Image.frombytes("LAB", (121, 90), hand.bytes(121 * 90 * 3)),
        "CMYK": lambda: Image.frombytes("CMYK", (121, 90), hand.bytes(121 * 90 * 4)),
    }
    if mode in makers:
        made: Image.Image = makers[mode]()
        return made
    return (
        Image.frombytes("RGBA", (121, 90), hand.bytes(121 * 90 * 4))
        .convert("RGBA" if mode == "RGBA" else "RGB")
        .convert(mode)
    )


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def red_and_green_swapped() -> bytes:
    """Return a profile of an RGB space whose red is the green of sRGB, and the other way around."""
    profile = bytearray(srgb())
    (count,) = struct.unpack_from(">I", profile, 128)
    tags = {bytes(profile[place : place + 4]): place for place in range(132, 132 + 12 * count, 12)}
    profile[tags[b"rXYZ"] : tags[b"rXYZ"] + 4] = b"gXYZ"
    profile[tags[b"gXYZ"] : tags[b"gXYZ"] + 4] = b"rXYZ"
    return bytes(profile)


def gray_profile() -> bytes:
    """Return a profile of linear gray, as small as one can be."""
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", 63_190, 65_536, 54_061)
    curve = b"curv\0\0\0\0" + bytes(4)
    description = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"gray\0" + bytes(78) + b"\0"
    bodies = {b"wtpt": white, b"kTRC": curve, b"desc": description}
    place, table, body = 128 + 4 + 12 * len(bodies), b"", b""
    for tag, content in bodies.items():
        content = content.ljust(-(-len(content) // 4) * 4, b"\0")
        table += tag + struct.pack(">II", place + len(body), len(content))
        body += content
    head = struct.pack(">I", place + len(body)) + b"lcms" + b"\x02\x10\0\0" + b"mntrGRAYXYZ "
    head = head.ljust(36, b"\0") + b"acsp"
    head = head.ljust(68, b"\0") + struct.pack(">iii", 63_190, 65_536, 54_061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(bodies)) + table + body
