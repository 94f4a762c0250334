"""What a run must know to continue where another one ended: how far it came, on which records, and who had failed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from agpis_sdk.config import Config, flatten
from agpis_sdk.errors import ResumeError
from agpis_sdk.media.products import CheckedProducts, RejectedRecord
from agpis_sdk.media.remote_products import is_remote, remote_versions
from agpis_sdk.pipeline.plan import Plan
from agpis_sdk.pipeline.weights_digest import weights_of
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Product

Record = Product | RejectedRecord
Identity = dict[str, dict[str, Any]]

# These change how and where a run runs, never what comes out (DESIGN law 6): a run may be resumed with others.
FREE_SETTINGS = (
    "run.batch_size", "run.threads", "run.workers", "run.cache", "run.cache_bytes", "media.max_decoded", "plugins.isolate",
    "ray.shard_size", "ray.actors", "ray.cpus", "ray.gpus", "ray.retries",
)  # fmt: skip
STANDARD_INPUT = "-"


class Checkpoint(BaseModel):
    """The state of a run between two micro-batches.

    `records` is a digest of the first `products` records. `failures` and `reasons` are the guard's counts by component
    and its last reasons; without them, a resumed run would drop a component later than an undisturbed one. `notes` are
    the summary's notices with whose they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    products: int = 0
    records: str = ""
    failures: dict[str, int] = {}
    reasons: dict[str, str] = {}
    notes: tuple[tuple[str, str], ...] = ()


BEGINNING = Checkpoint()


def digest_of(records: Iterable[Record], before: str = "") -> str:
    """Return a digest of records that follow others; it does not depend on how they are cut into batches."""
    digest = before
    for record in records:
        known = [record.product_id, str(record.error)] if isinstance(record, RejectedRecord) else record.model_dump()
        digest = hashlib.sha256(f"{digest}{json.dumps(known, default=str)}".encode()).hexdigest()
    return digest


def identity_of(products: str, limit: int | None, config: Config, host: PluginHost, plan: Plan) -> Identity:
    """Return what outcomes depend on: the input, every setting, the versions and the weights.

    Raises `ResumeError` where a file of weights cannot be read.
    """
    settings = {name: value for name, value in _flat(config).items() if name not in FREE_SETTINGS}
    active = [status for status in host.statuses if status.state == "active"]
    return {
        "input": {**_input(products), "limit": limit},
        "settings": settings,
        "versions": {status.distribution: status.version for status in active},
        "weights": weights_of(plan.components(), host, config),
    }


def changes(before: Identity, now: Identity) -> list[str]:
    """Return in words what differs between two identities.

    >>> changes({"settings": {"run.seed": 0}}, {"settings": {"run.seed": 7}})
    ['settings: run.seed was 0, is 7']
    """
    found = []
    for section in sorted(before.keys() | now.keys()):
        old, new = before.get(section, {}), now.get(section, {})
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) != new.get(name):
                was, is_now = (_short(table, name) for table in (old, new))
                found.append(f"{section}: {name} was {was}, is {is_now}")
    return found


def decided_batches(records: CheckedProducts, until: Checkpoint, size: int) -> Iterator[list[Record]]:
    """Yield the records that a run has decided, in batches; raises `ResumeError` where they are not the same ones."""
    stream, left, digest = iter(records), until.products, ""
    while left:
        batch = list(islice(stream, min(size, left)))
        digest = digest_of(batch, digest)
        left -= len(batch)
        if not batch or (not left and digest != until.records):
            raise ResumeError(
                f"the first {until.products:,} records are not those that have been decided",
                item="input",
                remedy="give the same input again, or begin anew without --resume",
            )
        yield batch


def _flat(config: Config) -> dict[str, Any]:
    """Return the settings as dotted keys; an empty table is left out, as it sets nothing."""
    return {name: value for name, value in flatten(config).items() if value != {}}


def _input(products: str) -> dict[str, Any]:
    if products == STANDARD_INPUT:
        return {"from": "standard input"}
    if is_remote(products):
        return {"files": remote_versions(products)}
    path = Path(products).resolve()
    found: dict[str, Any] = {"folder": str(path.parent)}
    if path.is_file():
        with path.open("rb") as stream:
            found["sha256"] = hashlib.file_digest(stream, "sha256").hexdigest()
        found["bytes"] = path.stat().st_size
    return found


def _short(table: dict[str, Any], name: str) -> str:
    if name not in table:
        return "not there"
    text = json.dumps(table[name], ensure_ascii=False, default=str)
    if len(text) == 66:  # a quoted SHA-256: its first digits are enough to see that it is another one
        return f"{text[1:9]}…"
    return text if len(text) <= 80 else f"{text[:79]}…"
