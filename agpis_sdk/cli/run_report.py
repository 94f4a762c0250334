"""The report of a run, written beside the outcomes: one that fails costs the report alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from agpis_sdk.errors import AgpisError, OutputError, PluginLoadError, in_words

if TYPE_CHECKING:
    from agpis_sdk.components import OutcomeReporter
    from agpis_sdk.pipeline.pipeline import Engine, ProcessedProduct
    from agpis_sdk.plugins import OwnedSpec, PluginHost


def reporter_of(report: Path, host: PluginHost) -> OwnedSpec:
    """Return the reporter that a file's ending names."""
    return host.reporter("outcomes", report.suffix.removeprefix("."), setting="--report")


class RunReport:
    """A report that grows with the run; `failure` is set where it was given up."""

    def __init__(self, path: Path, engine: Engine, title: str) -> None:
        """Begin the report; raises `OutputError` or `PluginLoadError` before the first product where that fails."""
        from agpis_sdk.pipeline.plan import reportable_rules

        self.path = path
        self.failure: AgpisError | None = None
        self._owned = reporter_of(path, engine.host)
        self._reporter: OutcomeReporter = engine.host.create(self._owned, engine.config.components)
        try:
            self._reporter.start(path, title, reportable_rules(engine.host, engine.config))
        except (Exception, SystemExit) as error:
            raise self._named(error) from error

    def add(self, products: Iterable[ProcessedProduct]) -> None:
        """Take in the outcomes of a micro-batch."""
        if self.failure is None:
            try:
                for processed in products:
                    self._reporter.add(processed.product, processed.outcome, processed.images)
            except (Exception, SystemExit) as error:
                self._give_up(error)

    def finish(self, engine: Engine) -> None:
        """Have the report appear."""
        if self.failure is None:
            summary = engine.summary
            threshold = engine.config.sequence.threshold
            try:
                self._reporter.finish({"seconds": summary.seconds, "images": summary.images, "threshold": threshold})
            except (Exception, SystemExit) as error:
                self._give_up(error)

    def discard(self) -> None:
        """Give the report up without a trace."""
        with contextlib.suppress(Exception, SystemExit):  # a reporter that cannot even do that has been named
            self._reporter.discard()

    def _give_up(self, error: BaseException) -> None:
        self.failure = self._named(error)
        self.discard()

    def _named(self, error: BaseException) -> AgpisError:
        if isinstance(error, AgpisError):
            return error
        if isinstance(error, OSError):
            return OutputError(f"cannot be written: {error.strerror or error}", item=str(self.path))
        return PluginLoadError(
            f'the report was given up: "{self._owned.spec.name}" raised {in_words(error)}',
            item=self._owned.plugin.owner,
            remedy=self._owned.plugin.remedy,
        )
