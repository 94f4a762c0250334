"""Announces the HTML report."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.components import ReporterSpec
from agpis_sdk.hookspecs import hookimpl


@hookimpl
def agpis_reporters() -> Iterable[ReporterSpec]:
    """Announce the reporter for `--report FILE.html`."""
    yield ReporterSpec(name="html", factory="agpis_sdk.report.reporter:HtmlReporter")
