"""Runs components one at a time: timed, drained inside the guard, blamed by plugin name and version (law 5).

A batch that fails is retried item by item once; what still fails is reported on that item. KeyboardInterrupt and
MemoryError pass through.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from agpis_sdk.batches import batches
from agpis_sdk.errors import ComponentError
from agpis_sdk.pipeline.context import RunContext
from agpis_sdk.plugins import OwnedSpec
from agpis_sdk.wording import counted

Item = TypeVar("Item")
Result = TypeVar("Result")

RESULTS_PER_ITEM = 1000


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
    """Calls components and keeps the books: seconds, failures, and who was dropped for the rest of the run."""

    def __init__(self, context: RunContext, max_failures: int) -> None:
        self._context = context
        self._max_failures = max_failures
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.failures: Counter[str] = Counter()
        self.last_reason: dict[str, str] = {}
        self._inner_seconds = 0.0

    def dropped(self, component: Component) -> bool:
        """Tell whether a component has failed so often that it no longer runs."""
        return self.failures[component.label] >= self._max_failures

    def notices(self) -> list[str]:
        """Return for each component that failed a line for people: how often, whether it was dropped, and why."""
        return [
            f"{label} failed on {counted(count, 'item')}"
            f"{' and was dropped' if count >= self._max_failures else ''}; last: {self.last_reason.get(label, '')}"
            for label, count in self.failures.items()
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
        for chunk in batches(items, component.owned.spec.batch_size):
            if self.dropped(component):
                failures.extend(self._skipped(component, item) for item in chunk)
                continue
            try:
                results.extend(collect(chunk, run_in_view, accept))
            except MemoryError:
                raise
            except Exception:
                self._retry(component, chunk, run_in_view, accept, results, failures)
        elapsed = time.perf_counter() - started
        # A builder that asks for p^t runs the scorer inside its own call: those seconds are the scorer's.
        self.seconds[component.label] += elapsed - self._inner_seconds
        self._inner_seconds = outer_seconds + elapsed
        return results, failures

    def _retry(
        self,
        component: Component,
        chunk: Sequence[Item],
        run: Callable[[Sequence[Item]], Iterable[Any]],
        accept: Callable[[Sequence[Item], Any], Result],
        results: list[Result],
        failures: list[Failure[Item]],
    ) -> None:
        for item in chunk:
            # Asked per item, so that it does not depend on the chunk when a component is dropped (law 6).
            if self.dropped(component):
                failures.append(self._skipped(component, item))
                continue
            try:
                results.extend(collect([item], run, accept))
            except MemoryError:
                raise
            except Exception as error:
                reason = f"{component.label} failed: {_worded(error)}"
                self.failures[component.label] += 1
                self.last_reason[component.label] = _worded(error)
                failures.append(Failure(item, reason))

    def _skipped(self, component: Component, item: Item) -> Failure[Item]:
        return Failure(item, f"{component.label} was dropped after {self._max_failures} failures")


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


def _worded(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
