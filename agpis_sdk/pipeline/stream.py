"""The stream of a run or an audit: records in micro-batches.

Each is being read and decoded in threads while the one before it is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from agpis_sdk.config import Config
from agpis_sdk.errors import InputFileError
from agpis_sdk.media.products import CheckedProducts, RejectedRecord
from agpis_sdk.pipeline.batch import PendingBatch, start_decoding
from agpis_sdk.pipeline.run import Run
from agpis_sdk.pipeline.summary import RunStats
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Product


def observed_batches(records: CheckedProducts, run: Run, host: PluginHost, stats: RunStats) -> Iterator[PendingBatch]:
    """Yield micro-batches; notify plugins at the beginning and the end, and note in `stats` what failed."""
    run.guard.seconds.clear()
    run.guard.failures.clear()
    stats.note_missing_plugins(host)
    stats.note(host.notify("agpis_run_started", context=run.context))
    yield from prefetch_batches(records, run.config)
    stats.component_seconds.update(run.guard.seconds)
    stats.failures.update(run.guard.failures)
    stats.notices += [*run.guard.notices(), *records.notices]
    stats.note(host.notify("agpis_run_finished", context=run.context, summary=stats.facts()))


def prefetch_batches(records: CheckedProducts, config: Config) -> Iterator[PendingBatch]:
    """Yield micro-batches; raises `InputFileError` where the input breaks off, after what came before it."""
    with ThreadPoolExecutor(config.run.threads, thread_name_prefix="agpis-decode") as executor:
        current: PendingBatch | None = None
        for batch, error in _batches(iter(records), config.run.batch_size):
            following = start_decoding(batch, executor, config.media)
            if current is not None:
                yield current
            current = following
            if error is not None:
                yield current
                raise error
        if current is not None:
            yield current


def _batches(
    records: Iterator[Product | RejectedRecord], size: int
) -> Iterator[tuple[list[Product | RejectedRecord], InputFileError | None]]:
    """Yield micro-batches; where the input breaks off, what came before it is yielded together with the error."""
    batch: list[Product | RejectedRecord] = []
    try:
        for record in records:
            batch.append(record)
            if len(batch) == size:
                yield batch, None
                batch = []
    except InputFileError as error:
        yield batch, error
        return
    if batch:
        yield batch, None
