"""Standard output for data alone, and an end that leftover threads cannot hold up."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import NoReturn, TextIO

from agpis_sdk.errors import OutputError

GRACE = 3.0  # seconds that threads get to end by themselves


@contextlib.contextmanager
def data_on_stdout() -> Iterator[TextIO]:
    """Yield standard output; whatever anybody else prints meanwhile goes to standard error.

    That holds for machine code that writes to descriptor 1, too, where standard output is the process's own.
    """
    stdout = sys.stdout
    if stdout is None:
        raise OutputError("is closed", item="standard output", remedy="name a file")
    with contextlib.redirect_stdout(sys.stderr):
        if stdout is not sys.__stdout__ or not isinstance(
            stdout, io.TextIOWrapper
        ):  # a test or a notebook has put something in its place
            yield stdout
            return
        with _own_descriptor(stdout) as data:
            yield data


@contextlib.contextmanager
def _own_descriptor(stdout: TextIO) -> Iterator[TextIO]:
    """Yield a stream to a copy of descriptor 1, which leads to standard error until the block ends."""
    stdout.flush()
    kept = os.dup(1)
    with contextlib.suppress(OSError):  # without a standard error, descriptor 1 stays what it is
        os.dup2(2, 1)
    data = os.fdopen(kept, "w", encoding=stdout.encoding, errors=stdout.errors, closefd=False)
    try:
        yield data
    finally:
        with contextlib.suppress(OSError):  # whoever wrote to it has named the error
            data.close()
        os.dup2(kept, 1)
        os.close(kept)


def leave(code: int) -> NoReturn:
    """End the process with an exit code; threads that a plugin has left running do not keep it alive for long."""
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        threading.Thread(target=_leave_anyway, args=(code,), daemon=True, name="agpis-leave").start()
    sys.exit(code)


def _leave_anyway(code: int) -> None:
    time.sleep(GRACE)
    names = [thread.name for thread in threading.enumerate() if not thread.daemon and thread.is_alive()]
    left = ", ".join(name for name in names if name != "MainThread")
    with contextlib.suppress(OSError, ValueError):
        os.write(2, f"agpis: ended although threads were still running: {left}\n".encode())
    os._exit(code)
