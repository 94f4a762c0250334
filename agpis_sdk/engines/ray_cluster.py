"""Workers on the nodes of a Ray cluster: each is an actor with one pipeline, and holds one shard at a time.

Not Ray Data: a task of its actor pools waits for that very actor to come back, for ever where its node is gone and no
other has room, and a product that ends its process would end it again and again. Here a lost shard goes to any other
worker, a bounded number of times, and then record by record.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from agpis_sdk.config import RaySection
from agpis_sdk.engines.shard_worker import ShardWorker, WorkOrder
from agpis_sdk.engines.shards import Shard, ShardResult
from agpis_sdk.engines.tasks import Task, TaskQueue
from agpis_sdk.engines.worker_pool import POLL, LostWorkerError, WorkerPool
from agpis_sdk.errors import ClusterError, ConfigError, in_words

AUTO = "auto"
PORT = 6379
PATIENCE = 5.0  # seconds for the first answer of an address
LONG = 30.0  # seconds without any worker after which a person should know


class RayCluster(WorkerPool):
    """The workers of one run, actors; an answer is a reference. `notify` is told in words what a person should know."""

    blamed = "cluster"
    remedy = "look at Ray's logs; where memory is short, raise ray.cpus"

    def __init__(
        self, address: str, settings: RaySection, order: WorkOrder, notify: Callable[[str], None] = lambda _: None
    ) -> None:
        """Connect; raises `ClusterError` and `ConfigError` where that cannot be done."""
        self._ray = connect(address)
        self._settings = settings
        self._notify = notify
        try:
            super().__init__(settings.actors or self._room(), TaskQueue(settings.retries, notify, "Ray's logs"))
            self._order = self._ray.put(order)
        except BaseException:
            self._ray.shutdown()
            raise
        self._actor = self._ray.remote(
            num_cpus=settings.cpus, num_gpus=settings.gpus, max_restarts=0, max_task_retries=0
        )(ShardWorker)
        self._waits_since: float | None = time.monotonic()

    def wait(self) -> list[tuple[Shard, ShardResult]]:
        """Return the shards that are finished, none after a while; raises what ends the run."""
        self._tell_of_waiting()
        return super().wait()

    def close(self) -> None:
        """End all workers, whatever they hold, and leave the cluster."""
        super().close()
        self._ray.shutdown()

    def _tell_of_waiting(self) -> None:
        if self._working or self._free:
            self._waits_since = None
        elif self._waits_since is not None and time.monotonic() - self._waits_since > LONG:
            self._waits_since = None
            self._notify("no worker has begun yet: the cluster is busy, or loads their models")

    def _start(self) -> tuple[Any, Any]:
        actor = self._actor.remote(self._order)
        return actor, actor.start.remote()

    def _hand(self, worker: Any, task: Task) -> Any:
        return worker.work.remote(task.shard, task.before)

    def _ready(self, answers: Sequence[Any]) -> Sequence[Any]:
        ready: list[Any] = self._ray.wait(list(answers), num_returns=1, timeout=POLL)[0]
        return ready

    def _read(self, answer: Any, worker: Any) -> Any:
        try:
            return self._ray.get(answer)
        except self._ray.exceptions.RayError as lost:
            self._end(worker)
            raise LostWorkerError(in_words(lost)) from None

    def _end(self, worker: Any) -> None:
        with suppress(self._ray.exceptions.RayError):
            self._ray.kill(worker)

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
