"""What every page works with."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from agpis_sdk.config import ReviewSection
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.queues import root_of
from agpis_sdk.review.web.pictures import Pictures
from agpis_sdk.review.web.rates import RateLimit
from agpis_sdk.rules import Rule, RuleSet


def utc_now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Site:
    """A queue that is reviewed, and the limits under which it is.

    `reference` are scores on what the models learned from, where they are known. `offered` are the rules that a reviewer may name, `rules` all that have ever been named.
    `setup_token` lets whoever started the server make the first account, as long as there is none. `version` changes with each
    start of the server, and the addresses of pictures with it.
    """

    store: Store
    queue_id: int
    settings: ReviewSection
    rules: RuleSet
    offered: tuple[Rule, ...]
    pictures: Pictures
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    reference: Mapping[str, Sequence[float]] = field(default_factory=dict)
    clock: Callable[[], datetime] = utc_now
    setup_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    version: str = field(default_factory=lambda: secrets.token_hex(8))
    logins_by_address: RateLimit = field(default_factory=lambda: RateLimit(count=20, seconds=60))
    logins_by_name: RateLimit = field(default_factory=lambda: RateLimit(count=5, seconds=60))
    changes: RateLimit = field(default_factory=lambda: RateLimit(count=240, seconds=60))

    @cached_property
    def root(self) -> str:
        """The folder below which files of the queue's images must be; "" where there is none."""
        return root_of(self.store, self.queue_id)
