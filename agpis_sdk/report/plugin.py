"""Announces the HTML report of a run, and the formats of an audit."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.components import ReporterSpec
from agpis_sdk.hookspecs import hookimpl
from agpis_sdk.report.config import HtmlConfig

AUDIT_REPORTERS = {
    "text": "agpis_sdk.report.audit_text:TextReporter",
    "json": "agpis_sdk.report.audit_data:JsonReporter",
    "csv": "agpis_sdk.report.audit_data:CsvReporter",
    "github": "agpis_sdk.report.audit_github:GithubReporter",
    "sarif": "agpis_sdk.report.audit_sarif:SarifReporter",
}


@hookimpl
def agpis_reporters() -> Iterable[ReporterSpec]:
    """Announce the reporter for `agpis run --report FILE.html`, and those for `agpis audit --format NAME`."""
    yield ReporterSpec(name="html", factory="agpis_sdk.report.html:HtmlReporter", config=HtmlConfig)
    for name, factory in AUDIT_REPORTERS.items():
        yield ReporterSpec(name=f"audit-{name}", format=name, factory=factory, reports="audits")
