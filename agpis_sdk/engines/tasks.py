"""What waits for a worker: a shard whose worker is lost is tried again, then record by record, and then given up."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from agpis_sdk.engines.shards import Failures, Shard, ShardResult, given_up, singly, together
from agpis_sdk.errors import ComponentError


@dataclass(frozen=True)
class Task:
    """A shard, or where its place is given one record of it, in the hands of a worker or on its way to one."""

    shard: Shard
    before: Failures
    place: int | None = None

    @property
    def key(self) -> tuple[int, int | None]:
        """What tells a task from all others."""
        return self.shard.number, self.place


class TaskQueue:
    """The tasks that wait; a shard is tried again `retries` times, and `where_to_look` for the reason of a loss.

    `notify` is told in words of every loss; `lost` counts them.
    """

    def __init__(self, retries: int, notify: Callable[[str], None], where_to_look: str) -> None:
        self.lost = 0
        self._retries, self._notify, self._where_to_look = retries, notify, where_to_look
        self._waiting: deque[Task] = deque()
        self._losses: Counter[tuple[int, int | None]] = Counter()
        self._parts: dict[int, tuple[Shard, dict[int, ShardResult]]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def open(self) -> bool:
        """Whether a task waits, or a shard of which a part is done."""
        return bool(self._waiting or self._parts)

    def add(self, shard: Shard, before: Failures) -> None:
        """Have a shard wait, with what had failed before it."""
        self._waiting.append(Task(shard, before))

    def next(self) -> Task:
        """Return the task that is next; it waits no longer."""
        return self._waiting.popleft()

    def finished(self, task: Task, result: ShardResult) -> list[tuple[Shard, ShardResult]]:
        """Take in what came of a task; return the shard that is whole with it, if any."""
        if task.place is None:
            return [(task.shard, result)]
        shard, parts = self._parts[task.shard.number]
        parts[task.place] = result
        if len(parts) < len(shard.records):
            return []
        del self._parts[shard.number]
        return [(shard, together(shard, [parts[place] for place in range(len(parts))]))]

    def lose(self, task: Task, reason: str) -> list[tuple[Shard, ShardResult]]:
        """Take in that a worker is gone with its task; return the shard that is whole as its last record is given up, if any."""
        self.lost += 1
        self._losses[task.key] += 1
        self._notify(f"a worker was lost with shard {task.shard.number}: {reason}")
        if self._losses[task.key] <= self._retries:
            self._waiting.appendleft(task)
        elif task.place is None:
            self._parts[task.shard.number] = (task.shard, {})
            self._waiting.extendleft(Task(one, task.before, place) for place, one in enumerate(singly(task.shard)))
        else:
            fault = ComponentError(
                f"each process that worked on it was lost; the last: {reason}",
                remedy=f"look for the crash or the lack of memory in {self._where_to_look}",
            )
            return self.finished(task, given_up(task.shard, task.before, str(fault)))
        return []
