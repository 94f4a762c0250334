"""`agpis audit`: galleries as they stand, and what is wrong with them, as a linter prints it."""

from __future__ import annotations

import json
import sys
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
    settings,
)
from agpis_sdk.errors import ConfigError
from agpis_sdk.wording import counted, printable

if TYPE_CHECKING:
    from agpis_sdk.components import AuditReporter
    from agpis_sdk.pipeline.audit import Audit
    from agpis_sdk.report.audit_statistics import AuditStatistics

SelectOption = Annotated[
    list[str] | None,
    typer.Option("--select", help="Only these rules: codes, names or prefixes, with commas; in place of rules.select."),
]
IgnoreOption = Annotated[
    list[str] | None, typer.Option("--ignore", help="Not these rules either: codes, names or prefixes, with commas.")
]


def audit(
    products: Annotated[str, typer.Argument(help="Products: .jsonl, .jsonl.gz or .parquet; - is stdin.")],
    output_format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAME",
            help="How findings are printed on stdout: text, json, csv, github, sarif, or a format of a plugin.",
        ),
    ] = "text",
    select: SelectOption = None,
    ignore: IgnoreOption = None,
    baseline: Annotated[Path | None, typer.Option("--baseline", help="Show only findings that are not in it.")] = None,
    write_baseline: Annotated[
        Path | None, typer.Option("--write-baseline", help="Write the current findings as a baseline, and exit with 0.")
    ] = None,
    statistics: Annotated[
        bool, typer.Option("--statistics", help="Count by rule, seller (attributes.seller) and category on stderr.")
    ] = False,
    show_suppressed: Annotated[
        bool, typer.Option("--show-suppressed", help="Show what product records suppress, and why.")
    ] = False,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    shop: ShopOption = None,
    overrides: SetOption = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Look at the first N products only.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No summary.")] = False,
    no_plugins: NoPluginsOption = False,
) -> None:
    """Report what is wrong with each gallery as listed; exit with 1 where a finding has the severity "error"."""
    from agpis_sdk.media.products import read_products
    from agpis_sdk.report.baseline import read_baseline
    from agpis_sdk.report.baseline import write_baseline as write

    records = read_products(products, limit=limit)
    known = read_baseline(baseline) if baseline is not None else frozenset()
    if write_baseline is not None and not write_baseline.resolve().parent.is_dir():
        raise fail(ConfigError("the folder does not exist", item=str(write_baseline), remedy="make it first"))
    overrides = [*(overrides or ()), *_rule_overrides(select, ignore)]
    loaded, host = settings(config, overrides, profile, shop=shop, no_plugins=no_plugins)
    announced = host.reporter("audits", output_format, setting="--format")
    # Everything above answers at once; from here on models are loaded.
    from agpis_sdk.pipeline.audit import Audit
    from agpis_sdk.report.audit_statistics import AuditStatistics

    reporter: AuditReporter = host.create(announced, loaded.config.components)
    auditor, counts, standing = Audit(loaded.config, host=host), AuditStatistics(), set[str]()
    reporter.start(sys.stdout, "stdin" if products == "-" else products, auditor.reported_rules)
    for gallery in auditor.run(records):
        if write_baseline is not None:
            standing.update(finding.fingerprint for finding in gallery.findings if finding.suppressed is None)
        fresh = gallery.keep(lambda finding: finding.fingerprint not in known or finding.suppressed is not None)
        counts.known += len(gallery.findings) - len(fresh.findings)
        counts.add(fresh)
        reporter.add(fresh if show_suppressed else fresh.keep(lambda finding: finding.suppressed is None))
    reporter.finish()
    if write_baseline is not None:
        write(write_baseline, standing)
    if not quiet:
        _print_summary(auditor, counts, statistics=statistics)
    blocked = counts.total.errors > 0 and write_baseline is None
    if blocked or auditor.summary.failed:
        raise typer.Exit(1)


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
