"""How far a run is, on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agpis_sdk.pipeline.pipeline import Engine, ProcessedBatch
    from agpis_sdk.pipeline.summary import RunSummary

COUNT_LINES_UP_TO = 1_000_000_000


def with_progress(
    engine: Engine, batches: Iterator[ProcessedBatch], products: str, limit: int | None, *, shown: bool
) -> Iterator[ProcessedBatch]:
    """Pass batches on, and show on stderr how far the run is."""
    if not shown:
        yield from batches
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[counts]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("products", total=_count(products, limit), speed="", counts="")
        for batch in batches:
            yield batch
            summary = engine.summary
            speed = f"{summary.products / max(summary.seconds, 1e-9):.1f}/s"
            progress.update(task, advance=len(batch.products), speed=speed, counts=_counts(summary))


def _counts(summary: RunSummary) -> str:
    return " · ".join(f"{status} {summary.statuses[status]}" for status in ("submit", "hold", "none", "failed"))


def _count(products: str, limit: int | None) -> int | None:
    """Return how many products there are where that is cheap to know."""
    path = Path(products)
    if products == "-" or "://" in products or path.suffix != ".jsonl" or path.stat().st_size > COUNT_LINES_UP_TO:
        return limit
    with path.open("rb") as stream:
        lines = sum(1 for line in stream if line.strip())
    return min(lines, limit) if limit else lines
