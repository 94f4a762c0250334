"""What runs on a node, or in a process of its own: one pipeline, which takes shard after shard. Nothing is raised: what went wrong is returned."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agpis_sdk.config import Config
from agpis_sdk.engines.shards import Failures, Receipt, Shard, ShardResult, given_up, lines_of, singly, together
from agpis_sdk.errors import AgpisError, ClusterError, ComponentError, in_words
from agpis_sdk.media.products import CheckedProducts
from agpis_sdk.media.sources.uris import LOCAL, ConfinedUri, scheme_of
from agpis_sdk.pipeline.checkpoint import BEGINNING, Checkpoint, Identity, Record, changes
from agpis_sdk.pipeline.guard import notices_of
from agpis_sdk.pipeline.interruption import Interruption
from agpis_sdk.pipeline.pipeline import Pipeline
from agpis_sdk.pipeline.plan import make_plan
from agpis_sdk.pipeline.weights_digest import weights_of
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Outcome, Product


@dataclass(frozen=True)
class WorkOrder:
    """What every worker is told: the settings themselves, where plugins are, and what it must have installed.

    `discover` is false where the built-in plugins alone are loaded; `installed` is None where the worker is on this machine.
    """

    config: Config
    discover: bool
    path: tuple[str, ...]
    installed: Identity | None


def import_path() -> tuple[str, ...]:
    """Return the folders from which plugins are loaded here: workers look for local ones there, too."""
    return tuple(str(Path(entry).resolve()) for entry in sys.path if isinstance(entry, str))


def installed_here(host: PluginHost, config: Config) -> Identity:
    """Return the versions and weights that outcomes depend on, as they are on this machine."""
    active = [status for status in host.statuses if status.state == "active"]
    return {
        "versions": {status.distribution: status.version for status in active},
        "weights": weights_of(make_plan(host, config).components(), host, config),
    }


class ShardWorker:
    """One pipeline and the books of what it does; `start` before the first shard."""

    def __init__(self, order: WorkOrder) -> None:
        self._order = order
        self._pipeline: Pipeline | None = None

    def start(self) -> AgpisError | None:
        """Load the plugins and models; return why that cannot be done here, None where it is done."""
        config = self._order.config
        sys.path += [folder for folder in self._order.path if folder not in sys.path]
        try:
            host = PluginHost.load(config.plugins, discover=self._order.discover, components=config.components)
            installed = self._order.installed
            differs = changes(installed, installed_here(host, config)) if installed is not None else []
            if differs:
                return ClusterError(
                    f"does not have what this machine has: {'; '.join(differs)}",
                    item=_node(),
                    remedy="install the same packages and files of weights on every node",
                )
            # Nobody presses a key here: a KeyboardInterrupt is a component's own.
            self._pipeline = Pipeline(config, host=host, interruption=Interruption())
        except AgpisError as error:
            return error
        except Exception as error:
            return ClusterError(f"cannot load the pipeline: {in_words(error)}", item=_node())
        return None

    def work(self, shard: Shard, before: Failures) -> ShardResult | AgpisError:
        """Return the outcomes of a shard, or why no record can be worked on here.

        Where the engine itself fails, records are taken one by one, and the product on which it fails is a failed one.
        """
        error = _out_of_reach(shard.records)
        if error is not None:
            return error
        try:
            return self._worked(shard, before)
        except Exception:
            return together(shard, [self._single(single, before) for single in singly(shard)])

    def _single(self, shard: Shard, before: Failures) -> ShardResult:
        try:
            return self._worked(shard, before)
        except Exception as error:
            fault = ComponentError(f"the engine failed: {in_words(error)}", remedy="tell its authors, with the product")
            return given_up(shard, before, str(fault))

    def _worked(self, shard: Shard, before: Failures) -> ShardResult:
        pipeline = self._pipeline
        if pipeline is None:
            raise RuntimeError("start comes first")
        outcomes: list[Outcome] = []
        state = BEGINNING.model_copy(update={"failures": dict(before.counts), "reasons": dict(before.reasons)})
        records = CheckedProducts(iter(shard.records))
        for batch in pipeline.process_batches(records, after=state, with_images=False):
            outcomes += [processed.outcome for processed in batch.products]
            state = batch.checkpoint
        return ShardResult(lines_of(outcomes), self._receipt(pipeline, shard, before, state))

    def _receipt(self, pipeline: Pipeline, shard: Shard, before: Failures, state: Checkpoint) -> Receipt:
        guard, summary = pipeline.guard, pipeline.summary
        said = {
            *notices_of(
                guard.failures,
                guard.last_reason,
                guard.unjudged,
                guard.last_unjudged,
                most_failures=pipeline.config.run.max_failures,
            ),
            *(notice for _, notice in summary.noted),
        }
        return Receipt(
            number=shard.number,
            products=len(shard.records),
            records=shard.digest,
            before=dict(before.counts),
            failed=state.failures,
            reasons=state.reasons,
            unjudged=dict(guard.unjudged),
            unjudged_reasons={label: guard.last_unjudged[label] for label in guard.unjudged},
            notes=summary.noted,
            notices=tuple(notice for notice in summary.notices if notice not in said),
            facts=summary.facts(),
        )


def _out_of_reach(records: Sequence[Record]) -> ClusterError | None:
    """Return an error where the folder of the products is not on this node: each image would be an unreadable one."""
    products = [record for record in records if isinstance(record, Product)]
    uris = [image.uri for product in products for image in product.images]
    folders = {uri.root for uri in uris if isinstance(uri, ConfinedUri) and scheme_of(uri) == LOCAL}
    missing = next((folder for folder in sorted(folders) if not folder.is_dir()), None)
    if missing is None:
        return None
    return ClusterError(
        f"does not have the folder of the products, {missing}",
        item=_node(),
        remedy="share it with every node, or name images by http(s) or in a store",
    )


def _node() -> str:
    return f"node {platform.node()}"
