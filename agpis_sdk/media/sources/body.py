"""The body of an answer, decompressed piece by piece: no small answer may grow large before it is counted."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

PIECE = 262_144
INFLATED = ("gzip", "x-gzip", "deflate")
# Compressions that are in use and were not asked for; another word in their place is none, and browsers skip it.
NOT_READ = ("br", "zstd", "compress", "x-compress", "dcb", "dcz")
_GZIP_OR_ZLIB = zlib.MAX_WBITS + 32
_GZIP_MAGIC = b"\x1f\x8b"
_BARE = -zlib.MAX_WBITS


class BodyError(Exception):
    """A body that cannot be decompressed."""


def compressions(header: str) -> list[str]:
    """Return the compressions that a Content-Encoding names, in the order in which they were applied."""
    named = [word.strip().lower() for word in header.split(",")]
    return [word for word in named if word in INFLATED or word in NOT_READ]


def inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a body without its gzip or deflate compression, at most `PIECE` bytes at a time; raise `BodyError`."""
    stream = None
    try:
        for piece in pieces:
            rest = piece
            while rest:
                if stream is None or (stream.eof and rest.startswith(_GZIP_MAGIC)):  # gzip may have several members
                    stream = zlib.decompressobj(_window(rest))
                elif stream.eof:  # padding
                    break
                yield stream.decompress(rest, PIECE)
                rest = stream.unused_data if stream.eof else stream.unconsumed_tail
    except zlib.error:
        raise BodyError("its compressed data are damaged") from None
    if stream is not None and not stream.eof:
        raise BodyError("its compressed data end early")


def _window(begin: bytes) -> int:
    """Return what zlib must expect: some servers send deflate without the header that belongs to it."""
    return _GZIP_OR_ZLIB if begin[0] == _GZIP_MAGIC[0] or begin[0] & 0x0F == zlib.DEFLATED else _BARE
