"""A whole run in shards: records are read and cut here, worked on by workers, and their outcomes taken in here."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import Any, Protocol

from agpis_sdk.engines.ledger import Ledger
from agpis_sdk.engines.shards import Failures, Receipt, Shard, ShardResult, sealed, shards_of
from agpis_sdk.errors import InputFileError
from agpis_sdk.media.products import CheckedProducts
from agpis_sdk.pipeline.checkpoint import BEGINNING, Checkpoint
from agpis_sdk.pipeline.interruption import Interruption
from agpis_sdk.pipeline.summary import RunSummary

SHARDS_A_WORKER = 8  # that may be finished while an earlier one is still worked on
FEWEST_WAITING = 64


class Workers(Protocol):
    """Who works on shards, one each at a time."""

    workers: int

    @property
    def idle(self) -> bool:
        """Whether a worker waits for a shard."""
        ...

    @property
    def busy(self) -> bool:
        """Whether shards are on their way."""
        ...

    def give(self, shard: Shard, before: Failures) -> None:
        """Hand a shard to a worker, with what had failed before it."""
        ...

    def wait(self) -> list[tuple[Shard, ShardResult]]:
        """Return the shards that are finished, none after a while; raises what ends the run."""
        ...


class ShardStore(Protocol):
    """Where shards go when they are finished."""

    def known(self, shard: Shard) -> Receipt | None:
        """Return the receipt of a shard that an earlier run has finished, None where it is to be worked on."""
        ...

    def write(self, shard: Shard, result: ShardResult) -> None:
        """Take in a finished shard, in any order; one that is done again takes the place of the first."""
        ...

    def settle(self, receipt: Receipt, failures: Failures, notes: tuple[tuple[str, str], ...]) -> None:
        """Take in that the next shard in the order of the input stays as it is, and what has failed until its end."""
        ...

    def finish(self, facts: Mapping[str, Any]) -> None:
        """Take in that all shards are settled, and what the run has done."""
        ...


class ShardRun:
    """Takes all records through workers into a store; `summary` is what has been settled so far."""

    def __init__(
        self,
        records: CheckedProducts,
        workers: Workers,
        store: ShardStore,
        *,
        size: int,
        most_failures: int,
        after: Checkpoint = BEGINNING,
    ) -> None:
        self._records, self._workers, self._store = records, workers, store
        self._shards = shards_of(records, size)
        self._again: dict[int, Shard] = {}
        window = max(FEWEST_WAITING, SHARDS_A_WORKER * workers.workers)
        self._ledger = Ledger(most_failures, window, self._settle, after)
        self._broken_off: InputFileError | None = None
        self._read_all = False

    @property
    def summary(self) -> RunSummary:
        """What has been settled so far."""
        return self._ledger.summary

    def run(self, interruption: Interruption) -> Generator[RunSummary, None, None]:
        """Work until all is done, or a signal comes, and yield the summary after each step; the shards in flight are finished.

        However it ends, the summary then says what has failed. Raises `InputFileError` where the input breaks off, after what
        came before it.
        """
        try:
            yield from self._steps(interruption)
        finally:
            summary = self._ledger.close(self._records.notices)
        if self._broken_off is not None:
            raise self._broken_off
        if interruption.signal is None:
            self._store.finish(summary.facts())
        yield summary

    def _steps(self, interruption: Interruption) -> Iterator[RunSummary]:
        while True:
            if interruption.signal is None:
                self._hand_out()
            done = self._read_all and not self._again
            if not self._workers.busy and (done or interruption.signal is not None):
                break
            for shard, result in self._workers.wait():
                whole = sealed(result)
                self._store.write(shard, whole)
                self._take(shard, whole.receipt)
            yield self.summary

    def _hand_out(self) -> None:
        """Hand shards to the workers that wait; one that an earlier run has finished is taken as it is."""
        while self._again and self._workers.idle:
            self._workers.give(self._again.pop(min(self._again)), self._ledger.failures)
        while self._workers.idle and not self._ledger.full and (shard := self._next()) is not None:
            receipt = self._store.known(shard)
            if receipt is None:
                self._workers.give(shard, self._ledger.failures)
            else:
                self._take(shard, receipt)

    def _take(self, shard: Shard, receipt: Receipt) -> None:
        self._again.update({one.number: one for one in self._ledger.take(shard, receipt)})

    def _settle(self, receipt: Receipt) -> None:
        self._store.settle(receipt, self._ledger.failures, self.summary.noted)

    def _next(self) -> Shard | None:
        if self._read_all:
            return None
        try:
            shard = next(self._shards, None)
        except InputFileError as error:  # what came before it is finished first
            self._broken_off, shard = error, None
        self._read_all = shard is None
        return shard
