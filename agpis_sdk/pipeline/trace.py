"""What a run did when, as Chrome's trace events: Perfetto and chrome://tracing draw them as a flame chart."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from agpis_sdk.errors import naming_output

MICROSECONDS = 1e6


class Trace:
    """Writes spans to a file as they end; threads may share it. The file can be read even where the run was killed."""

    def __init__(self, path: Path) -> None:
        """Begin the file; raises `OutputError` where that fails."""
        self._path = path
        self._lock = threading.Lock()
        self._named: set[int] = set()
        with naming_output(str(path)):
            self._stream = path.open("w", encoding="utf-8")
            self._stream.write("[\n")  # the format allows the closing bracket to be missing

    def span(self, name: str, started: float, **details: Any) -> None:
        """Write a span of this thread that began at a value of `time.perf_counter()` and ends now."""
        thread = threading.current_thread()
        where = {"pid": os.getpid(), "tid": threading.get_native_id()}
        at = {"ts": started * MICROSECONDS, "dur": (time.perf_counter() - started) * MICROSECONDS}
        events: list[dict[str, Any]] = [{"name": name, "cat": "agpis", "ph": "X", **at, **where, "args": details}]
        with self._lock:
            if where["tid"] not in self._named:
                self._named.add(where["tid"])
                events.insert(0, {"name": "thread_name", "ph": "M", **where, "args": {"name": thread.name}})
            if not self._stream.closed:  # a thread of a run that was broken off
                with naming_output(str(self._path)):
                    self._stream.writelines(f"{json.dumps(event)},\n" for event in events)

    def close(self) -> None:
        """Complete the file."""
        with self._lock, naming_output(str(self._path)):
            end = {"name": "end", "ph": "i", "ts": time.perf_counter() * MICROSECONDS, "pid": os.getpid(), "tid": 0}
            self._stream.write(f"{json.dumps(end)}\n]\n")
            self._stream.close()
