"""Takes finished shards in as they come, and settles them in the order of the input.

A component that has failed too often no longer runs (`run.max_failures`), so what comes of a shard depends on the
failures in all shards before it. A shard is begun with what is known then; where it turns out that a component was
dropped before it, or within it, it is done again with the count as it really was. So outcomes are those of a run on
one machine (DESIGN law 6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agpis_sdk.engines.shards import Failures, Receipt, Shard
from agpis_sdk.pipeline.checkpoint import BEGINNING, Checkpoint
from agpis_sdk.pipeline.guard import notices_of
from agpis_sdk.pipeline.summary import RunSummary


class Ledger:
    """The books of a run in shards; `settle` is told each receipt, in the order of the input, when it is in the books.

    `after` is the state in which an earlier run ended: what failed until then counts.
    """

    def __init__(
        self, most_failures: int, window: int, settle: Callable[[Receipt], None], after: Checkpoint = BEGINNING
    ) -> None:
        self.summary = RunSummary()
        self._most = most_failures
        self._window = window
        self._settle_with = settle
        self._settled = 0
        self._waiting: dict[int, tuple[Shard, Receipt]] = {}
        self._failed = dict(after.failures)
        self._reasons = dict(after.reasons)
        self._unjudged: dict[str, int] = {}
        self._unjudged_reasons: dict[str, str] = {}
        self._notices: dict[str, None] = {}
        for whose, notice in after.notes:
            self.summary.note({whose: notice})

    @property
    def failures(self) -> Failures:
        """What had failed before the first shard that is not settled."""
        return Failures(dict(self._failed), dict(self._reasons))

    @property
    def full(self) -> bool:
        """Whether so many shards wait for an earlier one that no later ones may be begun."""
        return len(self._waiting) >= self._window

    def take(self, shard: Shard, receipt: Receipt) -> list[Shard]:
        """Take a finished shard in; return the shards that must be done again, with `failures`."""
        self._waiting[shard.number] = (shard, receipt)
        stale: list[Shard] = []
        while (known := self._waiting.pop(self._settled, None)) is not None:
            if not self._holds(known[1]):
                stale.append(known[0])
                break
            self._settle(known[1])
        stale += [shard for shard, receipt in self._waiting.values() if self._was_dropped_before(receipt)]
        for one in stale:
            self._waiting.pop(one.number, None)
        return stale

    def close(self, notices: list[str]) -> RunSummary:
        """Return the summary of all that is settled; `notices` are those of the reader of the input."""
        summary = self.summary
        summary.failures.update(self._failed)
        summary.failures.update(self._unjudged)
        summary.notices += [
            *notices_of(self._failed, self._reasons, self._unjudged, self._unjudged_reasons, most_failures=self._most),
            *self._notices,
            *notices,
        ]
        summary.dropped += [label for label, count in self._failed.items() if count >= self._most]
        return summary

    def _was_dropped_before(self, receipt: Receipt) -> bool:
        """Tell whether a component took part in a shard that had been dropped before it."""
        return any(
            count >= self._most and receipt.before.get(label, 0) < self._most for label, count in self._failed.items()
        )

    def _holds(self, receipt: Receipt) -> bool:
        """Tell whether a shard would have come out the same with the failures that there really were before it."""
        return all(
            self._same(label, receipt.before, receipt.failed)
            for label in self._failed.keys() | receipt.before.keys() | receipt.failed.keys()
        )

    def _same(self, label: str, before: Mapping[str, int], failed: Mapping[str, int]) -> bool:
        began, really = before.get(label, 0), self._failed.get(label, 0)
        own = failed.get(label, 0) - began
        if began == really:
            return True
        if began >= self._most and really >= self._most:
            return True
        return began + own < self._most and really + own < self._most

    def _settle(self, receipt: Receipt) -> None:
        for label, count in receipt.failed.items():
            own = count - receipt.before.get(label, 0)
            if own:
                self._failed[label] = self._failed.get(label, 0) + own
                self._reasons[label] = receipt.reasons.get(label, "")
        for label, count in receipt.unjudged.items():
            self._unjudged[label] = self._unjudged.get(label, 0) + count
        self._unjudged_reasons.update(receipt.unjudged_reasons)
        for whose, notice in receipt.notes:
            self.summary.note({whose: notice})
        self._notices.update(dict.fromkeys(receipt.notices))
        self.summary.include(receipt.facts)
        self._settled += 1
        self._settle_with(receipt)
