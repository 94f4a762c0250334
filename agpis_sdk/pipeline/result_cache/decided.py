"""Products whose whole outcome is known from an earlier run are not looked at again."""

from __future__ import annotations

from collections.abc import Callable

from agpis_sdk.images import DecodedImage, ImagePair, ImageSequence, SequenceCandidates
from agpis_sdk.pipeline.batch import Batch
from agpis_sdk.pipeline.run import Run
from agpis_sdk.records import Outcome

LABEL = "whole products"


def decide(run: Run, batch: Batch, figure_2: Callable[[Run, Batch], None]) -> dict[str, Outcome]:
    """Return the outcomes of a micro-batch by product id: kept ones, and those of taking products through `figure_2`."""
    if run.cache is None:
        return _computed(run, batch, figure_2)
    read = {name: (progress.product, list(progress.images.values())) for name, progress in batch.items()}
    # A component that was dropped would have been skipped on the products that are known, too.
    known = {} if run.guard.dropped_labels() else run.cache.outcomes(read)
    outcomes = _computed(run, {name: one for name, one in batch.items() if name not in known}, figure_2)
    if known and run.guard.dropped_at:
        names = list(batch)
        first = min(names.index(_product_of(item)) for item in run.guard.dropped_at.values())
        later = {name: batch[name] for name in names[first + 1 :] if name in known}
        outcomes |= _computed(run, later, figure_2)
    whole = {name: one for name, one in outcomes.items() if not batch[name].unjudged}
    if not run.guard.dropped_labels():
        run.cache.keep_outcomes(read, whole)
    run.guard.cached[LABEL] += len(known)
    return known | outcomes


def _computed(run: Run, batch: Batch, figure_2: Callable[[Run, Batch], None]) -> dict[str, Outcome]:
    run.context.open_batch(progress.product for progress in batch.values())
    figure_2(run, batch)
    return {name: progress.outcome() for name, progress in batch.items()}


def _product_of(item: object) -> str:
    """Return the id of the product that an item of a component is about."""
    match item:
        case DecodedImage():
            return item.product_id
        case ImagePair():
            return item.first.product_id
        case ImageSequence() | SequenceCandidates():
            return item.product.id
    raise TypeError(f"{type(item).__name__} is no item of a component")
