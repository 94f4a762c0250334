"""A run in shards: records that follow each other, what comes of them, and what must be known to take the results together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic import BaseModel, ConfigDict

from agpis_sdk.pipeline.checkpoint import Record, digest_of
from agpis_sdk.pipeline.summary import RunSummary
from agpis_sdk.records import Outcome


@dataclass(frozen=True)
class Shard:
    """Records that follow each other, by their place among all shards; `digest` is that of the records."""

    number: int
    records: tuple[Record, ...]
    digest: str


@dataclass(frozen=True)
class Failures:
    """On how many items each component had failed, and its last reason: from a certain count on it no longer runs."""

    counts: Mapping[str, int]
    reasons: Mapping[str, str]


NO_FAILURES = Failures({}, {})


class Receipt(BaseModel):
    """What is known of a finished shard besides its outcomes; `records` is the digest of what went in.

    `before` are the failures of components that the shard began with, `failed` those with its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    products: int
    records: str
    bytes: int = 0
    sha256: str = ""
    before: dict[str, int] = {}
    failed: dict[str, int] = {}
    reasons: dict[str, str] = {}
    unjudged: dict[str, int] = {}
    unjudged_reasons: dict[str, str] = {}
    notes: tuple[tuple[str, str], ...] = ()
    notices: tuple[str, ...] = ()
    facts: dict[str, Any] = {}


@dataclass(frozen=True)
class ShardResult:
    """The outcomes of a shard, a line each, and its receipt."""

    lines: bytes
    receipt: Receipt


def shards_of(records: Iterable[Record], size: int) -> Iterator[Shard]:
    """Cut records into shards of `size`, the last one smaller."""
    stream = iter(records)
    number = 0
    while batch := tuple(islice(stream, size)):
        yield Shard(number, batch, digest_of(batch))
        number += 1


def singly(shard: Shard) -> list[Shard]:
    """Return a shard for each record of a shard, under the same number."""
    return [Shard(shard.number, (record,), digest_of((record,))) for record in shard.records]


def lines_of(outcomes: Iterable[Outcome]) -> bytes:
    """Return outcomes as they are written, a line each."""
    return b"".join(outcome.model_dump_json().encode() + b"\n" for outcome in outcomes)


def given_up(shard: Shard, before: Failures, reason: str) -> ShardResult:
    """Return the result of a shard of one record that no process could finish: its product failed."""
    (record,) = shard.records
    name = getattr(record, "id", None) or getattr(record, "product_id", "")
    outcome = Outcome(product_id=name, status="failed", reason=reason)
    summary = RunSummary()
    summary.add(outcome)
    receipt = Receipt(
        number=shard.number,
        products=1,
        records=shard.digest,
        before=dict(before.counts),
        failed=dict(before.counts),
        reasons=dict(before.reasons),
        facts=summary.facts(),
    )
    return ShardResult(lines_of([outcome]), receipt)


def together(shard: Shard, parts: Sequence[ShardResult]) -> ShardResult:
    """Return the results of parts of a shard, in order, as one; each part began with the same failures."""
    summary = RunSummary()
    failed, unjudged = (_own(parts, "failed"), _own(parts, "unjudged"))
    before = parts[0].receipt.before
    for part in parts:
        summary.include(part.receipt.facts)
    receipt = Receipt(
        number=shard.number,
        products=len(shard.records),
        records=shard.digest,
        before=before,
        failed={label: before.get(label, 0) + count for label, count in failed.items()} | _left(before, failed),
        reasons=_last(parts, "reasons"),
        unjudged=unjudged,
        unjudged_reasons=_last(parts, "unjudged_reasons"),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.receipt.notes)),
        notices=tuple(dict.fromkeys(notice for part in parts for notice in part.receipt.notices)),
        facts=summary.facts(),
    )
    return ShardResult(b"".join(part.lines for part in parts), receipt)


def sealed(result: ShardResult) -> ShardResult:
    """Return a result whose receipt tells whether the lines are whole."""
    known = {"bytes": len(result.lines), "sha256": hashlib.sha256(result.lines).hexdigest()}
    return ShardResult(result.lines, result.receipt.model_copy(update=known))


def _own(parts: Sequence[ShardResult], field: str) -> dict[str, int]:
    """Return what the parts counted beyond what they began with."""
    total: dict[str, int] = {}
    for part in parts:
        before = part.receipt.before if field == "failed" else {}
        for label, count in getattr(part.receipt, field).items():
            total[label] = total.get(label, 0) + count - before.get(label, 0)
    return total


def _left(before: Mapping[str, int], failed: Mapping[str, int]) -> dict[str, int]:
    return {label: count for label, count in before.items() if label not in failed}


def _last(parts: Sequence[ShardResult], field: str) -> dict[str, str]:
    return {label: reason for part in parts for label, reason in getattr(part.receipt, field).items()}
