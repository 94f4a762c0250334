"""What plugins print: passed on to standard error under the plugin's name, and no more of it than people can read."""

from __future__ import annotations

import io
import os
import sys
import threading
from typing import IO, Final

from agpis_sdk.wording import printable, shortened

MOST_LINES: Final = 20
LONGEST_LINE: Final = 500  # characters


class Printed(io.TextIOBase):
    """A stream that passes lines on as "agpis: NAME printed: line", the first `MOST_LINES` of a run, and says that there are more."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._unfinished = ""
        self._lines = 0

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Pass the lines on that are whole; the beginning of one waits for its end."""
        *whole, rest = (self._unfinished + text).split("\n") if self._lines <= MOST_LINES else [""]
        self._unfinished = rest[:LONGEST_LINE]
        for line in whole:
            self._pass_on(line)
        return len(text)

    def finish(self) -> None:
        """Pass the last line on, whether it has an end or not."""
        line, self._unfinished = self._unfinished, ""
        if line:
            self._pass_on(line)

    def _pass_on(self, line: str) -> None:
        if not line.strip() or self._lines > MOST_LINES or sys.stderr is None:
            return
        self._lines += 1
        said = f" printed: {shortened(printable(line.rstrip()), LONGEST_LINE)}"
        more = f": printed more than {MOST_LINES} lines; the others are left out"
        sys.stderr.write(f"agpis: {self._name}{said if self._lines <= MOST_LINES else more}\n")


class Drain:
    """Reads what a process prints until its end, so that the process never waits for a reader."""

    def __init__(self, pipe: IO[bytes], printed: Printed) -> None:
        self._pipe, self._printed = pipe, printed
        self._thread = threading.Thread(target=self._read, daemon=True, name="agpis-printed")
        self._thread.start()

    def close(self, patience: float) -> None:
        """Wait for the end, some seconds at most."""
        self._thread.join(patience)

    def _read(self) -> None:
        with self._pipe:
            while piece := os.read(self._pipe.fileno(), 1 << 16):
                self._printed.write(piece.decode("utf-8", "replace"))
        self._printed.finish()
