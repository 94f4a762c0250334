"""Files made by hand: what Pillow would not write."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from agpis_sdk.components import DecodedImage
from agpis_sdk.config import MediaSection
from agpis_sdk.media.decode import decode_image

Entry = tuple[int, int, int, bytes]  # tag, type, count, value
SHORT, LONG, ASCII, RATIONAL, SIGNED_RATIONAL, FLOAT = 3, 4, 2, 5, 10, 11


def encoded(image: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def decode(data: bytes, **limits: Any) -> DecodedImage:
    return decode_image(data, product_id="P1", image_id="a", position=0, limits=MediaSection(**limits))


def pixel(image: DecodedImage, x: int, y: int) -> tuple[int, ...]:
    return tuple(int(value) for value in image.pixels[y, x])


def short(tag: int, value: int) -> Entry:
    return (tag, SHORT, 1, struct.pack("<H", value))


def long(tag: int, value: int) -> Entry:
    return (tag, LONG, 1, struct.pack("<I", value))


def directory(entries: list[Entry], *, before: bytes = b"") -> bytes:
    """Return a little-endian TIFF file of one directory; `before` follows its header, at position 8."""
    start = 8 + len(before)
    spare = start + 2 + 12 * len(entries) + 4
    head, rest = b"", b""
    for tag, kind, count, value in sorted(entries):
        place = value.ljust(4, b"\0")
        if len(value) > 4:
            place, rest = struct.pack("<I", spare + len(rest)), rest + value
        head += struct.pack("<HHI", tag, kind, count) + place
    return b"II*\0" + struct.pack("<I", start) + before + struct.pack("<H", len(entries)) + head + bytes(4) + rest


def exif(*entries: Entry) -> bytes:
    return b"Exif\0\0" + directory(list(entries))


def tiff(values: NDArray[Any], *extra: Entry, photometric: int = 1) -> bytes:
    """Return an uncompressed TIFF of one strip: (h, w) or (h, w, channels) of unsigned, signed or floating-point values."""
    height, width = values.shape[:2]
    channels = 1 if values.ndim == 2 else values.shape[2]
    sample_format = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    bits = struct.pack("<H", 8 * values.dtype.itemsize) * channels
    entries = [
        *(long(256, width), long(257, height), (258, SHORT, channels, bits), short(259, 1), short(262, photometric)),
        *(long(273, 8), short(277, channels), long(278, height), long(279, values.nbytes), short(339, sample_format)),
    ]
    changed = {entry[0] for entry in extra}
    return directory([entry for entry in entries if entry[0] not in changed] + list(extra), before=values.tobytes())


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(values: NDArray[np.uint16], *extra: bytes) -> bytes:
    """Return a PNG of 16 bits a sample, gray (h, w) or RGB (h, w, 3), with further chunks before its pixels."""
    height, width = values.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 16, 0 if values.ndim == 2 else 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    parts = (chunk(b"IHDR", header), *extra, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def with_chunk(data: bytes, new: bytes) -> bytes:
    """Return a PNG with a chunk put behind its header."""
    return data[:33] + new + data[33:]


def with_segment(data: bytes, marker: int, body: bytes) -> bytes:
    """Return a JPEG with a segment put first."""
    return data[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body + data[2:]
