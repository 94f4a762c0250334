"""Files without what is not needed to show them: damaged metadata must not cost the picture."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What a PNG is drawn with; iCCP and the animation's chunks are kept where they are intact.
PNG_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
PNG_KEPT = PNG_CRITICAL | {b"tRNS", b"acTL"}
# TIFF 6.0: sizes, bits, compression, colors, strips and tiles, orientation, fax options, predictor, extra samples,
# sample format, JPEG tables, YCbCr.
TIFF_KEPT = frozenset(
    {256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325, 332, 336}
    | {338, 339, 340, 341, 347, *range(512, 522), 529, 530, 531, 532}
)
# JFIF and Adobe's note on the color transform, and how long they are; all other application segments and comments
# are metadata.
JPEG_KEPT = {0xE0: 16, 0xEE: 14}


def without_metadata(data: bytes) -> bytes | None:
    """Return a JPEG, PNG or TIFF with only what it is drawn with; None where the file is of another format or broken.

    A TIFF keeps its length: entries that are not needed are taken out of its first directory.
    """
    try:
        if data.startswith(b"\xff\xd8"):
            return _jpeg(data)
        if data.startswith(PNG_SIGNATURE):
            return PNG_SIGNATURE + b"".join(_png_chunks(data))
        if data.startswith((b"II*\0", b"MM\0*")):
            return _tiff(data)
    except (struct.error, IndexError):
        pass
    return None


def _jpeg(data: bytes) -> bytes:
    kept = [data[:2]]
    position = 2
    while data[position] == 0xFF and (marker := data[position + 1]) != 0xDA:
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if end - position - 2 >= JPEG_KEPT.get(marker, 65_536 if 0xE0 <= marker <= 0xEF or marker == 0xFE else 0):
            kept.append(data[position:end])
        position = end
    return b"".join((*kept, data[position:]))


def _png_chunks(data: bytes) -> Iterator[bytes]:
    position = len(PNG_SIGNATURE)
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        chunk = data[position:end]
        intact = len(chunk) == 12 + length and chunk[-4:] == zlib.crc32(chunk[4:-4]).to_bytes(4, "big")
        if kind in PNG_CRITICAL or (kind in PNG_KEPT and intact):
            yield chunk
        position = end


def _tiff(data: bytes) -> bytes | None:
    order = "<" if data.startswith(b"II") else ">"
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, start)
    if start + 2 + 12 * count > len(data):
        return None
    entries = [data[start + 2 + 12 * index : start + 14 + 12 * index] for index in range(count)]
    kept = [entry for entry in entries if struct.unpack_from(f"{order}H", entry)[0] in TIFF_KEPT]
    end = start + 2 + 12 * count
    directory = struct.pack(f"{order}H", len(kept)) + b"".join(kept) + bytes(4)
    return data[:start] + directory.ljust(end + 4 - start, b"\0") + data[end + 4 :]
