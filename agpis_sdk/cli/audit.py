"""`agpis audit`: galleries as they stand, and what is wrong with them, as a linter prints it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from agpis_sdk.cli.exit_codes import DONE, DROPPED, INCOMPLETE
from agpis_sdk.cli.fix import Fixing
from agpis_sdk.cli.options import (
    OUTPUT,
    PRODUCTS,
    ConfigOption,
    FromOption,
    MapOption,
    NoPluginsOption,
    ProductsArgument,
    ProductsGiven,
    ProfileOption,
    SetOption,
    ShopOption,
    fail,
    print_dropped,
    settings,
)
from agpis_sdk.cli.streams import data_on_stdout
from agpis_sdk.cli.watch import Watched, WatchOption, keep_running
from agpis_sdk.errors import AgpisError, ConfigError, InputFileError, naming_output
from agpis_sdk.records import GalleryAudit
from agpis_sdk.wording import counted, printable

if TYPE_CHECKING:
    from agpis_sdk.components import AuditReporter
    from agpis_sdk.pipeline.audit import Audit
    from agpis_sdk.pipeline.interruption import Interruption
    from agpis_sdk.report.audit_statistics import AuditStatistics

STDOUT = "standard output"
SelectOption = Annotated[
    list[str] | None,
    typer.Option("--select", help="Only these rules: codes, names or prefixes, with commas; in place of rules.select."),
]
IgnoreOption = Annotated[
    list[str] | None, typer.Option("--ignore", help="Not these rules either: codes, names or prefixes, with commas.")
]


def audit(
    products: ProductsArgument,
    output_format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAME",
            help="How findings are printed on stdout: text, json, csv, github, sarif, or a format of a plugin.",
            rich_help_panel=OUTPUT,
        ),
    ] = "text",
    select: SelectOption = None,
    ignore: IgnoreOption = None,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="Show only findings that are not in it.", rich_help_panel=OUTPUT)
    ] = None,
    write_baseline: Annotated[
        Path | None,
        typer.Option(
            "--write-baseline",
            help="Write the current findings as a baseline, and exit with 0.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    statistics: Annotated[
        bool,
        typer.Option(
            "--statistics",
            help="Count by rule, seller (attributes.seller) and category on stderr.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    show_suppressed: Annotated[
        bool,
        typer.Option("--show-suppressed", help="Show what product records suppress, and why.", rich_help_panel=OUTPUT),
    ] = False,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Write fixed copies beside the originals as well, as `agpis fix` does.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    shop: ShopOption = None,
    overrides: SetOption = None,
    file_format: FromOption = None,
    mapping: MapOption = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Look at the first N products only.", rich_help_panel=PRODUCTS)
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No summary.", rich_help_panel=OUTPUT)] = False,
    no_plugins: NoPluginsOption = False,
    watch: WatchOption = False,
) -> None:
    """Report what is wrong with each gallery as listed; exit with 1 where a finding has the severity "error"."""
    from agpis_sdk.report.baseline import read_baseline
    from agpis_sdk.report.baseline import write_baseline as save_baseline

    given = ProductsGiven(products, file_format, mapping, limit)
    overrides = [*(overrides or ()), *_rule_overrides(select, ignore)]
    if watch:
        keep_running(Watched(given, lambda: settings(config, overrides, profile, shop=shop, no_plugins=no_plugins)))
    with data_on_stdout() as stdout:
        known = read_baseline(baseline) if baseline is not None else frozenset()
        if write_baseline is not None and not write_baseline.resolve().parent.is_dir():
            raise fail(ConfigError("the folder does not exist", item=str(write_baseline), remedy="make it first"))
        loaded, host = settings(config, overrides, profile, shop=shop, no_plugins=no_plugins)
        records = given.read(loaded, host)
        announced = host.reporter("audits", output_format, setting="--format")
        # Everything above answers at once; from here on models are loaded.
        from agpis_sdk.pipeline.audit import Audit
        from agpis_sdk.pipeline.interruption import Interruption
        from agpis_sdk.report.audit_statistics import AuditStatistics

        with Interruption().listening() as interruption:
            reporter: AuditReporter = host.create(announced, loaded.config.components)
            auditor = Audit(loaded.config, host=host, interruption=interruption)
            counts, standing = AuditStatistics(), set[str]()
            judged = auditor.run(records)
            fixing = Fixing(host, loaded.config) if fix else None
            galleries = _fresh(_fixed(judged, fixing), counts, standing, known=known, show_suppressed=show_suppressed)
            source = "stdin" if products == "-" else products
            with naming_output(STDOUT):
                reporter.start(stdout, source, auditor.reported_rules)
            stopped = _report(reporter, galleries, interruption, stdout)
            judged.close()
    if not quiet:
        _print_summary(auditor, counts, statistics=statistics)
    if fixing is not None and not quiet:
        typer.echo(fixing.summary, err=True)
    print_dropped(auditor.summary.dropped)
    if stopped is not None:
        raise stopped
    if write_baseline is not None:
        with naming_output(str(write_baseline)):
            save_baseline(write_baseline, standing)
    code = _exit_code(auditor, counts, blocks=write_baseline is None)
    if code == DONE and fixing is not None and fixing.counts["failed"]:
        code = INCOMPLETE
    if code:
        raise typer.Exit(code)


def _fixed(judged: Iterable[GalleryAudit], fixing: Fixing | None) -> Iterator[GalleryAudit]:
    """Yield galleries as they come; where copies are asked for, write those of each and say so on stderr."""
    for gallery in judged:
        for written in fixing.write(gallery) if fixing is not None else ():
            typer.echo(written.line, err=True)
        yield gallery


def _fresh(
    judged: Iterable[GalleryAudit],
    counts: AuditStatistics,
    standing: set[str],
    *,
    known: frozenset[str],
    show_suppressed: bool,
) -> Iterator[GalleryAudit]:
    """Yield galleries with the findings that are to be printed; count them, and collect the fingerprints of all."""
    for gallery in judged:
        standing.update(finding.fingerprint for finding in gallery.findings if finding.suppressed is None)
        fresh = gallery.keep(lambda finding: finding.fingerprint not in known or finding.suppressed is not None)
        counts.known += len(gallery.findings) - len(fresh.findings)
        counts.add(fresh)
        yield fresh if show_suppressed else fresh.keep(lambda finding: finding.suppressed is None)


def _report(
    reporter: AuditReporter, galleries: Iterator[GalleryAudit], interruption: Interruption, stdout: TextIO
) -> AgpisError | typer.Exit | None:
    """Print galleries, and what comes last even where the audit breaks off; return what broke it off.

    What is printed stays whole JSON or SARIF then, and holds an error that says so: silence would mean that the rest is
    fine.
    """
    stopped: AgpisError | typer.Exit | None = None
    try:
        for gallery in galleries:
            with naming_output(STDOUT):
                reporter.add(gallery)
            if interruption.signal is not None:
                stopped = typer.Exit(interruption.exit_code)
                why = f"the audit was interrupted by {interruption.signal.name}; what follows was not looked at"
                break
    except InputFileError as error:
        stopped, why = error, str(error)
    with naming_output(STDOUT):
        if stopped is not None:
            reporter.add(GalleryAudit(product_id="input", error=why))
        reporter.finish()
        stdout.flush()
    return stopped


def _exit_code(audit: Audit, counts: AuditStatistics, *, blocks: bool) -> int:
    if audit.summary.dropped:
        return DROPPED
    incomplete = audit.summary.failed or (counts.total.errors > 0 and blocks)
    return INCOMPLETE if incomplete else DONE


def _rule_overrides(select: list[str] | None, ignore: list[str] | None) -> list[str]:
    """Turn the two options into settings: `--select` replaces what the config selects, `--ignore` adds to it."""
    chosen, ignored = _entries(select), _entries(ignore)
    overrides = [f"rules.select={json.dumps(chosen)}"] if select else []
    # As an inline table, so that an entry with a dot or an equals sign is refused as a rule, not read as a key.
    table = ", ".join(f'{json.dumps(entry)} = "--ignore"' for entry in ignored)
    return [*overrides, f"rules.ignore={{{table}}}"] if ignored else overrides


def _entries(option: list[str] | None) -> list[str]:
    return [entry.strip() for text in option or () for entry in text.split(",") if entry.strip()]


def _print_summary(audit: Audit, counts: AuditStatistics, *, statistics: bool) -> None:
    from rich.console import Console

    console = Console(stderr=True)
    if statistics:
        console.print(counts.tables())
        console.print()
    console.print(_summary(audit, counts), markup=False, highlight=False, soft_wrap=True)
    for notice in audit.summary.notices:
        console.print(f"agpis: {printable(notice)}", style="yellow", markup=False, soft_wrap=True)


def _summary(audit: Audit, counts: AuditStatistics) -> str:
    """Return the last line: "3 errors, 1 warning in 2 of 16 products (80 images) · 1 suppressed"."""
    summary, total = audit.summary, counts.total
    found = f"{counted(total.errors, 'error')}, {counted(total.warnings, 'warning')}"
    looked_at = f"{total.products:,} of {counted(summary.products, 'product')} ({counted(summary.images, 'image')})"
    parts = [f"{found} in {looked_at} in {summary.seconds:.1f} s"]
    if counts.suppressed:
        parts.append(f"{counts.suppressed:,} suppressed")
    if counts.known:
        parts.append(f"{counts.known:,} known from the baseline")
    if summary.faulty:
        parts.append(f"{counted(summary.faulty, 'faulty record')}")
    return " · ".join(parts)
