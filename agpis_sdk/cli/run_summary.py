"""What a run has done: for people on stderr, for programs in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from agpis_sdk.errors import OutputError
from agpis_sdk.wording import printable

if TYPE_CHECKING:
    from agpis_sdk.pipeline.summary import RunSummary
    from agpis_sdk.plugins import PluginHost


def write_log(path: Path, summary: RunSummary) -> None:
    """Write what a run has done, for programs."""
    from agpis_sdk.files import written_whole

    try:
        with written_whole(path) as unfinished:
            unfinished.write_text(json.dumps(summary.facts(), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror}", item=str(path)) from None


def print_summary(summary: RunSummary, host: PluginHost) -> None:
    """Print on stderr what a run has done, and what went wrong."""
    from rich.console import Console

    from agpis_sdk.report.summary_table import summary_table

    names = {rule.code: rule.name for rule in host.rules}
    console = Console(stderr=True)
    console.print(
        summary_table(
            summary.statuses,
            summary.rules,
            summary.seconds,
            images=summary.images,
            reasons={"none": summary.reasons, "hold": summary.hold_reasons},
            names=names,
            components=summary.component_seconds,
        )
    )
    for notice in (*summary.faults, *summary.notices):
        console.print(f"agpis: {printable(notice)}", style="yellow", markup=False, soft_wrap=True)
