"""Workers on this machine: each is a process with one pipeline, and holds one shard at a time."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import connection
from multiprocessing.connection import Connection

from agpis_sdk.engines.shard_worker import WorkOrder
from agpis_sdk.engines.shards import Failures, Shard, ShardResult
from agpis_sdk.engines.tasks import Task, TaskQueue
from agpis_sdk.errors import AgpisError, ClusterError, ConfigError
from agpis_sdk.pipeline.child_process import AVAILABLE, ChildProcess

RETRIES = 2  # of a shard whose worker was lost
STARTS = 3  # workers one after the other that end before they have begun
POLL = 0.5  # seconds after which a signal is noticed
SETTING = "run.workers"


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class LocalWorkers:
    """The worker processes of one run, started as there is work; `notify` is told in words what a person should know."""

    def __init__(self, workers: int, order: WorkOrder, notify: Callable[[str], None] = lambda _: None) -> None:
        """Start none yet; raises `ConfigError` where this system cannot have them."""
        if not AVAILABLE:
            raise ConfigError("needs a POSIX system", item=f"{SETTING} = {workers}", remedy=f"set {SETTING}=1")
        self.workers = workers
        self._order = order
        self._tasks = TaskQueue(RETRIES, notify, "the messages above, or the system's log")
        self._free: list[ChildProcess] = []
        self._starting: dict[Connection, ChildProcess] = {}
        self._working: dict[Connection, tuple[ChildProcess, Task]] = {}
        self._failed_starts = 0

    @property
    def idle(self) -> bool:
        """Whether a worker waits for a shard, or could be started for it."""
        return len(self._working) + len(self._tasks) < self.workers

    @property
    def busy(self) -> bool:
        """Whether shards are on their way."""
        return bool(self._working) or self._tasks.open

    def give(self, shard: Shard, before: Failures) -> None:
        """Hand a shard to a worker, with what had failed before it."""
        self._tasks.add(shard, before)
        self._hand_out()

    def wait(self) -> list[tuple[Shard, ShardResult]]:
        """Return the shards that are finished, none after a while; raises what ends the run."""
        finished: list[tuple[Shard, ShardResult]] = []
        for ready in connection.wait([*self._working, *self._starting], POLL):
            if not isinstance(ready, Connection):
                continue
            if ready in self._starting:
                self._started(ready)
            else:
                finished += self._returned(ready)
        self._hand_out()
        return finished

    def close(self) -> None:
        """End all workers, whatever they hold."""
        for process in [*self._free, *self._starting.values(), *(process for process, _ in self._working.values())]:
            process.kill()

    def _start(self) -> None:
        # Libraries read it when they are loaded; without it, each worker would have as many threads as there are cores.
        threads = os.environ.get("OMP_NUM_THREADS") or str(max(1, cores() // self.workers))
        process = ChildProcess("agpis_sdk.engines.local_worker", environment={"OMP_NUM_THREADS": threads})
        with suppress(OSError):  # it has ended: whoever waits for its answer learns that
            process.connection.send(self._order)
        self._starting[process.connection] = process

    def _started(self, ready: Connection) -> None:
        process = self._starting.pop(ready)
        try:
            error: AgpisError | None = ready.recv()
        except (EOFError, OSError):
            self._failed_starts += 1
            reason = process.end_in_words()
            if self._failed_starts >= STARTS:
                raise ClusterError(
                    f"{self._failed_starts} workers ended before they had begun; the last: {reason}",
                    item=SETTING,
                    remedy="where memory is short, set fewer: each has models of its own",
                ) from None
            return
        if error is not None:
            raise error
        self._failed_starts = 0
        self._free.append(process)

    def _returned(self, ready: Connection) -> list[tuple[Shard, ShardResult]]:
        process, task = self._working.pop(ready)
        try:
            result: ShardResult | AgpisError = ready.recv()
        except (EOFError, OSError):
            return self._tasks.lose(task, process.end_in_words())
        self._free.append(process)
        if isinstance(result, AgpisError):
            raise result
        return self._tasks.finished(task, result)

    def _hand_out(self) -> None:
        """Hand tasks to those that are free, and start workers for the rest as long as there may be more."""
        while self._free and self._tasks:
            process, task = self._free.pop(), self._tasks.next()
            with suppress(OSError):  # it has ended: whoever waits for its answer learns that
                process.connection.send((task.shard, task.before))
            self._working[process.connection] = (process, task)
        while len(self._starting) < len(self._tasks) and self._alive < self.workers:
            self._start()

    @property
    def _alive(self) -> int:
        return len(self._free) + len(self._starting) + len(self._working)
