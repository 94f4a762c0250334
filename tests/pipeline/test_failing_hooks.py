"""An event hook that fails is named, and the run goes on (DESIGN law 5)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agpis_sdk.components import Context
from agpis_sdk.hookspecs import hookimpl
from agpis_sdk.pipeline.pipeline import Pipeline
from tests.pipeline.fakes import Stand, configured, product


def test_an_event_hook_that_raises_is_noted_and_the_run_goes_on(gallery: Path) -> None:
    seen: list[int] = []

    class Events:
        @hookimpl
        def agpis_run_started(self, context: Context) -> None:
            raise ValueError("not ready")

        @hookimpl
        def agpis_run_finished(self, summary: dict[str, Any]) -> None:
            seen.append(summary["products"])

    host = Stand().host()
    host.add(Events(), name="events")
    pipeline = Pipeline(configured({}), host=host)
    (outcome,) = pipeline.run([product(gallery)])

    assert outcome.status == "submit"
    assert pipeline.summary.notices == ["events local (events): agpis_run_started raised ValueError: not ready"]
    assert pipeline.summary.failed
    # A hook may take fewer arguments than its specification lists.
    assert seen == [1]


def test_an_event_hook_that_yields_is_named_for_none_of_it_was_run(gallery: Path) -> None:
    class Yields:
        @hookimpl
        def agpis_run_started(self) -> Iterator[None]:
            yield

    host = Stand().host()
    host.add(Yields(), name="events")
    pipeline = Pipeline(configured({}), host=host)
    list(pipeline.run([product(gallery)]))

    assert pipeline.summary.notices == [
        (
            "events local (events): agpis_run_started raised PluginContractError: "
            "[E201] holds a yield, so nothing of it was run"
        )
    ]


def test_an_event_hook_that_leaves_the_process_does_not(gallery: Path) -> None:
    class Leaves:
        @hookimpl
        def agpis_run_started(self) -> None:
            sys.exit("good-bye")

    host = Stand().host()
    host.add(Leaves(), name="events")
    pipeline = Pipeline(configured({}), host=host)
    list(pipeline.run([product(gallery)]))

    assert pipeline.summary.notices == ["events local (events): agpis_run_started raised SystemExit: good-bye"]
