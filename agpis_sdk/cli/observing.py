"""What an operator watches: the JSON log, the metrics and the trace of a run."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agpis_sdk.errors import ConfigError, naming_output

if TYPE_CHECKING:
    from agpis_sdk.pipeline.summary import RunSummary
    from agpis_sdk.pipeline.trace import Trace

# Name, label, what it says, and the field of the summary.
METRICS = (
    ("agpis_run_products", "status", "Products of the last run by what became of them.", "statuses"),
    ("agpis_run_findings", "rule", "Findings of the last run by rule.", "rules"),
    ("agpis_run_component_seconds", "component", "Seconds that each component took.", "component_seconds"),
    ("agpis_run_component_items", "component", "Items that each component was shown.", "component_items"),
    ("agpis_run_cached_items", "component", "Items that run.cache answered in place of a component.", "cached_items"),
    ("agpis_run_failures", "component", "Items on which a component or plugin failed.", "failures"),
)


@contextlib.contextmanager
def traced(path: Path | None) -> Iterator[Trace | None]:
    """Open the file that `--trace` names, if any, and complete it however the run ends."""
    if path is None:
        yield None
        return
    from agpis_sdk.pipeline.trace import Trace

    with contextlib.closing(Trace(path)) as trace:
        yield trace


def check_metrics(path: Path | None) -> None:
    """Raise `ConfigError` before anything runs where `--metrics` is asked for without its library."""
    if path is None:
        return
    try:
        import prometheus_client  # noqa: F401
    except ImportError:
        raise ConfigError(
            "needs prometheus-client", item="--metrics", remedy="pip install 'agpis-sdk[metrics]'"
        ) from None


def write_figures(summary: RunSummary, *, log_json: Path | None, metrics: Path | None) -> None:
    """Write what a run has done into the files that `--log-json` and `--metrics` name, if any."""
    if log_json is not None:
        _write_log(log_json, summary)
    if metrics is not None:
        _write_metrics(metrics, summary)


def _write_log(path: Path, summary: RunSummary) -> None:
    """Write what a run has done, for programs."""
    from agpis_sdk.files import written_whole

    with naming_output(str(path)), written_whole(path) as unfinished:
        unfinished.write_text(json.dumps(summary.facts(), indent=1) + "\n", encoding="utf-8")


def _write_metrics(path: Path, summary: RunSummary) -> None:
    """Write what a run has done in the text format of Prometheus, whole: for the textfile collector of its node exporter."""
    from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

    facts: Mapping[str, Any] = summary.facts()
    registry = CollectorRegistry()
    for name, label, what, field in METRICS:
        gauge = Gauge(name, what, [label], registry=registry)
        for value, count in facts[field].items():
            gauge.labels(value).set(count)
    Gauge("agpis_run_images", "Images of the last run.", registry=registry).set(summary.images)
    Gauge("agpis_run_seconds", "How long the last run took.", registry=registry).set(summary.seconds)
    ended = Gauge("agpis_run_end_time_seconds", "When the last run ended, in seconds since 1970.", registry=registry)
    ended.set(time.time())
    with naming_output(str(path)):
        write_to_textfile(str(path), registry)
