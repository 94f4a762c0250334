"""What a reader is given: a file or a folder, its text in its own encoding, and where to say what was not taken."""

from __future__ import annotations

import codecs
import contextlib
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TextIO

from agpis_sdk.errors import InputFileError
from agpis_sdk.media.file_formats import BOM
from agpis_sdk.media.packing import unpacked
from agpis_sdk.media.skipped import Skipped
from agpis_sdk.wording import printable

HEAD_BYTES = 64 * 2**10
PIECE = 1 << 20
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
OF_OLD_EXCEL = "cp1252"


class FileSource:
    """A `ProductSource` on disk."""

    def __init__(self, path: Path, columns: Mapping[str, Sequence[str]] | None = None) -> None:
        self.path = path
        self.columns = columns or {}
        self.format, self.format_title = "", "JSON lines"
        self._notes: list[str] = []
        self.skipped = Skipped()

    @cached_property
    def head(self) -> bytes:
        """The first bytes of the file, unpacked, as far as they can be read; empty for a folder."""
        head = b""
        with contextlib.suppress(InputFileError), self.open() as stream:
            while len(head) < HEAD_BYTES and (piece := stream.read1(HEAD_BYTES)):
                head += piece
        return head

    @contextlib.contextmanager
    def open(self) -> Iterator[io.BufferedReader]:
        """Open the file, unpacked; raises `InputFileError` where it cannot be read."""
        try:
            with self.path.open("rb") as stream:
                yield unpacked(stream, str(self.path))
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputFileError(f"cannot be read: {reason}", item=str(self.path), remedy="check the file") from None

    @contextlib.contextmanager
    def text(self) -> Iterator[TextIO]:
        """Open the file as text, ends of lines as they are; raises `InputFileError` where it is no text."""
        with self.open() as stream:
            text = io.TextIOWrapper(stream, encoding=self.encoding, newline="")
            try:
                yield text
            except UnicodeError as error:
                raise InputFileError(
                    f"is no text in {self.encoding}: {error}", item=str(self.path), remedy="save it as UTF-8"
                ) from None
            finally:
                text.detach()

    @cached_property
    def encoding(self) -> str:
        """UTF-16 and UTF-8 by their marks, else UTF-8; where that does not fit, what old spreadsheets write, with a note."""
        if self.head.startswith(UTF_16):
            return "utf-16"
        if self.head.startswith(BOM):
            return "utf-8-sig"
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            with self.open() as stream:
                while piece := stream.read(PIECE):
                    decoder.decode(piece)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            self.note(f"is not UTF-8: read as Windows-1252 ({OF_OLD_EXCEL})")
            return OF_OLD_EXCEL
        return "utf-8"

    def note(self, notice: str) -> None:
        """Keep a line for people about the whole file."""
        if notice not in self._notes:
            self._notes.append(notice)

    def skip(self, place: str, why: str) -> None:
        """Count what was not understood, and keep the first places of each reason."""
        self.skipped.add(place, why)

    def notices(self) -> list[str]:
        """Return all notes, and a line for each reason why something was not understood."""
        notes = [printable(f"{self.path.name} {note}") for note in self._notes]
        return [*notes, *self.skipped.lines("not read")]
