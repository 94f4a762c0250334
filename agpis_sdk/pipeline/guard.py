"""Runs components one at a time: timed, drained inside the guard, blamed by plugin name and version (law 5).

A batch that fails is retried item by item once; what still fails is reported on that item. Whatever a component
raises costs that component alone, MemoryError and SystemExit too; a user's own KeyboardInterrupt passes through.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from agpis_sdk.batches import batches
from agpis_sdk.config import PluginsSection
from agpis_sdk.errors import ComponentError, in_words
from agpis_sdk.pipeline.context import RunContext
from agpis_sdk.pipeline.interruption import Interruption
from agpis_sdk.pipeline.isolation.component import IsolatedComponent
from agpis_sdk.pipeline.isolation.messages import PluginProcessError
from agpis_sdk.pipeline.printed import Printed
from agpis_sdk.pipeline.time_limit import TimeLimitExceededError, time_limit
from agpis_sdk.pipeline.trace import Trace
from agpis_sdk.plugins import OwnedSpec
from agpis_sdk.plugins.discovery import OURS
from agpis_sdk.wording import counted

Item = TypeVar("Item")
Result = TypeVar("Result")

RESULTS_PER_ITEM = 1000
SHORTEST_LIMIT = 1.0  # seconds for one item of a batch that took too long


@dataclass(frozen=True)
class Component:
    """A component that takes part in a run: its spec, the plugin it comes from, and the instance."""

    owned: OwnedSpec
    instance: Any

    @property
    def name(self) -> str:
        """The component's name."""
        return self.owned.spec.name

    @property
    def label(self) -> str:
        """The component as messages name it: name, distribution and version."""
        return f"{self.name} ({self.owned.plugin.distribution} {self.owned.plugin.version})"


@dataclass(frozen=True)
class Failure(Generic[Item]):
    """An item on which a component failed, and the reason in words."""

    item: Item
    reason: str


class Guard:
    """Calls components and keeps the books: seconds, failures, and who was dropped for the rest of the run, at which item.

    `limits` are those on the calls of components that are not built in. With an `interruption` that listens, a
    KeyboardInterrupt that no user asked for is a component's own; without one, every KeyboardInterrupt passes through.
    """

    def __init__(
        self,
        context: RunContext,
        max_failures: int,
        limits: PluginsSection | None = None,
        interruption: Interruption | None = None,
    ) -> None:
        self._context = context
        self._max_failures = max_failures
        self._limits = limits or PluginsSection()
        self._interruption = interruption
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.items: Counter[str] = Counter()
        self.slowest: defaultdict[str, float] = defaultdict(float)
        self.cached: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.dropped_at: dict[str, object] = {}
        self.last_reason: dict[str, str] = {}
        self.unjudged: Counter[str] = Counter()
        self.last_unjudged: dict[str, str] = {}
        self._inner_seconds = 0.0
        self._printed: dict[str, Printed] = {}
        self.trace: Trace | None = None

    def start(self, failures: Mapping[str, int], reasons: Mapping[str, str]) -> None:
        """Begin a run with what has failed before it: nothing, or what an earlier run noted that this one resumes."""
        self.seconds.clear()
        self.items.clear()
        self.slowest.clear()
        self.cached.clear()
        self.failures = Counter(failures)
        self.dropped_at.clear()
        self.last_reason = dict(reasons)
        self.unjudged.clear()

    def dropped(self, component: Component) -> bool:
        """Tell whether a component has failed so often that it no longer runs."""
        return self.failures[component.label] >= self._max_failures

    def dropped_labels(self) -> list[str]:
        """Return the components that were dropped."""
        return [label for label, count in self.failures.items() if count >= self._max_failures]

    def note_unjudged(self, component: Component, reason: str) -> None:
        """Count a rule on an item that a component says it could not judge; no component is dropped for it."""
        self.unjudged[component.label] += 1
        self.last_unjudged[component.label] = reason

    def notices(self) -> list[str]:
        """Return for each component that failed, or nearly took too long, a line for people."""
        failed = notices_of(
            self.failures, self.last_reason, self.unjudged, self.last_unjudged, most_failures=self._max_failures
        )
        limit = self._limits.time_limit
        return failed + [
            f"{label} took up to {seconds:.0f} s for a call; it fails from plugins.time_limit = {limit:g} on"
            for label, seconds in self.slowest.items()
            if 0 < limit / 2 <= seconds < limit
        ]

    def call(
        self,
        component: Component,
        items: Sequence[Item],
        run: Callable[[Sequence[Item], RunContext], Iterable[Any]],
        accept: Callable[[Sequence[Item], Any], Result],
    ) -> tuple[list[Result], list[Failure[Item]]]:
        """Run a component over items in chunks of its batch size.

        `run` calls the component with its own view of the context; `accept` checks one of its results against the chunk
        and raises where it breaks the contract. Returns what was accepted and the items on which the component failed.
        """
        results: list[Result] = []
        failures: list[Failure[Item]] = []
        view = self._context.for_component(component.owned.spec)

        def run_in_view(chunk: Sequence[Item]) -> Iterable[Any]:
            return run(chunk, view)

        started, outer_seconds = time.perf_counter(), self._inner_seconds
        self._inner_seconds = 0.0
        limit = self._limit(component)
        for chunk in batches(items, component.owned.spec.batch_size):
            if self.dropped(component):
                failures.extend(self.skipped(component, item) for item in chunk)
                continue
            error = self._attempt(component, chunk, run_in_view, accept, results, limit)
            if error is not None:
                once = limit and max(limit / len(chunk), SHORTEST_LIMIT)
                self._retry(component, chunk, run_in_view, accept, results, failures, once)
        elapsed = time.perf_counter() - started
        # A builder that asks for p^t runs the scorer inside its own call: those seconds are the scorer's.
        self.seconds[component.label] += elapsed - self._inner_seconds
        self.items[component.label] += len(items)
        self._inner_seconds = outer_seconds + elapsed
        if self.trace is not None:
            self.trace.span(component.name, started, items=len(items))
        return results, failures

    def spent(self, label: str, started: float) -> None:
        """Note what the engine itself has done since a value of `time.perf_counter()`."""
        self.seconds[label] += time.perf_counter() - started
        if self.trace is not None:
            self.trace.span(label, started)

    def _attempt(
        self,
        component: Component,
        chunk: Sequence[Item],
        run: Callable[[Sequence[Item]], Iterable[Any]],
        accept: Callable[[Sequence[Item], Any], Result],
        results: list[Result],
        limit: float | None,
    ) -> str | None:
        """Add what a component returns for a chunk to `results`, all or nothing; return in words what it raised."""
        started = time.perf_counter()
        try:
            # Whatever a component prints would stand among the outcomes on standard output.
            with self._printing(component):
                if isinstance(component.instance, IsolatedComponent):
                    component.instance.prepare()  # a fresh process is no fault of what is tried again
                with time_limit(limit):
                    collected = collect(chunk, run, accept)
        except KeyboardInterrupt as error:
            if self._interruption is None or self._interruption.at_once:
                raise
            return in_words(error)
        except TimeLimitExceededError as error:
            if limit is None:
                raise  # of the component in whose call this one is made
            return f"{error} (plugins.time_limit)"
        except PluginProcessError as error:
            return str(error)
        except BaseException as error:
            return in_words(error)
        finally:
            if limit is not None:
                self.slowest[component.label] = max(self.slowest[component.label], time.perf_counter() - started)
        results.extend(collected)
        return None

    def _retry(
        self,
        component: Component,
        chunk: Sequence[Item],
        run: Callable[[Sequence[Item]], Iterable[Any]],
        accept: Callable[[Sequence[Item], Any], Result],
        results: list[Result],
        failures: list[Failure[Item]],
        limit: float | None,
    ) -> None:
        for item in chunk:
            # Asked per item, so that it does not depend on the chunk when a component is dropped (law 6).
            if self.dropped(component):
                failures.append(self.skipped(component, item))
                continue
            error = self._attempt(component, [item], run, accept, results, limit)
            if error is not None:
                self.failures[component.label] += 1
                if self.dropped(component):
                    self.dropped_at[component.label] = item
                self.last_reason[component.label] = error
                failures.append(Failure(item, f"{component.label} failed: {error}"))

    @contextlib.contextmanager
    def _printing(self, component: Component) -> Iterator[None]:
        """Send what a component prints to standard error, under its plugin's name where it is not built in."""
        plugin = component.owned.plugin
        if plugin.distribution == OURS:
            with contextlib.redirect_stdout(sys.stderr):
                yield
            return
        printed = self._printed.setdefault(plugin.owner, Printed(plugin.owner))
        try:
            with contextlib.redirect_stdout(printed):
                yield
        finally:
            printed.finish()

    def _limit(self, component: Component) -> float | None:
        """Return the seconds that a call may take; built-in components are not limited."""
        if component.owned.plugin.distribution == OURS or not self._limits.time_limit:
            return None
        return self._limits.time_limit

    def skipped(self, component: Component, item: Item) -> Failure[Item]:
        """Return what becomes of an item that a dropped component does not see."""
        return Failure(item, f"{component.label} was dropped after {self._max_failures} failures")


def notices_of(
    failures: Mapping[str, int],
    reasons: Mapping[str, str],
    unjudged: Mapping[str, int],
    last_unjudged: Mapping[str, str],
    *,
    most_failures: int,
) -> list[str]:
    """Return for each component that failed, or could not judge, a line for people."""
    failed = [
        f"{label} failed on {counted(count, 'item')}"
        f"{' and was dropped' if count >= most_failures else ''}; last: {reasons.get(label, '')}"
        for label, count in failures.items()
    ]
    return failed + [
        f"{label} could not judge {counted(count, 'item')}; last: {last_unjudged[label]}"
        for label, count in unjudged.items()
    ]


def collect(
    chunk: Sequence[Item],
    run: Callable[[Sequence[Item]], Iterable[Any]],
    accept: Callable[[Sequence[Item], Any], Result],
) -> list[Result]:
    """Take everything that a component returns, so that a generator raises here and nowhere else.

    Raises `ComponentError` where it returns no iterable, or more than `RESULTS_PER_ITEM` results an item.
    """
    returned = run(chunk)
    if returned is None or isinstance(returned, str | bytes) or not hasattr(returned, "__iter__"):
        raise ComponentError(f"returned {type(returned).__name__}, not an iterable")
    limit = RESULTS_PER_ITEM * len(chunk)
    results = [accept(chunk, result) for result in itertools.islice(returned, limit + 1)]
    if len(results) > limit:
        raise ComponentError(f"yielded more than {limit} results for {len(chunk)} items: an endless generator?")
    return results
