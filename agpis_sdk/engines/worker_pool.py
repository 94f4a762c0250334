"""Who has which shard: workers are started as there is work, and one that is lost costs what it held, which is tried again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from agpis_sdk.engines.shards import Failures, Shard, ShardResult
from agpis_sdk.engines.tasks import Task, TaskQueue
from agpis_sdk.errors import AgpisError, ClusterError

STARTS = 3  # workers one after the other that end before they have begun
POLL = 0.5  # seconds after which a signal is noticed


class LostWorkerError(Exception):
    """A worker is gone: the message says how it ended."""


class WorkerPool(ABC):
    """The workers of one run, each with one pipeline and one shard at a time.

    A subclass says what a worker is; an answer is whatever it waits for, one for each worker that is starting or working.
    `blamed` and `remedy` are of the error where workers end before they have begun.
    """

    blamed: str
    remedy: str

    def __init__(self, workers: int, tasks: TaskQueue) -> None:
        self.workers = workers
        self._tasks = tasks
        self._free: list[Any] = []
        self._starting: dict[Any, Any] = {}
        self._working: dict[Any, tuple[Any, Task]] = {}
        self._failed_starts = 0

    @abstractmethod
    def _start(self) -> tuple[Any, Any]:
        """Begin to start a worker; return it and its answer, None or an error when it is ready."""

    @abstractmethod
    def _hand(self, worker: Any, task: Task) -> Any:
        """Hand a task to a worker that waits; return its answer, a result or an error."""

    @abstractmethod
    def _ready(self, answers: Sequence[Any]) -> Sequence[Any]:
        """Return the answers that are there, after `POLL` seconds at most."""

    @abstractmethod
    def _read(self, answer: Any, worker: Any) -> Any:
        """Return what an answer says; raises `LostWorkerError` where the worker is gone."""

    @abstractmethod
    def _end(self, worker: Any) -> None:
        """End a worker, whatever it holds."""

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
        for answer in self._ready([*self._working, *self._starting]):
            if answer in self._starting:
                self._started(answer)
            else:
                finished += self._returned(answer)
        self._hand_out()
        return finished

    def close(self) -> None:
        """End all workers, whatever they hold."""
        for worker in [*self._free, *self._starting.values(), *(worker for worker, _ in self._working.values())]:
            self._end(worker)

    def _started(self, answer: Any) -> None:
        worker = self._starting.pop(answer)
        try:
            error = self._read(answer, worker)
        except LostWorkerError as lost:
            self._failed_starts += 1
            if self._failed_starts >= STARTS:
                raise ClusterError(
                    f"{self._failed_starts} processes ended before they had begun; the last: {lost}",
                    item=self.blamed,
                    remedy=self.remedy,
                ) from None
            return
        if error is not None:
            raise error
        self._failed_starts = 0
        self._free.append(worker)

    def _returned(self, answer: Any) -> list[tuple[Shard, ShardResult]]:
        worker, task = self._working.pop(answer)
        try:
            result = self._read(answer, worker)
        except LostWorkerError as lost:
            return self._tasks.lose(task, str(lost))
        self._free.append(worker)
        if isinstance(result, AgpisError):
            raise result
        return self._tasks.finished(task, result)

    def _hand_out(self) -> None:
        """Hand tasks to those that are free, and start workers for the rest as long as there may be more."""
        while self._free and self._tasks:
            worker, task = self._free.pop(), self._tasks.next()
            self._working[self._hand(worker, task)] = (worker, task)
        while len(self._starting) < len(self._tasks) and self._alive < self.workers:
            worker, answer = self._start()
            self._starting[answer] = worker

    @property
    def _alive(self) -> int:
        return len(self._free) + len(self._starting) + len(self._working)
