"""`agpis run`: products in, one outcome a line out."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from agpis_sdk.cli.exit_codes import DONE, DROPPED, INCOMPLETE, REFUSED
from agpis_sdk.cli.exports import export_of, print_lines
from agpis_sdk.cli.observing import check_metrics, traced, write_figures
from agpis_sdk.cli.options import (
    OUTPUT,
    PRODUCTS,
    ConfigOption,
    FromOption,
    HeldOption,
    MapOption,
    NoPluginsOption,
    ProductsArgument,
    ProductsGiven,
    ProfileOption,
    SetOption,
    ShopOption,
    print_dropped,
    print_notice,
    settings,
)
from agpis_sdk.cli.outputs import STDIO, OutcomeSink, OutcomeStream, check_places, refusing_outputs
from agpis_sdk.cli.progress import with_progress
from agpis_sdk.cli.ray_engine import AUTO, LOCAL, AddressOption, EngineOption, check_engine, run_on_ray
from agpis_sdk.cli.run_report import RunReport, reporter_of
from agpis_sdk.cli.run_summary import print_summary
from agpis_sdk.cli.streams import data_on_stdout
from agpis_sdk.cli.watch import Watched, WatchOption, keep_running
from agpis_sdk.cores import available_cores
from agpis_sdk.errors import ConfigError, InputFileError, OutputError
from agpis_sdk.wording import counted

if TYPE_CHECKING:
    from agpis_sdk.config import Config
    from agpis_sdk.media.products import CheckedProducts
    from agpis_sdk.pipeline.interruption import Interruption
    from agpis_sdk.pipeline.pipeline import Engine
    from agpis_sdk.pipeline.summary import RunSummary
    from agpis_sdk.pipeline.trace import Trace
    from agpis_sdk.plugins import PluginHost

LONG = 60.0  # seconds from which on a run is worth sharing
STDOUT_PATHS = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


def run(
    products: ProductsArgument,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            help="Outcomes, one JSON object a line; - is stdout. With --engine ray the folder of their shards.",
            rich_help_panel=OUTPUT,
        ),
    ] = "-",
    report: Annotated[
        Path | None, typer.Option("--report", help="Write an HTML report for people.", rich_help_panel=OUTPUT)
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue the run that left OUTPUT.partial, or a folder of shards; begin anew where there is none.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    export: Annotated[
        str | None,
        typer.Option(
            "--export",
            metavar="FORMAT",
            help="Write the decisions beside OUTPUT too, as `agpis apply --to`.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    held: HeldOption = False,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    shop: ShopOption = None,
    overrides: SetOption = None,
    file_format: FromOption = None,
    mapping: MapOption = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Look at the first N products only.", rich_help_panel=PRODUCTS)
    ] = None,
    engine: EngineOption = LOCAL,
    address: AddressOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary.", rich_help_panel=OUTPUT)] = False,
    log_json: Annotated[
        Path | None,
        typer.Option(
            "--log-json",
            help="Write counts, failures, and seconds by component as a JSON object.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    metrics: Annotated[
        Path | None,
        typer.Option("--metrics", help="Write them as Prometheus metrics (extra metrics).", rich_help_panel=OUTPUT),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option("--trace", help="Write what ran when, for Perfetto or chrome://tracing.", rich_help_panel=OUTPUT),
    ] = None,
    no_plugins: NoPluginsOption = False,
    watch: WatchOption = False,
) -> None:
    """Choose an image sequence for each product, with p^t and every violation found."""
    output = STDIO if output in STDOUT_PATHS else output
    given = ProductsGiven(products, file_format, mapping, limit)
    if watch:
        keep_running(Watched(given, lambda: settings(config, overrides, profile, shop=shop, no_plugins=no_plugins)))
    with data_on_stdout() as stdout:
        loaded, host = settings(config, overrides, profile, shop=shop, no_plugins=no_plugins)
        check_metrics(metrics)
        if check_engine(engine, address, output, report, export, trace):
            check_places(products, lambda: given.read(loaded, host), log_json, metrics)
            code = run_on_ray(
                given, output, address or AUTO, loaded, host, resume=resume, discover=not no_plugins, quiet=quiet,
                log_json=log_json, metrics=metrics,
            )  # fmt: skip
            raise typer.Exit(code)
        records = given.read(loaded, host)
        places = (output, report, log_json, metrics, trace)
        check_places(products, lambda: given.read(loaded, host), *places)
        if products == STDIO:
            records = refusing_outputs(records, *places)
        if report is not None:
            reporter_of(report, host)
        way_out = export_of(export, output, loaded, host, held=held)
        from agpis_sdk.pipeline.interruption import Interruption

        with (
            _sink(products, limit, output, loaded.config, host, stdout, resume=resume) as sink,
            Interruption().listening() as interruption,
            traced(trace) as spans,
        ):
            # Everything above answers at once; from here on models are loaded.
            local = _local_engine(loaded.config, host, interruption, spans, discover=not no_plugins)
            # A bar and data would write over each other on one terminal.
            bar = not quiet and sys.stderr.isatty() and not (output == STDIO and stdout.isatty())
            code = _process(local, records, sink, products, limit, report, quiet=quiet, bar=bar)
            write_figures(local.summary, log_json=log_json, metrics=metrics)
        if way_out is not None and code in (DONE, INCOMPLETE):
            print_lines(way_out.write(records.source))
    if code:
        raise typer.Exit(code)


def _local_engine(
    config: Config, host: PluginHost, interruption: Interruption, trace: Trace | None, *, discover: bool
) -> Engine:
    """Return the pipeline in this process, or what shares its work among several."""
    from agpis_sdk.engines.parallel_run import ParallelRun
    from agpis_sdk.pipeline.pipeline import Pipeline

    workers = config.run.workers or available_cores()
    if workers == 1:
        return Pipeline(config, host=host, interruption=interruption, trace=trace)
    if trace is not None:
        raise ConfigError("is of one process", item="--trace", remedy="set run.workers=1")
    return ParallelRun(config, workers, host=host, interruption=interruption, discover=discover, notify=print_notice)


@contextlib.contextmanager
def _sink(
    products: str, limit: int | None, output: str, config: Config, host: PluginHost, stdout: TextIO, *, resume: bool
) -> Iterator[OutcomeSink]:
    """Open where outcomes go: a file of its own, or standard output, a pipe or a device as a stream."""
    path = Path(output)
    if output != STDIO and (path.is_file() or not path.exists()):
        from agpis_sdk.pipeline.checkpoint import identity_of
        from agpis_sdk.pipeline.outcome_file import OutcomeFile
        from agpis_sdk.pipeline.plan import make_plan

        identity = identity_of(products, limit, config, host, make_plan(host, config))
        sink: OutcomeSink = OutcomeFile(path, identity, resume=resume)
    elif resume:
        raise ConfigError("cannot be resumed", item=f"-o {output}", remedy="name a file with -o")
    elif output == STDIO:
        sink = OutcomeStream(stdout, "standard output", closes=False)
    else:
        try:
            sink = OutcomeStream(path.open("w", encoding="utf-8"), output, closes=True)
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror}", item=output) from None
    with contextlib.closing(sink):
        yield sink


def _process(
    engine: Engine,
    records: CheckedProducts,
    sink: OutcomeSink,
    products: str,
    limit: int | None,
    report: Path | None,
    *,
    quiet: bool,
    bar: bool,
) -> int:
    """Take all products through the engine, and return the exit code."""
    written = RunReport(report, engine, products) if report is not None else None
    batches = engine.process_batches(
        records, after=sink.checkpoint, decided=sink.decided(), with_images=written is not None
    )
    try:
        with contextlib.closing(batches):
            for batch in with_progress(engine, batches, products, limit, shown=bar):
                if not batch.decided:
                    sink.write([processed.outcome for processed in batch.products], batch.checkpoint)
                if written is not None:
                    written.add(batch.products)
            interruption = engine.interruption if engine.interrupted else None  # one that comes later ends nothing
            if interruption is None:
                sink.finish()
                if written is not None:
                    written.finish(engine)
    except BaseException as error:
        if written is not None:
            written.discard()
        if isinstance(error, InputFileError) and sink.unfinished is not None:
            typer.echo(f"agpis: the outcomes until there are in {sink.unfinished}", err=True)
        raise
    if interruption is not None and written is not None:
        written.discard()
    return _conclude(engine, written, interruption, sink, quiet=quiet)


def _conclude(
    engine: Engine,
    report: RunReport | None,
    interruption: Interruption | None,
    sink: OutcomeSink,
    *,
    quiet: bool,
) -> int:
    """Print what people must know, and return the exit code."""
    summary = engine.summary
    if not quiet:
        print_summary(summary, engine.host)
    print_dropped(summary.dropped)
    failure = report.failure if report is not None else None
    if failure is not None:
        typer.echo(f"agpis: {failure}", err=True)
    if interruption is not None:
        _print_interruption(interruption, summary, sink)
        return interruption.exit_code
    if report is not None and failure is None and not quiet:
        typer.echo(f"report: {report.path}", err=True)
    if not quiet:
        _print_idle_cores(engine)
    if isinstance(failure, OutputError):
        return REFUSED
    if summary.dropped or failure is not None:
        return DROPPED
    return INCOMPLETE if summary.failed else DONE


def _print_idle_cores(engine: Engine) -> None:
    """Tell after a long run in one process that others could have shared it."""
    cores = available_cores()
    if engine.config.run.workers == 1 and engine.summary.seconds > LONG and cores > 1:
        print_notice(f"--set run.workers=0 shares a run among the {cores} cores of this machine")


def _print_interruption(interruption: Interruption, summary: RunSummary, sink: OutcomeSink) -> None:
    name = interruption.signal.name if interruption.signal is not None else ""
    typer.echo(f"agpis: {name} after {counted(summary.products, 'product')}", err=True)
    if sink.unfinished is None:
        typer.echo("agpis: this run cannot be resumed; one with -o FILE can", err=True)
    else:
        command = ["agpis", *sys.argv[1:], *([] if "--resume" in sys.argv else ["--resume"])]
        typer.echo(f"agpis: to continue: {shlex.join(command)}", err=True)
