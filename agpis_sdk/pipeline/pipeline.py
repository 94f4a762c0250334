"""The whole of Figure 2: products stream through in micro-batches, outcomes come out in input order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agpis_sdk.components import DecodedImage
from agpis_sdk.config import Config
from agpis_sdk.media.products import CheckedProducts, RejectedRecord, checked
from agpis_sdk.pipeline.batch import PendingBatch, finish_decoding, rejected_outcome
from agpis_sdk.pipeline.context import RunContext
from agpis_sdk.pipeline.invoke import Component, Invoker
from agpis_sdk.pipeline.plan import Plan, make_plan, thresholds
from agpis_sdk.pipeline.scoring import Scoring
from agpis_sdk.pipeline.stage1 import Stage1
from agpis_sdk.pipeline.stage2 import Stage2
from agpis_sdk.pipeline.stream import noted_batches
from agpis_sdk.pipeline.summary import RunSummary
from agpis_sdk.plugins import OwnedSpec, PluginHost
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
        self.host = host or PluginHost.load(self.config.plugins)
        self.plan: Plan = make_plan(self.host, self.config)
        self.summary = RunSummary()
        backbone = self._create(self.plan.backbone)
        self._context = RunContext(self.config, self.host.rules, backbone.instance if backbone else None)
        self._invoker = Invoker(self._context, self.config.run.max_failures)
        self._rules = self.host.rules.with_severities(self.config.rules.severities)
        limits = thresholds(self._rules, self.config)
        scorer = self._create(self.plan.scorer)
        if scorer is not None:
            self._context.score_with(Scoring(scorer, self._invoker, self._context).p_qualified)
        shared = (self.config, self._rules, limits, self._context, self._invoker)
        self._stage1 = Stage1(
            *shared,
            backbone=backbone,
            image_checkers=[self._make(owned) for owned in self.plan.image_checkers],
            pair_checkers=[self._make(owned) for owned in self.plan.pair_checkers],
            selector=self._make(self.plan.selector),
            builder=self._make(self.plan.builder),
        )
        self._stage2 = Stage2(
            *shared,
            checkers=[self._make(owned) for owned in self.plan.sequence_checkers],
            scorer=scorer,
        )

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
        batches = noted_batches(
            checked(products, base=base), self.config, self.summary,
            host=self.host, invoker=self._invoker, context=self._context,
        )  # fmt: skip
        for pending in batches:
            for processed in self._process_batch(pending):
                self.summary.add(processed.outcome)
                yield processed

    def _process_batch(self, pending: PendingBatch) -> Iterator[ProcessedProduct]:
        batch = {progress.product.id: progress for progress in finish_decoding(pending, self._rules)}
        self._context.open_batch(progress.product for progress in batch.values())
        self._stage2.run(batch, self._stage1.run(batch))
        for record in pending.records:
            if isinstance(record, RejectedRecord):
                yield ProcessedProduct(None, rejected_outcome(record), {})
            else:
                progress = batch[record.id]
                yield ProcessedProduct(record, progress.outcome(), progress.images)

    def _make(self, owned: OwnedSpec) -> Component:
        return Component(owned, self.host.create(owned, self.config.components, device=self.config.run.device))

    def _create(self, owned: OwnedSpec | None) -> Component | None:
        return self._make(owned) if owned else None
