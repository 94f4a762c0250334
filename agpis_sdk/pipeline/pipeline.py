"""The whole of Figure 2: products stream through in micro-batches, outcomes come out in input order."""

from __future__ import annotations

import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agpis_sdk.components import DecodedImage
from agpis_sdk.config import Config
from agpis_sdk.errors import RecordError
from agpis_sdk.media.products import CheckedProducts, RejectedRecord, checked
from agpis_sdk.pipeline.alternatives import Alternatives
from agpis_sdk.pipeline.batch import Batch, PendingBatch, finish_decoding, rejected_outcome
from agpis_sdk.pipeline.checkpoint import BEGINNING, Checkpoint, Record, decided_batches, digest_of
from agpis_sdk.pipeline.guard import Guard
from agpis_sdk.pipeline.image_pairs import check_pairs, remove_from_pairs
from agpis_sdk.pipeline.interruption import Interruption
from agpis_sdk.pipeline.plan import make_plan
from agpis_sdk.pipeline.primary_image import select_primary
from agpis_sdk.pipeline.result_cache.decided import decide
from agpis_sdk.pipeline.run import Run, assemble
from agpis_sdk.pipeline.scoring import choose_sequences
from agpis_sdk.pipeline.sequence import build_sequences
from agpis_sdk.pipeline.single_image import check_images, check_images_at_cost, remove_noncompliant
from agpis_sdk.pipeline.stream import decoded_images, observed_batches
from agpis_sdk.pipeline.summary import RunSummary
from agpis_sdk.pipeline.suppressions import read_suppressions
from agpis_sdk.pipeline.trace import Trace
from agpis_sdk.pipeline.unjudged import hold_unjudged
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Outcome, Product


@dataclass(frozen=True)
class ProcessedProduct:
    """An outcome with what it was made from; `product` is None where the record was no product."""

    product: Product | None
    outcome: Outcome
    images: Mapping[str, DecodedImage]


@dataclass(frozen=True)
class ProcessedBatch:
    """A micro-batch that is finished, and the state of the run after it; `decided` where an earlier run decided it."""

    products: tuple[ProcessedProduct, ...]
    checkpoint: Checkpoint
    decided: bool = False


class Engine(ABC):
    """What takes products through Figure 2, in this process or in several; `summary` is of the run that is under way.

    A run ends early where a signal has come to its `interruption`, with what was in flight then.
    """

    config: Config
    host: PluginHost
    summary: RunSummary
    interruption: Interruption | None = None

    def run(
        self, products: CheckedProducts | Iterable[Product | Mapping[str, Any]], *, base: Path | None = None
    ) -> Iterator[Outcome]:
        """Yield one outcome per record, in input order; relative uris are resolved against `base`."""
        for processed in self.process(products, base=base):
            yield processed.outcome

    def process(
        self, products: CheckedProducts | Iterable[Product | Mapping[str, Any]], *, base: Path | None = None
    ) -> Iterator[ProcessedProduct]:
        """Yield every outcome together with its product and decoded images: for reports."""
        for batch in self.process_batches(checked(products, base=base)):
            yield from batch.products

    def process_batches(
        self,
        records: CheckedProducts,
        *,
        after: Checkpoint = BEGINNING,
        decided: Iterable[Outcome] = (),
        with_images: bool = True,
    ) -> Generator[ProcessedBatch, None, None]:
        """Yield micro-batches with the state after each, from which another run can continue.

        `after` is the state in which an earlier run ended and `decided` its outcomes: they come first, with their images
        only if these are asked for. Raises `ResumeError` where the records do not begin with the same ones.
        """
        self.summary = RunSummary()
        outcomes = iter(decided)
        for earlier in decided_batches(records, after, self.config.run.batch_size):
            products = with_products(earlier, outcomes, self.config, with_images=with_images)
            for one in products:
                self.summary.add(one.outcome)
            yield ProcessedBatch(products, after, decided=True)
            if self.interrupted:
                return
        yield from self._undecided_batches(records, after, with_images=with_images)

    @property
    def interrupted(self) -> bool:
        """Whether a signal has asked the run to end."""
        return self.interruption is not None and self.interruption.signal is not None

    @abstractmethod
    def _undecided_batches(
        self, records: CheckedProducts, after: Checkpoint, *, with_images: bool
    ) -> Generator[ProcessedBatch, None, None]:
        """Yield the micro-batches of the records that are left, and count them in the summary."""


class Pipeline(Engine):
    """The AGPIS pipeline (paper Figure 2): `Pipeline().run(products)` yields one outcome per product.

    Models are loaded when the pipeline is made, and serve any number of runs. Raises `ConfigError` for settings that
    do not fit the plugins at hand. An `interruption` that listens lets the guard tell a user's KeyboardInterrupt from a
    component's; a `trace` is told what ran when.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        host: PluginHost | None = None,
        interruption: Interruption | None = None,
        trace: Trace | None = None,
    ) -> None:
        self.config = config or Config()
        self.host = host or PluginHost.load(self.config.plugins, components=self.config.components)
        self.interruption = interruption
        self.plan = make_plan(self.host, self.config)
        self.summary = RunSummary()
        self._run = assemble(self.host, self.config, self.plan, interruption)
        self._run.guard.trace = trace

    @property
    def guard(self) -> Guard:
        """Who has failed so far, and on how many items."""
        return self._run.guard

    def _undecided_batches(
        self, records: CheckedProducts, after: Checkpoint, *, with_images: bool
    ) -> Generator[ProcessedBatch, None, None]:
        """Yield micro-batches, each while the images of the next are decoded."""
        del with_images  # they are at hand
        count, digest = after.products, after.records
        with contextlib.closing(observed_batches(records, self._run, self.host, self.summary, after=after)) as batches:
            for pending in batches:
                processed = tuple(self._process_batch(pending))
                for one in processed:
                    self.summary.add(one.outcome)
                count += len(processed)
                digest = digest_of(pending.records, digest)
                yield ProcessedBatch(processed, self._checkpoint(count, digest))
                if self.interrupted:
                    return

    def _checkpoint(self, count: int, digest: str) -> Checkpoint:
        guard = self._run.guard
        return Checkpoint(
            products=count,
            records=digest,
            failures=dict(guard.failures),
            reasons=guard.last_reason,
            notes=self.summary.noted,
        )

    def _process_batch(self, pending: PendingBatch) -> Iterator[ProcessedProduct]:
        run = self._run
        started = time.perf_counter()
        batch = {progress.product.id: progress for progress in finish_decoding(pending, run.rules)}
        if run.guard.trace is not None:
            run.guard.trace.span("wait for images", started)
        self._read_suppressions(batch)
        outcomes = decide(run, batch, _through_figure_2)
        if run.guard.trace is not None:
            run.guard.trace.span("batch", started, products=len(batch))
        for record in pending.records:
            if isinstance(record, RejectedRecord):
                yield ProcessedProduct(None, rejected_outcome(record), {})
            else:
                yield ProcessedProduct(record, outcomes[record.id], batch[record.id].images)

    def _read_suppressions(self, batch: Batch) -> None:
        """Read what sellers have suppressed; a faulty list suppresses nothing and is noted in the summary."""
        for product_id, progress in batch.items():
            try:
                progress.suppressions = read_suppressions(progress.product, self._run.rules)
            except RecordError as error:
                self.summary.note({product_id: str(error)})


def with_products(
    records: Sequence[Record], outcomes: Iterator[Outcome], config: Config, *, with_images: bool
) -> tuple[ProcessedProduct, ...]:
    """Return records with their outcomes, and the images decoded once more if they are asked for."""
    images = decoded_images(records, config) if with_images else {}
    return tuple(
        ProcessedProduct(record, outcome, images.get(record.id, {}))
        if isinstance(record, Product)
        else ProcessedProduct(None, outcome, {})
        for record, outcome in zip(records, outcomes, strict=False)
    )


def _through_figure_2(run: Run, batch: Batch) -> None:
    """Take a micro-batch through the boxes of Figure 2, in their order."""
    if run.selector is None or run.builder is None:
        raise ValueError("a run needs a primary selector and a sequence builder")
    check_images(run, batch)
    remove_noncompliant(run, batch)
    check_images_at_cost(run, batch, run.config.sequence.fewest)
    select_primary(run, run.selector, batch)
    check_pairs(run, batch)
    remove_from_pairs(run, batch)
    choose_sequences(run, batch, build_sequences(run, run.builder, batch))
    hold_unjudged(run, batch)
    _tell_alternatives(run, batch)


def _tell_alternatives(run: Run, batch: Batch) -> None:
    """Let remedies name the image of the product that is the answer."""
    for progress in batch.values():
        chosen = progress.sequence.ids if progress.sequence else ()
        progress.findings = list(Alternatives(progress, run.rules, chosen).told())
