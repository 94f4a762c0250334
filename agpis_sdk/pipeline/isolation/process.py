"""Starts the process of a plugin and ends it, with everything that it has started itself."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import weakref
from multiprocessing.connection import Connection

from agpis_sdk.pipeline.isolation.messages import Channel
from agpis_sdk.pipeline.printed import Drain, Printed

AVAILABLE = os.name == "posix"
GRACE = 1.0  # seconds that a process gets to end by itself
START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from agpis_sdk.pipeline.isolation.worker import main
main(int(sys.argv[2]))
"""


class PluginProcess:
    """A Python process, in a session of its own: no key press reaches it, and what it starts can be killed with it.

    It ends when the object is gone. Its standard input is a pipe that carries nothing: the process dies when that closes.
    """

    def __init__(self, patience: float | None, printed: Printed) -> None:
        """Start the process; `patience` is how many seconds it may need to take or give the next bytes of a message.

        What it prints, in machine code too, goes to `printed`.
        """
        ours, theirs = socket.socketpair()
        if patience:
            for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                ours.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", int(patience) + 1, 0))
        path = [entry for entry in sys.path if isinstance(entry, str)]
        with theirs:
            self._popen = subprocess.Popen(  # noqa: S603 - our own interpreter and our own lines
                [sys.executable, "-c", START, json.dumps(path), str(theirs.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,  # standard output is for data
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        assert self._popen.stdout is not None  # noqa: S101 - asked for above
        self._drain = Drain(self._popen.stdout, printed)
        self.channel = Channel(Connection(ours.detach()), trusts=False)
        self._finalize = weakref.finalize(self, _end, self._popen, self.channel.connection, self._drain)

    def wait(self, seconds: float) -> bool:
        """Wait for a message, some seconds at most; tell whether one, or the process's end, has come."""
        return self.channel.connection.poll(seconds) or _is_over(self._popen)

    def kill(self) -> None:
        """Kill the process and everything that it has started."""
        if self._finalize.detach() is not None:
            _kill(self._popen)
            self.channel.connection.close()
            self._drain.close(GRACE)

    def end_in_words(self) -> str:
        """Return how a process ended that no longer answers; one that has not ended is killed."""
        over = _is_over_within(self._popen, GRACE)
        self.kill()
        code = self._popen.returncode
        if code < 0 and (over or code != -signal.SIGKILL):
            return f"its process was killed by {signal.Signals(-code).name}"
        return f"its process ended with exit code {code}" if code >= 0 else "its process no longer answers"


def _end(popen: subprocess.Popen[bytes], connection: Connection, drain: Drain) -> None:
    """Let a process end by itself, as nobody asks any more, and kill what is left."""
    connection.close()
    _is_over_within(popen, GRACE)
    _kill(popen)
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
