"""The whole of Figure 2: products stream through in micro-batches, outcomes come out in input order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agpis_sdk.components import DecodedImage
from agpis_sdk.config import Config
from agpis_sdk.errors import RecordError
from agpis_sdk.media.products import CheckedProducts, RejectedRecord, checked
from agpis_sdk.pipeline.batch import Batch, PendingBatch, finish_decoding, rejected_outcome
from agpis_sdk.pipeline.image_pairs import check_pairs, remove_from_pairs
from agpis_sdk.pipeline.plan import make_plan
from agpis_sdk.pipeline.primary_image import select_primary
from agpis_sdk.pipeline.run import Run, assemble
from agpis_sdk.pipeline.scoring import choose_sequences
from agpis_sdk.pipeline.sequence import build_sequences
from agpis_sdk.pipeline.single_image import check_images, remove_noncompliant
from agpis_sdk.pipeline.stream import observed_batches
from agpis_sdk.pipeline.summary import RunSummary
from agpis_sdk.pipeline.suppressions import read_suppressions
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Outcome, Product


@dataclass(frozen=True)
class ProcessedProduct:
    """An outcome with what it was made from; `product` is None where the record was no product."""

    product: Product | None
    outcome: Outcome
    images: Mapping[str, DecodedImage]


class Pipeline:
    """The AGPIS pipeline (paper Figure 2): `Pipeline().run(products)` yields one outcome per product.

    Models are loaded when the pipeline is made, and serve any number of runs. Raises `ConfigError` for settings that
    do not fit the plugins at hand.
    """

    def __init__(self, config: Config | None = None, *, host: PluginHost | None = None) -> None:
        self.config = config or Config()
        self.host = host or PluginHost.load(self.config.plugins, components=self.config.components)
        self.plan = make_plan(self.host, self.config)
        self.summary = RunSummary()
        self._run = assemble(self.host, self.config, self.plan)

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
        self.summary = RunSummary()
        batches = observed_batches(checked(products, base=base), self._run, self.host, self.summary)
        for pending in batches:
            for processed in self._process_batch(pending):
                self.summary.add(processed.outcome)
                yield processed

    def _process_batch(self, pending: PendingBatch) -> Iterator[ProcessedProduct]:
        run = self._run
        batch = {progress.product.id: progress for progress in finish_decoding(pending, run.rules)}
        self._read_suppressions(batch)
        run.context.open_batch(progress.product for progress in batch.values())
        _through_figure_2(run, batch)
        for record in pending.records:
            if isinstance(record, RejectedRecord):
                yield ProcessedProduct(None, rejected_outcome(record), {})
            else:
                progress = batch[record.id]
                yield ProcessedProduct(record, progress.outcome(), progress.images)

    def _read_suppressions(self, batch: Batch) -> None:
        """Read what sellers have suppressed; a faulty list suppresses nothing and is noted in the summary."""
        for product_id, progress in batch.items():
            try:
                progress.suppressions = read_suppressions(progress.product, self._run.rules)
            except RecordError as error:
                self.summary.note({product_id: str(error)})


def _through_figure_2(run: Run, batch: Batch) -> None:
    """Take a micro-batch through the boxes of Figure 2, in their order."""
    if run.selector is None or run.builder is None:
        raise ValueError("a run needs a primary selector and a sequence builder")
    check_images(run, batch)
    remove_noncompliant(run, batch)
    select_primary(run, run.selector, batch)
    check_pairs(run, batch)
    remove_from_pairs(run, batch)
    choose_sequences(run, batch, build_sequences(run, run.builder, batch))
