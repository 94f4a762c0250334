"""The outcomes of a run as a collection for notebooks: looked at, made into tables, saved as a report."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

from agpis_sdk.batches import batches
from agpis_sdk.components import DecodedImage, OutcomeReporter
from agpis_sdk.media.decision_rows import decision_row, decision_table
from agpis_sdk.media.products import CheckedProducts, checked
from agpis_sdk.pipeline.pipeline import Pipeline
from agpis_sdk.pipeline.stream import decoded_images
from agpis_sdk.record_html import html_table
from agpis_sdk.records import OUTCOME_HEADINGS, Outcome, Product, outcome_row
from agpis_sdk.report.thumbnails import REST_SIDE, make_thumbnail

SHOWN = 10

Processed = tuple[Product | None, Outcome]


class Results(Sequence[Outcome]):
    """The outcomes of a run in input order; the images are not kept in memory, but read again where they are shown."""

    def __init__(self, pipeline: Pipeline, processed: Iterable[Processed]) -> None:
        self._pipeline = pipeline
        self._processed = tuple(processed)

    @classmethod
    def of(
        cls,
        pipeline: Pipeline,
        products: CheckedProducts | Iterable[Product | Mapping[str, Any]],
        *,
        base: Path | None = None,
        progress: bool = False,
    ) -> Results:
        """Run a pipeline over products and collect its outcomes; `progress` shows a bar in a terminal or a notebook."""
        processed = []
        with _bar(shown=progress) as advance:
            for batch in pipeline.process_batches(checked(products, base=base), with_images=False):
                processed += [(one.product, one.outcome) for one in batch.products]
                advance(len(batch.products))
        return cls(pipeline, processed)

    def __len__(self) -> int:
        return len(self._processed)

    @overload
    def __getitem__(self, index: int) -> Outcome: ...
    @overload
    def __getitem__(self, index: slice) -> Results: ...
    def __getitem__(self, index: int | slice) -> Outcome | Results:
        """Return an outcome by its position, or several as a collection."""
        if isinstance(index, slice):
            return Results(self._pipeline, self._processed[index])
        return self._processed[index][1]

    def __repr__(self) -> str:
        statuses = [outcome.status for outcome in self]
        counts = ", ".join(f"{statuses.count(status)} {status}" for status in dict.fromkeys(statuses))
        return f"Results({counts})"

    def to_pandas(self) -> Any:
        """Return a `pandas.DataFrame`, a product a row."""
        import pandas

        return pandas.DataFrame([decision_row(outcome) for outcome in self])

    def to_arrow(self) -> Any:
        """Return a `pyarrow.Table`, a product a row; polars reads it with `polars.from_arrow`."""
        return decision_table(self)

    def save_report(self, path: Path | str) -> Path:
        """Write the report that `agpis run --report` writes, in the format that the ending of `path` names."""
        path, host, config = Path(path), self._pipeline.host, self._pipeline.config
        owned = host.reporter("outcomes", path.suffix.removeprefix("."), setting="save_report")
        reporter: OutcomeReporter = host.create(owned, config.components)
        reporter.start(path, path.stem, list(host.rules))
        try:
            for chunk in batches(self._processed, config.run.batch_size):
                images = self._images(chunk)
                for product, outcome in chunk:
                    reporter.add(product, outcome, images.get(outcome.product_id, {}))
            summary = self._pipeline.summary
            facts = {"seconds": summary.seconds, "images": summary.images, "threshold": config.sequence.threshold}
            reporter.finish(facts)
        except BaseException:
            reporter.discard()
            raise
        return path

    def _repr_html_(self) -> str:
        first = self._processed[:SHOWN]
        images = self._images(first)
        rows = [outcome_row(outcome, _sources(images.get(outcome.product_id, {}))) for _, outcome in first]
        more = f"<p>… and {len(self) - SHOWN:,} more</p>" if len(self) > SHOWN else ""
        return f"{html_table(OUTCOME_HEADINGS, rows)}{more}"

    def _images(self, processed: Sequence[Processed]) -> dict[str, dict[str, DecodedImage]]:
        return decoded_images([product for product, _ in processed if product is not None], self._pipeline.config)


def _sources(images: Mapping[str, DecodedImage]) -> dict[str, str]:
    return {
        image_id: make_thumbnail(image.pixels, image.original_width, image.original_height, REST_SIDE).data_uri()
        for image_id, image in images.items()
    }


@contextlib.contextmanager
def _bar(*, shown: bool) -> Iterator[Any]:
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, transient=True, disable=not shown) as progress:
        task = progress.add_task("products", total=None)
        yield lambda count: progress.advance(task, count)
