"""`agpis run`: products in, one outcome a line out."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agpis_sdk.cli.options import (
    ConfigOption,
    NoPluginsOption,
    ProfileOption,
    SetOption,
    ShopOption,
    fail,
    opened,
    settings,
)
from agpis_sdk.errors import ConfigError

if TYPE_CHECKING:
    from agpis_sdk.components import OutcomeReporter
    from agpis_sdk.pipeline.pipeline import Pipeline, ProcessedProduct
    from agpis_sdk.pipeline.summary import RunSummary
    from agpis_sdk.plugins import OwnedSpec, PluginHost

COUNT_LINES_UP_TO = 1_000_000_000


def run(
    products: Annotated[str, typer.Argument(help="Products: .jsonl, .jsonl.gz or .parquet; - is stdin.")],
    output: Annotated[str, typer.Option("-o", "--output", help="Outcomes, one JSON object a line; - is stdout.")] = "-",
    report: Annotated[Path | None, typer.Option("--report", help="Write an HTML report for people.")] = None,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    shop: ShopOption = None,
    overrides: SetOption = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Look at the first N products only.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary.")] = False,
    no_plugins: NoPluginsOption = False,
) -> None:
    """Choose an image sequence for each product, with p^t and every violation found."""
    from agpis_sdk.media.products import read_products

    records = read_products(products, limit=limit)
    loaded, host = settings(config, overrides, profile, shop=shop, no_plugins=no_plugins)
    _check_outputs(products, output, report)
    if report is not None:
        _reporter_of(report, host)
    # Everything above answers at once; from here on models are loaded.
    from agpis_sdk.pipeline.pipeline import Pipeline

    pipeline = Pipeline(loaded.config, host=host)
    with opened(output) as stream, _reporting(report, pipeline, products) as reporters:
        for processed in _with_progress(pipeline, pipeline.process(records), products, limit, quiet=quiet):
            stream.write(processed.outcome.model_dump_json() + "\n")
            for reporter in reporters:
                reporter.add(processed.product, processed.outcome, processed.images)
    if not quiet:
        _print_summary(pipeline, report)
    if pipeline.summary.failed:
        raise typer.Exit(1)


def _check_outputs(products: str, output: str, report: Path | None) -> None:
    for path in [Path(output)] * (output != "-") + [report] * (report is not None):
        if path is None:
            continue
        if not path.resolve().parent.is_dir():
            raise fail(ConfigError("the folder does not exist", item=str(path), remedy="make it first"))
        if products != "-" and path.resolve() == Path(products).resolve():
            raise fail(ConfigError("is the input itself", item=str(path), remedy="name another file"))


def _reporter_of(report: Path, host: PluginHost) -> OwnedSpec:
    return host.reporter("outcomes", report.suffix.removeprefix("."), setting="--report")


@contextlib.contextmanager
def _reporting(report: Path | None, pipeline: Pipeline, title: str) -> Iterator[list[OutcomeReporter]]:
    """Start the report that the file's ending names, and finish or discard it."""
    if report is None:
        yield []
        return
    host = pipeline.host
    reporter: OutcomeReporter = host.create(_reporter_of(report, host), pipeline.config.components)
    reporter.start(report, title, list(host.rules))
    try:
        yield [reporter]
    except BaseException:
        reporter.discard()
        raise
    summary = pipeline.summary
    threshold = pipeline.config.sequence.threshold
    reporter.finish({"seconds": summary.seconds, "images": summary.images, "threshold": threshold})


def _with_progress(
    pipeline: Pipeline, processed: Iterator[ProcessedProduct], products: str, limit: int | None, *, quiet: bool
) -> Iterator[ProcessedProduct]:
    """Pass products on, and show on stderr how far the run is."""
    if quiet or not sys.stderr.isatty():
        yield from processed
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
        for item in processed:
            yield item
            summary = pipeline.summary
            speed = f"{summary.products / max(summary.seconds, 1e-9):.1f}/s"
            progress.update(task, advance=1, speed=speed, counts=_counts(summary))


def _counts(summary: RunSummary) -> str:
    return " · ".join(f"{status} {summary.statuses[status]}" for status in ("submit", "hold", "none", "failed"))


def _count(products: str, limit: int | None) -> int | None:
    """Return how many products there are where that is cheap to know."""
    path = Path(products)
    if products == "-" or path.suffix != ".jsonl" or path.stat().st_size > COUNT_LINES_UP_TO:
        return limit
    with path.open("rb") as stream:
        lines = sum(1 for line in stream if line.strip())
    return min(lines, limit) if limit else lines


def _print_summary(pipeline: Pipeline, report: Path | None) -> None:
    from rich.console import Console

    from agpis_sdk.report.summary_table import summary_table

    summary = pipeline.summary
    names = {rule.code: rule.name for rule in pipeline.host.rules}
    console = Console(stderr=True)
    console.print(
        summary_table(
            summary.statuses,
            summary.rules,
            summary.seconds,
            images=summary.images,
            reasons={"none": summary.reasons},
            names=names,
        )
    )
    for notice in summary.notices:
        console.print(f"agpis: {notice}", style="yellow", markup=False)
    if report is not None:
        console.print(f"report: {report}", markup=False, soft_wrap=True)
