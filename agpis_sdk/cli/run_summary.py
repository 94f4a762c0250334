"""What a run has done, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agpis_sdk.wording import printable

if TYPE_CHECKING:
    from agpis_sdk.pipeline.summary import RunSummary
    from agpis_sdk.plugins import PluginHost


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
