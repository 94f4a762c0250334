"""Which files are read, and how the others are named (agpis_sdk/media/formats.py)."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image, features

from agpis_sdk.errors import ImageReadError, ImageTooLargeError
from agpis_sdk.media.formats import READ, readable_formats
from tests.media.files import decode, encoded, tiff

PICTURE = Image.new("RGB", (40, 30), "red")
NAMED = {
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 200 250\n",
    "PostScript": b"%!PS-Adobe-3.0\n%%Pages: 1\n",
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "PSD": b"8BPS\0\x01" + bytes(60),
    "SVG": b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg" width="9"/>',
    "XML": b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    "an HTML page": b"\n<!DOCTYPE html>\n<html><body><svg/>404</body></html>",
    "JPEG XL": b"\xff\x0a" + bytes(40),
    "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40),
    "ICO": b"\0\0\x01\0\x01\0\x10\x10" + bytes(40),
    "QOI": b"qoif" + bytes(40),
    "PPM": b"P6\n2 2\n255\n" + bytes(12),
    "DDS": b"DDS |\0\0\0" + bytes(120),
    "WMF": b"\xd7\xcd\xc6\x9a" + bytes(40),
    "a camera's raw file (CR2)": b"II*\0\x10\0\0\0CR\x02\0" + bytes(40),
    "an MP4 video": b"\0\0\0\x18ftypmp42" + bytes(40),
    "a ZIP archive": b"PK\x03\x04" + bytes(40),
    "a gzip archive": b"\x1f\x8b\x08" + bytes(40),
    "JSON": b'{"error": "not found"}',
    "a pointer of Git LFS, not the file itself": b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
}


@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_file_that_is_not_read_is_named_by_its_bytes(name: str) -> None:
    with pytest.raises(ImageReadError) as caught:
        decode(NAMED[name])

    assert caught.value.what == f"is {name}; use JPEG, PNG or WebP"
    assert caught.value.remedy


@pytest.mark.parametrize("file_format", ["PPM", "ICO", "DDS", "TGA", "PCX", "SGI", "JPEG2000", "ICNS", "PDF", "EPS"])
def test_what_pillow_knows_beyond_the_list_stays_closed(file_format: str) -> None:
    data = encoded(Image.new("RGB", (32, 32)), file_format)

    with pytest.raises(ImageReadError, match="use JPEG, PNG or WebP"):
        decode(data)


def test_ghostscript_is_never_looked_for_or_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = tmp_path / "started"
    for name in ("gs", "gswin64c", "gswin32c"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\ntouch {trace}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)

    for data in (encoded(PICTURE, "EPS"), b"\xc5\xd0\xd3\xc6" + struct.pack("<I", 30) + encoded(PICTURE, "EPS")):
        with pytest.raises(ImageReadError, match="is EPS; use JPEG, PNG or WebP"):
            decode(data)

    assert not trace.exists()
    assert EpsImagePlugin.gs_binary is None


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"hevc", b"mif1"])
@pytest.mark.skipif("HEIF" in readable_formats(), reason="a plugin for HEIC is installed")
def test_heic_is_named_where_its_plugin_is_not_installed(brand: bytes) -> None:
    with pytest.raises(ImageReadError, match="is HEIC; use JPEG, PNG or WebP"):
        decode(b"\0\0\0\x18ftyp" + brand + bytes(60))


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_avif_is_read_where_pillow_reads_it() -> None:
    image = decode(encoded(PICTURE, "AVIF"))

    assert (image.format, image.original_width, image.original_height) == ("AVIF", 40, 30)


def test_only_formats_of_the_list_are_opened() -> None:
    assert set(readable_formats()) <= set(READ)
    assert {"JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"} <= set(readable_formats())


def test_a_phone_s_jpeg_with_a_second_picture_is_read() -> None:
    data = encoded(PICTURE, "MPO", save_all=True, append_images=[Image.new("RGB", (40, 30), "blue")])

    image = decode(data)

    assert (image.frame_count, image.pixels[5, 5].tolist()) == (1, [254, 0, 0])


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_a_known_format_of_which_only_the_beginning_is_there_is_damaged(file_format: str) -> None:
    with pytest.raises(ImageReadError, match=r"is damaged.*export or fetch it again"):
        decode(encoded(PICTURE, file_format)[:16])


def test_a_tiff_of_a_kind_that_is_not_read_says_so() -> None:
    with pytest.raises(ImageReadError, match="is damaged, or of a rare kind: TIFF that cannot be opened"):
        decode(tiff(np.zeros((4, 4, 3), np.uint32)))


class TestBombs:
    def test_a_jpeg_of_thousands_of_scans_is_named(self) -> None:
        data = encoded(PICTURE, "JPEG", progressive=True)
        scan = data.rindex(b"\xff\xda")
        bomb = data[:-2] + data[scan:-2] * 5000 + data[-2:]

        with pytest.raises(ImageTooLargeError, match=r"a decompression bomb: a JPEG of 5,0\d\d scans"):
            decode(bomb)

    @pytest.mark.parametrize("file_format", ["PNG", "GIF", "BMP", "TIFF", "WEBP", "JPEG"])
    def test_the_limit_on_pixels_holds_before_anything_is_decoded(self, file_format: str) -> None:
        with pytest.raises(ImageTooLargeError, match=r"40 x 30 pixels, more than media.max_pixels = 1,000"):
            decode(encoded(PICTURE, file_format), max_pixels=1000)
