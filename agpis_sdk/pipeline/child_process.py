"""Processes of Python that a run starts and ends: those of plugins, and workers that share a run among cores."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import weakref
from collections.abc import Mapping
from multiprocessing.connection import Connection

from agpis_sdk.pipeline.printed import Drain, Printed

AVAILABLE = os.name == "posix"
GRACE = 1.0  # seconds that a process gets to end by itself
START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from agpis_sdk.pipeline.child_process import serve
serve(sys.argv[2], int(sys.argv[3]))
"""
STANDARD_ERROR = 2


class ChildProcess:
    """A Python process that runs `serve(connection)` of a module, and the end of the connection that is here.

    It has a session of its own: no key press reaches it, and what it starts can be killed with it. It ends when the object is
    gone. Its standard input is a pipe that carries nothing: the process dies when that closes.
    """

    def __init__(
        self,
        module: str,
        *,
        printed: Printed | None = None,
        patience: float | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start the process; `patience` is how many seconds it may need to take or give the next bytes of a message.

        What it prints, in machine code too, goes to `printed`, to standard error where there is none; standard output is for
        data. `environment` are variables beside those of this process.
        """
        ours, theirs = socket.socketpair()
        if patience:
            for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                ours.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", int(patience) + 1, 0))
        path = [entry for entry in sys.path if isinstance(entry, str)]
        with theirs:
            self._popen = subprocess.Popen(  # noqa: S603 - our own interpreter and our own lines
                [sys.executable, "-c", START, json.dumps(path), module, str(theirs.fileno())],
                stdin=subprocess.PIPE,
                stdout=STANDARD_ERROR if printed is None else subprocess.PIPE,
                stderr=None if printed is None else subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env={**os.environ, **(environment or {})},
            )
        self._drain = Drain(self._popen.stdout, printed) if printed and self._popen.stdout else None
        self.connection = Connection(ours.detach())
        self._finalize = weakref.finalize(self, _end, self._popen, self.connection, self._drain)

    def wait(self, seconds: float) -> bool:
        """Wait for a message, some seconds at most; tell whether one, or the process's end, has come."""
        return self.connection.poll(seconds) or _is_over(self._popen)

    def kill(self) -> None:
        """Kill the process and everything that it has started."""
        if self._finalize.detach() is not None:
            _kill(self._popen)
            self.connection.close()
            if self._drain is not None:
                self._drain.close(GRACE)

    def end_in_words(self) -> str:
        """Return how a process ended that no longer answers; one that has not ended is killed."""
        over = _is_over_within(self._popen, GRACE)
        self.kill()
        code = self._popen.returncode
        if code < 0 and (over or code != -signal.SIGKILL):
            return f"its process was killed by {signal.Signals(-code).name}"
        return f"its process ended with exit code {code}" if code >= 0 else "its process no longer answers"


def _end(popen: subprocess.Popen[bytes], connection: Connection, drain: Drain | None) -> None:
    """Let a process end by itself, as nobody asks any more, and kill what is left."""
    connection.close()
    _is_over_within(popen, GRACE)
    _kill(popen)
    if drain is not None:
        drain.close(GRACE)


def _kill(popen: subprocess.Popen[bytes]) -> None:
    # Before the process is reaped: after that, its id may be another one's.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(popen.pid, signal.SIGKILL)
    popen.wait()
    if popen.stdin is not None:
        popen.stdin.close()


def _is_over_within(popen: subprocess.Popen[bytes], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not _is_over(popen):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def _is_over(popen: subprocess.Popen[bytes]) -> bool:
    """Tell whether a process has ended, without reaping it; where that cannot be known, its silence says it later."""
    if popen.returncode is not None or not hasattr(os, "waitid"):
        return popen.returncode is not None
    try:
        return os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # reaped by somebody else
        return True


def serve(module: str, descriptor: int) -> None:
    """Answer over a connection in the process that has been started, as a module does, and exit when the run is gone."""
    os.set_inheritable(descriptor, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run decides what an interruption means
    _die_with_the_run()
    importlib.import_module(module).serve(Connection(descriptor))
    sys.exit(0)


def _die_with_the_run() -> None:
    """Have the kernel end this process when the run's end of standard input closes, whatever the process is doing."""
    import fcntl

    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
