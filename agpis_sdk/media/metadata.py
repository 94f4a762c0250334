"""What a file says about itself, apart from its pixels."""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

# The sum of ITU-T T.81, table K.1, which encoders of libjpeg's family scale to a quality; 50 is the table itself.
STANDARD_COARSENESS = 3688
# IPTC NewsCodes; XMP and C2PA manifests spell the term as the end of this address.
SOURCE_TYPE = re.compile(rb"cv\.iptc\.org/newscodes/digitalsourcetype/(\w+)")
XMP_OF_PNG = "XML:com.adobe.xmp"
EXIF_ORIENTATION, TIFF_SHORT = 0x0112, 3
GIF_FRAME, GIF_EXTENSION = 0x2C, 0x21
# Counting millions of empty frames would take minutes.
MAX_FRAMES = 10_000
# An MPO is a JPEG with further pictures behind it, and named as one.
_SAME_FORMAT = {"MPO": "JPEG"}
# Read where their plugin is installed; what the ending stands for is known without it.
_BEYOND_PILLOW = {".heic": "HEIF", ".heif": "HEIF", ".hif": "HEIF", ".avif": "AVIF", ".avifs": "AVIF"}


def suffix_of(uri: str) -> str:
    """Return the ending of a file's name in lower case, "" where it has none.

    >>> suffix_of("https://shop.example/Back.JPG?w=800"), suffix_of("photos/back.webp"), suffix_of("photos/back")
    ('.jpg', '.webp', '')
    """
    return PurePosixPath(urlsplit(uri).path if "://" in uri else uri).suffix.lower()


def one_format(file_format: str) -> str:
    """Return the one name of a format that Pillow calls by several.

    >>> one_format("MPO"), one_format("PNG")
    ('JPEG', 'PNG')
    """
    return _SAME_FORMAT.get(file_format, file_format)


def format_of_suffix(suffix: str) -> str | None:
    """Return the format that a file's ending stands for; None for an ending that stands for none.

    >>> format_of_suffix(".jfif"), format_of_suffix(".heic"), format_of_suffix(".php")
    ('JPEG', 'HEIF', None)
    """
    Image.init()
    named = _BEYOND_PILLOW.get(suffix) or Image.registered_extensions().get(suffix)
    return one_format(named) if named else None


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation 1..8 of a loaded picture; 1 where there is none or the metadata is damaged.

    A TIFF's is 1: Pillow turns its pixels, and its size, as it loads them.
    """
    if image.format == "TIFF":
        return 1
    try:
        value = _exif_orientation(image.info.get("exif", b"")) or image.getexif().get(EXIF_ORIENTATION, 1)
    except MemoryError:
        raise
    except Exception:  # whatever a parser makes of rubbish: SyntaxError, struct.error, AttributeError ...
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _exif_orientation(exif: bytes) -> int | None:
    """Return the orientation in the first directory of EXIF data; Pillow gives up at an entry of rubbish before it."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return None
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    for place in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, place)
        if tag == EXIF_ORIENTATION and kind == TIFF_SHORT:
            return int(value)
    return None


def frame_count(image: Image.Image, data: bytes) -> int:
    """Return how many frames a picture moves through, at most `MAX_FRAMES` of a GIF.

    The pages of a TIFF and the second picture that a phone stores behind a JPEG (MPO) do not move.
    """
    if image.format in ("TIFF", "MPO"):
        return 1
    if image.format == "GIF":
        return max(1, sum(1 for _ in itertools.islice(_gif_frames(data), MAX_FRAMES)))
    return int(getattr(image, "n_frames", 1))


def _gif_frames(data: bytes) -> Iterator[int]:
    """Yield where each frame of a GIF begins; whatever is damaged ends the file."""
    try:
        position = 13 + _color_table_bytes(data[10])
        while data[position] in (GIF_FRAME, GIF_EXTENSION):
            if data[position] == GIF_FRAME:
                yield position
                position += 11 + _color_table_bytes(data[position + 9])
            else:
                position += 2
            while data[position]:
                position += 1 + data[position]
            position += 1
    except IndexError:
        return


def _color_table_bytes(flags: int) -> int:
    return 3 << ((flags & 0x07) + 1) if flags & 0x80 else 0


def jpeg_quality(image: Image.Image) -> int | None:
    """Return the quality 1..100 that a JPEG was last saved at, on libjpeg's scale; None where it is no JPEG.

    Read off the luminance quantization table by its sum; encoders with tables of their own are placed where their
    coarseness would be.
    """
    tables = getattr(image, "quantization", None)
    if not tables or 0 not in tables:
        return None
    percent = 100 * float(np.sum(tables[0])) / STANDARD_COARSENESS
    quality = 5000 / percent if percent > 100 else 100 - percent / 2
    return max(1, min(100, round(quality)))


def digital_source_types(data: bytes, image: Image.Image) -> tuple[str, ...]:
    """Return the IPTC DigitalSourceType terms in a file's XMP or C2PA metadata, sorted: ("trainedAlgorithmicMedia",)."""
    # A PNG may hold its XMP compressed; elsewhere it stands in the file as it is.
    compressed = image.info.get(XMP_OF_PNG, "")
    packets = (data, compressed.encode() if isinstance(compressed, str) else bytes(compressed))
    return tuple(sorted({term.decode() for packet in packets for term in SOURCE_TYPE.findall(packet)}))
