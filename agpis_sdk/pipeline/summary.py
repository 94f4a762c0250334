"""What a run or an audit has done so far, and what went wrong on the way."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import GalleryAudit, Outcome
from agpis_sdk.wording import counted

UNREADABLE = "AGP901"


@dataclass(kw_only=True)
class RunStats:
    """What a run and an audit share: `failures` counts items by component or plugin, `notices` say them in words.

    `component_seconds` and `component_items` are the time that each component took, and for how many images, pairs, products
    or sequences, a search's among them; `cached_items` are those that `run.cache` answered instead.
    `dropped` names the components that failed so often that they no longer took part.
    """

    products: int = 0
    images: int = 0
    seconds: float = 0.0
    component_seconds: dict[str, float] = field(default_factory=dict)
    component_items: Counter[str] = field(default_factory=Counter)
    cached_items: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    notices: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    _noted: dict[tuple[str, str], None] = field(default_factory=dict, init=False, repr=False)
    _started: float = field(default_factory=time.perf_counter, init=False, repr=False)

    def count(self, images: int) -> None:
        """Count one record and its images, and how long it has taken until here."""
        self.products += 1
        self.images += images
        self.seconds = time.perf_counter() - self._started

    def facts(self) -> dict[str, Any]:
        """Return all of it by name: what plugins are told when a run has finished."""
        return {one.name: getattr(self, one.name) for one in fields(self) if not one.name.startswith("_")}

    def note(self, failures: Mapping[str, str]) -> None:
        """Take in failures, in words, by whose they are; one that has been taken in already counts once."""
        for whose, notice in failures.items():
            if (whose, notice) not in self._noted:
                self._noted[whose, notice] = None
                self.failures[whose] += 1
                self.notices.append(notice)

    def take_faults_of(self, other: RunStats) -> None:
        """Take in what went wrong in the words of another count of the same records, none of which is here yet."""
        self.failures.update(other.failures)
        self.notices += other.notices
        self.dropped += other.dropped

    @property
    def noted(self) -> tuple[tuple[str, str], ...]:
        """All that `note` has taken in, in order."""
        return tuple(self._noted)

    def note_missing_plugins(self, host: PluginHost) -> None:
        """Take in the plugins that were not loaded: what they would have found is missing."""
        missing = [status for status in host.statuses if status.state == "failed"]
        self.note(
            {status.owner: f"{status.owner} was not loaded: {status.reason} ({status.remedy})" for status in missing}
        )


@dataclass(kw_only=True)
class RunSummary(RunStats):
    """What a run has done so far; `reasons` counts those of products without a sequence.

    `first_failed` and `first_unreadable` say of the first record that failed, and of the first image that could not be
    read, what was wrong.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    hold_reasons: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    first_failed: str | None = None
    first_unreadable: str | None = None

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        self.count(len(outcome.images))
        self.statuses[outcome.status] += 1
        if outcome.status == "none":
            self.reasons[outcome.reason or ""] += 1
        elif outcome.status == "hold" and outcome.reason:
            self.hold_reasons[outcome.reason] += 1
        self.rules.update(finding.code for finding in outcome.findings)
        if outcome.status == "failed" and self.first_failed is None:
            self.first_failed = f"{outcome.product_id}: {outcome.reason}" if outcome.product_id else outcome.reason
        unreadable = (finding.message for finding in outcome.findings if finding.code == UNREADABLE)
        self.first_unreadable = self.first_unreadable or next(unreadable, None)

    def include(self, facts: Mapping[str, Any]) -> None:
        """Count what another run has counted of the records that follow: its `facts`, but for failures and notices."""
        self.products += facts["products"]
        self.images += facts["images"]
        self.seconds = time.perf_counter() - self._started
        for label, seconds in facts["component_seconds"].items():
            self.component_seconds[label] = self.component_seconds.get(label, 0.0) + seconds
        for name in ("component_items", "cached_items", "statuses", "reasons", "hold_reasons", "rules"):
            getattr(self, name).update(facts[name])
        self.first_failed = self.first_failed or facts["first_failed"]
        self.first_unreadable = self.first_unreadable or facts["first_unreadable"]

    @property
    def faults(self) -> tuple[str, ...]:
        """What went wrong with the records themselves, a line for each kind, with the first one as an example."""
        kinds = (
            (self.statuses["failed"], "product", "failed", self.first_failed),
            (self.rules[UNREADABLE], "image", "could not be read", self.first_unreadable),
        )
        return tuple(f"{counted(count, noun)} {what}; first: {first}" for count, noun, what, first in kinds if count)

    @property
    def failed(self) -> bool:
        """Whether some record, component or plugin failed: the run is done, but incomplete."""
        return bool(self.statuses["failed"] or self.failures)


@dataclass(kw_only=True)
class AuditSummary(RunStats):
    """What an audit has looked at so far; `faulty` counts records with an error of their own."""

    faulty: int = 0

    def add(self, audit: GalleryAudit) -> None:
        """Count one gallery."""
        self.count(len(audit.images))
        self.faulty += audit.error is not None

    @property
    def failed(self) -> bool:
        """Whether some record, component or plugin failed: silence about the rest means nothing."""
        return bool(self.faulty or self.failures)
