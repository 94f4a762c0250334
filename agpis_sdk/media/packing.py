"""Files that are packed with gzip, whatever they are called; one that is made to fill memory or time is refused."""

from __future__ import annotations

import gzip
import io
from typing import Any, BinaryIO

from agpis_sdk.errors import InputFileError

GZIP = b"\x1f\x8b"
# Catalogs shrink to a tenth or a fiftieth; what unpacks to so much more is made to fill memory or time.
MAX_UNPACKED_RATIO = 300
FREE_UNPACKED_BYTES = 64 * 2**20


def unpacked(stream: BinaryIO, item: str) -> io.BufferedReader:
    """Return a stream as it is, or unpacked where its first bytes are those of gzip.

    Reading raises `InputFileError` where it unpacks beyond the limits.
    """
    packed = _Counted(stream)
    buffered: io.BufferedReader = io.BufferedReader(packed)
    if not buffered.peek(2).startswith(GZIP):
        return buffered
    text: io.BufferedReader = io.BufferedReader(_Counted(gzip.GzipFile(fileobj=buffered), packed, item))
    return text


class _Counted(io.RawIOBase):
    """A stream that counts its bytes, and breaks off where they are too many for the packed stream that they are from."""

    def __init__(self, stream: Any, packed: _Counted | None = None, item: str = "") -> None:
        self._stream, self._packed, self._item = stream, packed, item
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data: bytes = self._stream.read1(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        if self._packed and self.count > max(FREE_UNPACKED_BYTES, MAX_UNPACKED_RATIO * self._packed.count):
            raise InputFileError(
                f"unpacks to more than {MAX_UNPACKED_RATIO} times its size",
                item=self._item,
                remedy="if it is meant, unpack it before",
            )
        return len(data)
