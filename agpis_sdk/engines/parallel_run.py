"""A run on the cores of this machine: micro-batches are worked on by processes, and come out in the order of the input."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agpis_sdk.config import Config
from agpis_sdk.engines.local_workers import LocalWorkers
from agpis_sdk.engines.shard_run import ShardRun
from agpis_sdk.engines.shard_worker import WorkOrder, import_path
from agpis_sdk.engines.shards import Failures, Receipt, Shard, ShardResult
from agpis_sdk.media.products import CheckedProducts
from agpis_sdk.pipeline.checkpoint import Checkpoint, digest_of
from agpis_sdk.pipeline.interruption import Interruption
from agpis_sdk.pipeline.pipeline import Engine, ProcessedBatch, with_products
from agpis_sdk.pipeline.summary import RunSummary
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Outcome


@dataclass(frozen=True)
class Settled:
    """A shard that is finished, as all before it are, its outcomes, and the state of the run after it."""

    shard: Shard
    result: ShardResult
    checkpoint: Checkpoint

    def batch(self, config: Config, *, with_images: bool) -> ProcessedBatch:
        """Return it as a micro-batch; images are decoded once more where they are asked for."""
        outcomes = map(Outcome.model_validate_json, self.result.lines.splitlines())
        products = with_products(self.shard.records, outcomes, config, with_images=with_images)
        return ProcessedBatch(products, self.checkpoint)


class ParallelRun(Engine):
    """What `Pipeline` does, by `workers` processes, each with models of its own.

    `discover` is false where the built-in plugins alone are loaded; `notify` is told in words what a person should know.
    """

    def __init__(
        self,
        config: Config,
        workers: int,
        *,
        host: PluginHost,
        interruption: Interruption | None = None,
        discover: bool = True,
        notify: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.config, self.host = config, host
        self.summary, self.interruption = RunSummary(), interruption
        self._workers, self._notify = workers, notify
        self._order = WorkOrder(config, discover, import_path(), installed=None)

    def _undecided_batches(
        self, records: CheckedProducts, after: Checkpoint, *, with_images: bool
    ) -> Generator[ProcessedBatch, None, None]:
        """Yield micro-batches as workers finish them, each when all before it are settled."""
        store = _InOrder(after)
        size, most_failures = self.config.run.batch_size, self.config.run.max_failures
        with contextlib.closing(LocalWorkers(self._workers, self._order, self._notify)) as workers:
            run = ShardRun(records, workers, store, size=size, most_failures=most_failures, after=after)
            try:
                with contextlib.closing(run.run(self.interruption or Interruption())) as steps:
                    for _ in steps:
                        for settled in store.settled():
                            self.summary.include(settled.result.receipt.facts)
                            yield settled.batch(self.config, with_images=with_images)
            finally:
                self.summary.take_faults_of(run.summary)


class _InOrder:
    """Keeps finished shards until all before them are settled."""

    def __init__(self, after: Checkpoint) -> None:
        self._count, self._digest = after.products, after.records
        self._finished: dict[int, tuple[Shard, ShardResult]] = {}
        self._settled: deque[Settled] = deque()

    def known(self, shard: Shard) -> Receipt | None:
        """Return that no shard was finished before."""
        del shard
        return None

    def write(self, shard: Shard, result: ShardResult) -> None:
        """Keep a finished shard."""
        self._finished[shard.number] = shard, result

    def settle(self, receipt: Receipt, failures: Failures, notes: tuple[tuple[str, str], ...]) -> None:
        """Put a shard at the end of those that are settled."""
        shard, result = self._finished.pop(receipt.number)
        self._count += len(shard.records)
        self._digest = digest_of(shard.records, self._digest)
        state = Checkpoint(
            products=self._count,
            records=self._digest,
            failures=dict(failures.counts),
            reasons=dict(failures.reasons),
            notes=notes,
        )
        self._settled.append(Settled(shard, result, state))

    def finish(self, facts: Mapping[str, Any]) -> None:
        """Do nothing: whoever takes the batches in completes the output."""

    def settled(self) -> Iterator[Settled]:
        """Yield what has been settled since the last time."""
        while self._settled:
            yield self._settled.popleft()
