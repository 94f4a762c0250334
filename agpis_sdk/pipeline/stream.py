"""The stream of a run or an audit: records in micro-batches.

Each is being read and decoded in threads while the one before it is looked at.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from agpis_sdk.components import DecodedImage
from agpis_sdk.config import Config
from agpis_sdk.errors import InputFileError
from agpis_sdk.media.products import CheckedProducts, RejectedRecord
from agpis_sdk.pipeline.batch import PendingBatch, start_decoding
from agpis_sdk.pipeline.checkpoint import BEGINNING, Checkpoint
from agpis_sdk.pipeline.result_cache.results import ResultCache
from agpis_sdk.pipeline.run import Run
from agpis_sdk.pipeline.summary import RunStats
from agpis_sdk.pipeline.threads import one_thread_each
from agpis_sdk.pipeline.trace import Trace
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Product

CHANNELS = 3  # bytes of a decoded pixel


def observed_batches(
    records: CheckedProducts, run: Run, host: PluginHost, stats: RunStats, *, after: Checkpoint = BEGINNING
) -> Generator[PendingBatch, None, None]:
    """Yield micro-batches; notify plugins at the beginning and the end, and note in `stats` what failed.

    What failed is noted however the run ends; plugins hear of the end only where everything has been looked at.
    `after` is where an earlier run ended: what failed until then counts.
    """
    run.guard.start(after.failures, after.reasons)
    for whose, notice in after.notes:
        stats.note({whose: notice})
    stats.note_missing_plugins(host)
    stats.note(host.notify("agpis_run_started", context=run.context))
    try:
        with one_thread_each():
            yield from prefetch_batches(records, run.config, run.cache, run.guard.trace)
    finally:
        stats.component_seconds.update(run.guard.seconds)
        stats.component_items.update(run.guard.items)
        stats.cached_items.update(run.guard.cached)
        stats.failures.update(run.guard.failures)
        stats.failures.update(run.guard.unjudged)
        stats.notices += [*run.guard.notices(), *(run.cache.notices() if run.cache else ()), *records.notices]
        stats.dropped += run.guard.dropped_labels()
    stats.note(host.notify("agpis_run_finished", context=run.context, summary=stats.facts()))


def prefetch_batches(
    records: CheckedProducts, config: Config, cache: ResultCache | None = None, trace: Trace | None = None
) -> Iterator[PendingBatch]:
    """Yield micro-batches; raises `InputFileError` where the input breaks off, after what came before it."""
    executor = ThreadPoolExecutor(config.run.threads, thread_name_prefix="agpis-decode")
    try:
        current: PendingBatch | None = None
        for batch, error in _batches(iter(records), config):
            following = start_decoding(batch, executor, config.media, cache, trace)
            if current is not None:
                yield current
            current = following
            if error is not None:
                yield current
                raise error
        if current is not None:
            yield current
    finally:
        # A run that is broken off does not wait for images that nobody will look at.
        executor.shutdown(wait=False, cancel_futures=True)


def decoded_images(records: Sequence[Product | RejectedRecord], config: Config) -> dict[str, dict[str, DecodedImage]]:
    """Return the readable images of some products once more, by product and image id."""
    with ThreadPoolExecutor(config.run.threads, thread_name_prefix="agpis-decode") as executor:
        pending = start_decoding(list(records), executor, config.media)
        return {
            product_id: {image.id: image for future in futures if isinstance(image := future.result(), DecodedImage)}
            for product_id, futures in pending.decoded.items()
        }


def _batches(
    records: Iterator[Product | RejectedRecord], config: Config
) -> Iterator[tuple[list[Product | RejectedRecord], InputFileError | None]]:
    """Yield micro-batches; where the input breaks off, what came before it is yielded together with the error."""
    batch: list[Product | RejectedRecord] = []
    images, most = 0, config.media.max_decoded // (CHANNELS * config.media.working_side**2)
    try:
        for record in records:
            more = min(len(record.images), config.media.max_images) if isinstance(record, Product) else 0
            if batch and (len(batch) == config.run.batch_size or images + more > most):
                yield batch, None
                batch, images = [], 0
            batch.append(record)
            images += more
    except InputFileError as error:
        yield batch, error
        return
    if batch:
        yield batch, None
