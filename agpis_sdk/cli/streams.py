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

from agpis_sdk.errors import OutputError, naming_output

STDOUT = "standard output"
GRACE = 3.0  # seconds that threads get to end by themselves


@contextlib.contextmanager
def data_on_stdout() -> Iterator[TextIO]:
    """Yield standard output; whatever anybody else prints meanwhile goes to standard error.

    That holds for machine code that writes to descriptor 1, too, where standard output is the process's own.
    """
    stdout = sys.stdout
    if stdout is None:
        raise OutputError("is closed", item=STDOUT, remedy="name a file")
    with contextlib.redirect_stdout(sys.stderr):
        if not _is_own(stdout):  # a test or a notebook has put something in its place
            yield stdout
            return
        with _own_descriptor(stdout) as data:
            yield data


class NamingStdout(io.TextIOWrapper):
    """Standard output whose errors are ours: a full disk or a reader that has gone is one named error in every command.

    Otherwise click and rich each answer a closed pipe in a way of their own, and a full disk ends in a traceback.
    """

    def write(self, text: str) -> int:
        """Write; raises `OutputError`."""
        with naming_output(STDOUT):
            return super().write(text)

    def flush(self) -> None:
        """Have everything leave this process; raises `OutputError`."""
        with naming_output(STDOUT):
            super().flush()


def name_errors_of_stdout() -> None:
    """Put `NamingStdout` in the place of the process's own standard output."""
    stdout = sys.stdout
    if isinstance(stdout, io.TextIOWrapper) and _is_own(stdout):
        encoding, errors, line_buffering = stdout.encoding, stdout.errors, stdout.line_buffering
        sys.stdout = NamingStdout(stdout.detach(), encoding=encoding, errors=errors, line_buffering=line_buffering)


def _is_own(stdout: TextIO) -> bool:
    """Tell whether a stream is the process's own standard output."""
    return isinstance(stdout, NamingStdout) or (stdout is sys.__stdout__ and isinstance(stdout, io.TextIOWrapper))


def flush_stdout() -> None:
    """Have everything leave this process; raises `OutputError`, after which standard output takes no more."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OutputError:
        with contextlib.suppress(OSError):  # the interpreter would try again when it ends, and fail with a traceback
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise


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
