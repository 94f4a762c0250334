"""The body of an answer, decompressed piece by piece: no small answer may grow large before it is counted."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

PIECE = 262_144
UNCHANGED = ("", "identity")
ENCODINGS = (*UNCHANGED, "gzip", "x-gzip", "deflate")
_GZIP_OR_ZLIB = zlib.MAX_WBITS + 32


class BodyError(Exception):
    """A body that cannot be decompressed."""


def decoded(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield a body without its Content-Encoding, one of `ENCODINGS`, at most `PIECE` bytes at a time."""
    yield from pieces if encoding in UNCHANGED else _inflated(pieces)


def _inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    stream = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        for piece in pieces:
            rest = piece
            while rest and not stream.eof:
                yield stream.decompress(rest, PIECE)
                rest = stream.unconsumed_tail
    except zlib.error:
        raise BodyError("its compressed data are damaged") from None
    if not stream.eof:
        raise BodyError("its compressed data end early")
