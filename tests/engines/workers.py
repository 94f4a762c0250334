"""Workers in this process that finish shards in any order."""

from __future__ import annotations

import numpy as np

from agpis_sdk.config import Config
from agpis_sdk.engines.shard_worker import ShardWorker, WorkOrder
from agpis_sdk.engines.shards import Failures, Shard, ShardResult
from agpis_sdk.errors import AgpisError
from agpis_sdk.pipeline.pipeline import Pipeline


class WorkersHere:
    """Several workers in this process; of the shards that they hold, any one is finished next."""

    def __init__(self, pipelines: list[Pipeline], seed: int = 0) -> None:
        self.workers = len(pipelines)
        self.given: list[int] = []
        self._chance = np.random.default_rng(seed)
        self._free = []
        for pipeline in pipelines:
            worker = ShardWorker(WorkOrder(Config(), discover=False, path=(), installed={}))
            worker._pipeline = pipeline
            self._free.append(worker)
        self._held: list[tuple[ShardWorker, Shard, Failures]] = []

    @property
    def idle(self) -> bool:
        return bool(self._free)

    @property
    def busy(self) -> bool:
        return bool(self._held)

    def give(self, shard: Shard, before: Failures) -> None:
        self.given.append(shard.number)
        self._held.append((self._free.pop(), shard, before))

    def wait(self) -> list[tuple[Shard, ShardResult]]:
        worker, shard, before = self._held.pop(int(self._chance.integers(len(self._held))))
        result = worker.work(shard, before)
        self._free.append(worker)
        if isinstance(result, AgpisError):
            raise result
        return [(shard, result)]
