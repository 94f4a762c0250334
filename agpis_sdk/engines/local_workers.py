"""Workers on this machine: each is a process with one pipeline."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import connection
from multiprocessing.connection import Connection
from typing import Any

from agpis_sdk.cores import available_cores
from agpis_sdk.engines.shard_worker import WorkOrder
from agpis_sdk.engines.tasks import Task, TaskQueue
from agpis_sdk.engines.worker_pool import POLL, LostWorkerError, WorkerPool
from agpis_sdk.errors import ConfigError
from agpis_sdk.pipeline.child_process import AVAILABLE, ChildProcess

RETRIES = 2  # of a shard whose worker was lost
SETTING = "run.workers"


class LocalWorkers(WorkerPool):
    """The worker processes of one run; an answer is the connection to one. `notify` is told in words what a person should know."""

    blamed = SETTING
    remedy = "where memory is short, set fewer: each has models of its own"

    def __init__(self, workers: int, order: WorkOrder, notify: Callable[[str], None] = lambda _: None) -> None:
        """Start none yet; raises `ConfigError` where this system cannot have them."""
        if not AVAILABLE:
            raise ConfigError("needs a POSIX system", item=f"{SETTING} = {workers}", remedy=f"set {SETTING}=1")
        super().__init__(workers, TaskQueue(RETRIES, notify, "the messages above, or the system's log"))
        self._order = order

    def _start(self) -> tuple[ChildProcess, Connection]:
        # Libraries read it when they are loaded; without it, each worker would have as many threads as there are cores.
        threads = os.environ.get("OMP_NUM_THREADS") or str(max(1, available_cores() // self.workers))
        process = ChildProcess("agpis_sdk.engines.local_worker", environment={"OMP_NUM_THREADS": threads})
        return process, self._told(process, self._order)

    def _hand(self, worker: ChildProcess, task: Task) -> Connection:
        return self._told(worker, (task.shard, task.before))

    def _told(self, process: ChildProcess, message: object) -> Connection:
        with suppress(OSError):  # it has ended: whoever waits for its answer learns that
            process.connection.send(message)
        return process.connection

    def _ready(self, answers: Sequence[Connection]) -> Sequence[Any]:
        return connection.wait(answers, POLL)

    def _read(self, answer: Connection, worker: ChildProcess) -> Any:
        try:
            return answer.recv()
        except (EOFError, OSError):
            raise LostWorkerError(worker.end_in_words()) from None

    def _end(self, worker: ChildProcess) -> None:
        worker.kill()
