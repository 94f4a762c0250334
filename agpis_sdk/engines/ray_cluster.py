"""Workers on the nodes of a Ray cluster: each is an actor with one pipeline, and holds one shard at a time.

Not Ray Data: a task of its actor pools waits for that very actor to come back, for ever where its node is gone and no
other has room, and a product that ends its process would end it again and again. Here a lost shard goes to any other
worker, a bounded number of times, and then record by record.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from agpis_sdk.config import RaySection
from agpis_sdk.engines.shard_worker import ShardWorker, WorkOrder
from agpis_sdk.engines.shards import Failures, Shard, ShardResult
from agpis_sdk.engines.tasks import Task, TaskQueue
from agpis_sdk.errors import AgpisError, ClusterError, ConfigError, in_words

AUTO = "auto"
PORT = 6379
PATIENCE = 5.0  # seconds for the first answer of an address
STARTS = 3  # workers one after the other that end before they have begun
LONG = 30.0  # seconds without any worker after which a person should know
POLL = 0.5  # seconds after which a signal is noticed


class RayCluster:
    """The workers of one run; `notify` is told in words what a person should know."""

    def __init__(
        self, address: str, settings: RaySection, order: WorkOrder, notify: Callable[[str], None] = lambda _: None
    ) -> None:
        """Connect and begin to start workers; raises `ClusterError` and `ConfigError` where that cannot be done."""
        self._ray = connect(address)
        self._settings = settings
        self._notify = notify
        try:
            self.workers = settings.actors or self._room()
            self._order = self._ray.put(order)
        except BaseException:
            self._ray.shutdown()
            raise
        self._actor = self._ray.remote(
            num_cpus=settings.cpus, num_gpus=settings.gpus, max_restarts=0, max_task_retries=0
        )(ShardWorker)
        self._free: list[Any] = []
        self._starting: dict[Any, Any] = {}
        self._working: dict[Any, tuple[Any, Task]] = {}
        self._tasks = TaskQueue(settings.retries, notify, "Ray's logs")
        self._failed_starts = 0
        self._waits_since: float | None = time.monotonic()
        for _ in range(self.workers):
            self._start()

    @property
    def lost(self) -> int:
        """How many workers were lost on the way."""
        return self._tasks.lost

    @property
    def idle(self) -> bool:
        """Whether a worker waits for a shard."""
        return len(self._free) > len(self._tasks)

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
        self._tell_of_waiting()
        refs = [*self._working, *self._starting]
        ready, _ = self._ray.wait(refs, num_returns=1, timeout=POLL)
        finished: list[tuple[Shard, ShardResult]] = []
        for ref in ready:
            if ref in self._starting:
                self._started(ref)
            else:
                finished += self._returned(ref)
        self._hand_out()
        return finished

    def _tell_of_waiting(self) -> None:
        if self._working or self._free:
            self._waits_since = None
        elif self._waits_since is not None and time.monotonic() - self._waits_since > LONG:
            self._waits_since = None
            self._notify("no worker has begun yet: the cluster is busy, or loads their models")

    def close(self) -> None:
        """End all workers, whatever they hold, and leave the cluster."""
        for actor in [*self._free, *self._starting.values(), *(actor for actor, _ in self._working.values())]:
            self._kill(actor)
        self._ray.shutdown()

    def _start(self) -> None:
        actor = self._actor.remote(self._order)
        self._starting[actor.start.remote()] = actor

    def _started(self, ref: Any) -> None:
        actor = self._starting.pop(ref)
        try:
            error = self._ray.get(ref)
        except self._ray.exceptions.RayError as lost:
            self._failed_starts += 1
            if self._failed_starts >= STARTS:
                raise ClusterError(
                    f"{self._failed_starts} processes ended before they had begun; the last: {in_words(lost)}",
                    item="cluster",
                    remedy="look at Ray's logs; where memory is short, raise ray.cpus",
                ) from None
            self._kill(actor)
            self._start()
            return
        if error is not None:
            raise error
        self._failed_starts = 0
        self._free.append(actor)

    def _returned(self, ref: Any) -> list[tuple[Shard, ShardResult]]:
        actor, task = self._working.pop(ref)
        try:
            result = self._ray.get(ref)
        except self._ray.exceptions.RayError as lost:
            self._kill(actor)
            self._start()
            return self._tasks.lose(task, in_words(lost))
        self._free.append(actor)
        if isinstance(result, AgpisError):
            raise result
        return self._tasks.finished(task, result)

    def _hand_out(self) -> None:
        while self._free and self._tasks:
            actor, task = self._free.pop(), self._tasks.next()
            self._working[actor.work.remote(task.shard, task.before)] = (actor, task)

    def _kill(self, actor: Any) -> None:
        with suppress(self._ray.exceptions.RayError):
            self._ray.kill(actor)

    def _room(self) -> int:
        """Return how many workers the cluster has room for, less one where this process runs on a node of its own."""
        cpus, gpus = self._settings.cpus, self._settings.gpus
        here = self._ray.get_runtime_context().get_node_id()
        total, reads_here = 0, False
        for node in self._ray.nodes():
            has = node["Resources"] if node["Alive"] else {}
            room = int(has.get("CPU", 0) / cpus)
            total += min(room, int(has.get("GPU", 0) / gpus)) if gpus else room
            reads_here = reads_here or (node["NodeID"] == here and has.get("CPU", 0) > 0)
        if not total:
            raise ConfigError(
                f"no node has {cpus:g} CPU and {gpus:g} GPU", item="ray.cpus, ray.gpus", remedy="ask for less"
            )
        return total - 1 if reads_here and total > 1 and not gpus else total


def connect(address: str) -> Any:
    """Return the module ray, connected; raises `ConfigError` where it is not installed, `ClusterError` where none answers."""
    try:
        import ray
    except ImportError:
        raise ConfigError("needs Ray", item="--engine ray", remedy="pip install 'agpis-sdk[ray]'") from None
    item = f"--address {address}"
    remedy = "start one with `ray start --head`, or name its HOST:PORT"
    if address != AUTO and "://" not in address:
        address = _answering(address, item)
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", ignore_reinit_error=True)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise ClusterError(f"no Ray cluster can be reached: {in_words(error)}", item=item, remedy=remedy) from None
    return ray


def _answering(address: str, item: str) -> str:
    """Return an address with its port; Ray itself would try for a minute where nobody listens."""
    host, _, port = address.rpartition(":") if ":" in address else (address, "", str(PORT))
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE).close()
    except (OSError, ValueError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ClusterError(
            f"cannot be reached: {reason}", item=item, remedy="is the cluster up, and its port open to this machine?"
        ) from None
    return f"{host}:{port}"
