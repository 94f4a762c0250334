"""Mutated pictures of all formats, each the same for the same number, and what the decoder makes of them.

    python -m tests.media.fuzz_images --count 20000

prints how many were read and refused, and the slowest; it ends with 1 where one raised anything but `ImageReadError` and
ends with a traceback where one takes more than a minute.
"""

from __future__ import annotations

import argparse
import collections
import faulthandler
import functools
import io
import sys
import time
from typing import Any

import numpy as np
from PIL import Image, ImageCms, features

from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError
from agpis_sdk.media.decode import decode_image

LIMITS = MediaSection(working_side=64, max_pixels=4_000_000)
HANG_SECONDS = 60
EXTREMES = (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)


def mutant(number: int) -> tuple[str, bytes]:
    """Return a mutant and the name of the picture that it was made from."""
    hand = np.random.default_rng(number)
    names = sorted(samples())
    name = names[number % len(names)]
    data = bytearray(samples()[name])
    for _ in range(int(hand.integers(1, 4))):
        _mutate(data, hand)
    return name, bytes(data)


def decode(data: bytes) -> ImageReadError | None:
    """Return the error by which a picture is refused, None where it is read."""
    try:
        image = decode_image(data, product_id="P1", image_id="a", position=0, limits=LIMITS)
    except ImageReadError as error:
        return error
    assert image.pixels.ndim == 3
    assert image.pixels.shape[2] == 3
    assert max(image.pixels.shape) <= LIMITS.working_side
    return None


@functools.cache
def samples() -> dict[str, bytes]:
    """Return small pictures of every format and kind, by name."""
    hand = np.random.default_rng(0)
    rgb = Image.fromarray(hand.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    rgba = Image.fromarray(hand.integers(0, 256, (24, 32, 4), dtype=np.uint8))
    gray16 = Image.fromarray(hand.integers(0, 65536, (24, 32), dtype=np.uint16))
    gray32 = Image.fromarray(hand.integers(0, 2**31 - 1, (24, 32), dtype=np.int32))
    floats = Image.fromarray(hand.random((24, 32), dtype=np.float32))
    other = Image.fromarray(hand.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    meta: dict[str, Any] = {"exif": _exif(), "icc_profile": _profile()}
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="3"/></x:xmpmeta>'
    frames: dict[str, Any] = {"save_all": True, "append_images": [other, rgb.copy()]}
    made = {
        "jpeg": _saved(rgb, "JPEG", **meta, xmp=xmp),
        "jpeg-progressive": _saved(rgb, "JPEG", progressive=True, **meta),
        "jpeg-restarts": _saved(rgb, "JPEG", restart_marker_blocks=1),
        "jpeg-gray": _saved(rgb.convert("L"), "JPEG"),
        "jpeg-cmyk": _saved(rgb.convert("CMYK"), "JPEG"),
        "mpo": _saved(rgb, "MPO", save_all=True, append_images=[other]),
        "png": _saved(rgb, "PNG", **meta),
        "png-rgba": _saved(rgba, "PNG"),
        "png-palette": _saved(rgb.quantize(16), "PNG", transparency=3),
        "png-16-bit": _saved(gray16, "PNG", transparency=1000),
        "png-bits": _saved(rgb.convert("1"), "PNG"),
        "png-animated": _saved(rgb, "PNG", **frames),
        "webp": _saved(rgb, "WEBP", **meta, xmp=xmp),
        "webp-lossless": _saved(rgba, "WEBP", lossless=True),
        "webp-animated": _saved(rgb, "WEBP", **frames),
        "gif": _saved(rgb.quantize(32), "GIF", transparency=2),
        "gif-animated": _saved(rgb, "GIF", **frames),
        "bmp": _saved(rgb, "BMP"),
        "bmp-palette": _saved(rgb.quantize(16), "BMP"),
        "tiff": _saved(rgb, "TIFF", **meta),
        "tiff-lzw": _saved(rgba, "TIFF", compression="tiff_lzw"),
        "tiff-deflate": _saved(rgb, "TIFF", compression="tiff_adobe_deflate"),
        "tiff-jpeg": _saved(rgb, "TIFF", compression="jpeg"),
        "tiff-fax": _saved(rgb.convert("1"), "TIFF", compression="group4"),
        "tiff-16-bit": _saved(gray16, "TIFF"),
        "tiff-32-bit": _saved(gray32, "TIFF"),
        "tiff-float": _saved(floats, "TIFF"),
        "tiff-cmyk": _saved(rgb.convert("CMYK"), "TIFF"),
        "tiff-lab": _saved(rgb.convert("L").convert("LAB"), "TIFF"),
        "tiff-pages": _saved(rgb, "TIFF", **frames),
        "eps": _saved(rgb, "EPS"),
    }
    if features.check("avif"):
        made["avif"] = _saved(rgb, "AVIF", **meta)
        made["avif-animated"] = _saved(rgb, "AVIF", **frames)
    return made


def _saved(image: Image.Image, file_format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    if "append_images" in options:
        options["append_images"] = [frame.copy() for frame in options["append_images"]]
    image.copy().save(stream, file_format, **options)  # an encoder leaves its settings behind on the picture
    return stream.getvalue()


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a bag"
    exif[0x011A] = 72.0
    exif[0x011B] = 72.0
    exif.get_ifd(0x8769)[0x9003] = "2026:11:27 10:00:00"
    return exif.tobytes()


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _mutate(data: bytearray, hand: np.random.Generator) -> None:
    """Change some bytes: headers, where most decisions are made, more often than the rest."""
    if not data:
        return
    near = bool(hand.random() < 0.6)
    at = int(hand.integers(0, min(len(data), 400) if near else len(data)))
    size = int(hand.integers(1, 40))
    match int(hand.integers(0, 8)):
        case 0 | 1:
            data[at] = int(hand.integers(0, 256))
        case 2:
            data[at] ^= 1 << int(hand.integers(0, 8))
        case 3:
            data[at : at + 4] = bytes([int(hand.choice(EXTREMES))]) * int(hand.integers(1, 5))
        case 4:
            del data[at : at + size]
        case 5:
            data[at:at] = data[max(0, at - size) : at] or hand.bytes(size)
        case 6:
            other = samples()[sorted(samples())[int(hand.integers(0, len(samples())))]]
            start = int(hand.integers(0, len(other)))
            data[at : at + size] = other[start : start + size]
        case _:
            del data[int(hand.integers(1, len(data) + 1)) :]


def main() -> int:
    """Decode many mutants and print what became of them."""
    parser = argparse.ArgumentParser(description="Decode mutated pictures of all formats.")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first mutant")
    arguments = parser.parse_args()
    read: collections.Counter[str] = collections.Counter()
    refused: collections.Counter[str] = collections.Counter()
    faults, slowest = [], (0.0, -1, "")
    faulthandler.enable()
    begin = time.perf_counter()
    for number in range(arguments.first, arguments.first + arguments.count):
        name, data = mutant(number)
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        start = time.perf_counter()
        try:
            error = decode(data)
        except Exception as fault:
            faults.append(f"mutant {number} ({name}): {type(fault).__name__}: {fault}")
        else:
            (read if error is None else refused)[name] += 1
            if error is not None and not error.remedy:
                faults.append(f"mutant {number} ({name}): no remedy: {error}")
        slowest = max(slowest, (time.perf_counter() - start, number, name))
    faulthandler.cancel_dump_traceback_later()
    for name in sorted(samples()):
        print(f"{name:18} {read[name]:6} read {refused[name]:6} refused")
    print(
        f"{arguments.count:,} mutants in {time.perf_counter() - begin:.0f} s: {read.total():,} read, "
        f"{refused.total():,} refused, {len(faults)} faults; slowest {slowest[0] * 1000:.0f} ms (mutant {slowest[1]}, {slowest[2]})"
    )
    print("\n".join(faults[:50]), file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
