"""JPEG files that end too early: whole pictures without their end marker, and pictures that have lost a part.

A decoder fills what is missing with gray and does not report it. Where the data of the picture is complete, the
decoder never looks at what follows; so a file is decoded twice, closed at once and closed after random bits, and
what differs between the two is what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

END_MARKER = b"\xff\xd9"
RESTART_INTERVAL, START_OF_SCAN = 0xDD, 0xDA
START_OF_FRAME = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD9))
# A missing corner of this share of the picture is not visible: three blocks of 16 x 16 in 1000 x 800 pixels.
INVISIBLE_SHARE = 0.001
# Where a decoder had no data, luma and chroma are left at zero, which is this gray; Adobe's CMYK is inverted.
FILLED_IN = (127, 128)
CORNER_PIXELS = 8
CHUNK_BYTES = 1024

Decode = Callable[[bytes], NDArray[np.uint8]]


def ends_in_gray(pixels: NDArray[np.uint8]) -> bool:
    """Return whether the last corner of a picture (h, w) or (h, w, channels) looks as if its decoder had run out of data."""
    return bool(np.isin(pixels[-1, -CORNER_PIXELS:], FILLED_IN).all())


def without_end(data: bytes) -> bytes:
    """Return a JPEG file up to its last end marker, which is left out; a half marker at its end is left out too."""
    end = data.rfind(END_MARKER)
    return data[: end if end >= 0 else None].rstrip(b"\xff")


def missing_share(unclosed: bytes, decode: Decode) -> float:
    """Return the share 0..1 of the picture's pixels that a JPEG without its end marker has no data for.

    `decode` turns a file into (h, w, 3) uint8; what it raises is passed on. A file whose later, finer scans are missing
    has a share of 1.
    """
    if not _scans_are_complete(unclosed):
        return 1.0
    closed = decode(unclosed + END_MARKER)
    continued = decode(unclosed + _random_bits(unclosed) + END_MARKER)
    if closed.shape != continued.shape:
        return 1.0
    return float((closed != continued).any(axis=2).mean())


def _random_bits(data: bytes) -> bytes:
    """Return entropy-coded data of no meaning, long enough to decode to more than `INVISIBLE_SHARE` of the picture.

    A picture with restart markers waits for the next one of its eight after each interval.
    """
    generator = np.random.default_rng(0)
    chunks = 32 + len(data) // (4 * CHUNK_BYTES)
    bits = generator.integers(0, 255, (chunks, CHUNK_BYTES), dtype=np.uint8)  # never 0xFF, which begins a marker
    if not any(marker == RESTART_INTERVAL and any(body) for marker, body in _segments(data)):
        return bits.tobytes()
    last = max(range(8), key=lambda number: data.rfind(bytes((0xFF, 0xD0 + number))))
    begun = data.rfind(bytes((0xFF, 0xD0 + last))) > data.rfind(bytes((0xFF, START_OF_SCAN)))
    first = last + 1 if begun else 0
    return b"".join(row.tobytes() + bytes((0xFF, 0xD0 + (first + index) % 8)) for index, row in enumerate(bits))


def _scans_are_complete(data: bytes) -> bool:
    """Return whether every coefficient of every component has been sent to its last bit."""
    components: bytes = b""
    sent: dict[int, set[int]] = {}
    progressive = False
    for marker, body in _segments(data):
        if marker in START_OF_FRAME and len(body) >= 6:
            progressive = marker in (0xC2, 0xCA)
            components = body[6::3][: body[5]]
        elif marker == START_OF_SCAN and body:
            count = body[0]
            if len(body) < 4 + 2 * count:
                return False
            first, last, precision = body[1 + 2 * count : 4 + 2 * count]
            if not progressive:
                first, last, precision = 0, 63, 0
            if precision & 0x0F == 0:
                for component in body[1 : 1 + 2 * count : 2]:
                    sent.setdefault(component, set()).update(range(first, last + 1))
    return bool(components) and all(sent.get(component, set()) >= set(range(64)) for component in components)


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (marker, body) of each segment of a JPEG file; the coded data between them is skipped."""
    position = 2
    while (position := data.find(b"\xff", position)) >= 0 and position + 1 < len(data):
        marker = data[position + 1]
        if marker in (0x00, 0xFF) or marker in WITHOUT_LENGTH:
            position += 1 if marker == 0xFF else 2
            continue
        if marker == 0xD9:
            return
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        yield marker, data[position + 4 : position + 2 + max(2, length)]
        position += 2 + max(2, length)
