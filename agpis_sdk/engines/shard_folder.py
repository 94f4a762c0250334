"""The folder in which the outcomes of a run in shards grow, here or in a store that fsspec writes: one file a shard, and a manifest.

A shard is there when its receipt is: that is written behind it. When all are there, the manifest takes the receipts in.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import filelock

from agpis_sdk.engines.shards import Failures, Receipt, Shard, ShardResult
from agpis_sdk.errors import AgpisError, OutputError, ResumeError, in_words, naming_output
from agpis_sdk.files import written_whole
from agpis_sdk.media.outcome_lines import MANIFEST
from agpis_sdk.media.sources import masked
from agpis_sdk.pipeline.checkpoint import Identity, changes
from agpis_sdk.wording import counted

FORMAT = 1
RECEIPTS = "receipts"
MORE_IN_A_RECEIPT = ("before", "failed", "reasons", "unjudged", "unjudged_reasons", "notes", "notices", "facts")


def name_of(number: int) -> str:
    """Return the name of a shard's file: in the order of names they are in the order of the input.

    >>> name_of(12)
    'part-00000012.jsonl'
    """
    return f"part-{number:08}.jsonl"


class ShardFolder:
    """Writes shards and reads what an unfinished run has left; `finished` are its receipts by number.

    One run at a time, where the folder is on this machine. `complete` tells whether there is nothing left to do.
    """

    def __init__(self, target: str, identity: Identity, *, resume: bool) -> None:
        self.name = masked(target)
        self.finished: dict[int, Receipt] = {}
        self.complete = False
        self._identity: Identity = json.loads(json.dumps(identity))
        self._store, self._path, self._local = _store_of(target, self.name)
        self._settled: list[dict[str, Any]] = []
        self._lock = filelock.FileLock(Path(f"{self._path}.lock")) if self._local else None
        try:
            self._open(resume=resume)
        except BaseException:
            self.close()
            raise

    def write(self, shard: Shard, result: ShardResult) -> None:
        """Write a shard, and behind it its receipt."""
        self._write(name_of(shard.number), result.lines)
        self._write(f"{RECEIPTS}/{shard.number:08}.json", result.receipt.model_dump_json().encode())

    def settle(self, receipt: Receipt, failures: Failures, notes: tuple[tuple[str, str], ...]) -> None:
        """Keep what the manifest will say of a shard; what has failed is in its receipt."""
        del failures, notes
        entry = receipt.model_dump(exclude={"number", "records", *MORE_IN_A_RECEIPT})
        self._settled.append({"name": name_of(receipt.number), **entry})

    def finish(self, facts: Mapping[str, Any]) -> None:
        """Write the manifest of all shards, and remove the receipts."""
        kept = (
            "products",
            "images",
            "statuses",
            "reasons",
            "hold_reasons",
            "rules",
            "component_seconds",
            "component_items",
        )
        counts = {name: facts[name] for name in (*kept, "failures", "notices", "dropped", "seconds")}
        self._write_manifest({"finished": True, "counts": counts, "shards": self._settled})
        with self._naming():
            self._store.rm(f"{self._path}/{RECEIPTS}", recursive=True)

    def known(self, shard: Shard) -> Receipt | None:
        """Return the receipt of a shard that is finished; raises `ResumeError` where it was made of other records."""
        receipt = self.finished.get(shard.number)
        if receipt is not None and receipt.records != shard.digest:
            raise ResumeError(
                f"{name_of(shard.number)} was made of other records",
                item=self.name,
                remedy="give the same input again, or begin anew in another folder",
            )
        return receipt

    def close(self) -> None:
        """Let go of the folder; what is unfinished stays there to be resumed."""
        if self._lock is not None and self._lock.is_locked:
            Path(self._lock.lock_file).unlink(missing_ok=True)
            self._lock.release()

    def _open(self, *, resume: bool) -> None:
        with self._naming():
            if self._lock is not None:
                try:
                    self._lock.acquire(blocking=False)
                except filelock.Timeout:
                    raise OutputError(
                        "another run is writing it", item=self.name, remedy="wait for it, or name another folder"
                    ) from None
            if self._store.isfile(self._path):
                raise OutputError("is a file", item=self.name, remedy="name a folder: shards are written into it")
            if not self._list(self._path):
                self._store.makedirs(f"{self._path}/{RECEIPTS}", exist_ok=True)
                self._write_manifest({"finished": False})
                return
            self._take_up(resume=resume)

    def _take_up(self, *, resume: bool) -> None:
        try:
            manifest = json.loads(self._store.cat_file(f"{self._path}/{MANIFEST}"))
            identity, self.complete = manifest["run"], manifest["finished"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            raise OutputError(
                "is in the way: no run in shards has made it", item=self.name, remedy="name a new folder"
            ) from None
        if self.complete and not resume:
            raise OutputError(
                "holds the outcomes of a finished run", item=self.name, remedy="name another folder, or delete it"
            )
        changed = changes(identity, self._identity)
        so_far = "holds a run that was not finished"
        if not resume:
            raise ResumeError(so_far, item=self.name, remedy="add --resume to continue it, or delete it to begin anew")
        if changed:
            raise ResumeError(
                f"{so_far}, under other conditions: {'; '.join(changed)}",
                item=self.name,
                remedy="restore them, or name another folder to begin anew",
            )
        sizes = {one["name"].rpartition("/")[2]: one["size"] for one in self._list(self._path)}
        for entry in self._list(f"{self._path}/{RECEIPTS}"):
            with contextlib.suppress(ValueError):  # cut off with its machine: the shard is done again
                receipt = Receipt.model_validate_json(self._store.cat_file(entry["name"]))
                if sizes.get(name_of(receipt.number)) == receipt.bytes:
                    self.finished[receipt.number] = receipt

    def progress(self) -> str:
        """Return in words how much is there."""
        return f"{counted(len(self.finished), 'shard')} of an earlier run"

    def _write_manifest(self, state: Mapping[str, Any]) -> None:
        data = json.dumps({"format": FORMAT, **state, "run": self._identity}, indent=1, ensure_ascii=False)
        self._write(MANIFEST, data.encode() + b"\n")

    def _write(self, name: str, data: bytes) -> None:
        with self._naming():
            if self._local:
                with written_whole(Path(self._path) / name) as unfinished:
                    unfinished.write_bytes(data)
            else:
                self._store.pipe_file(f"{self._path}/{name}", data)

    def _list(self, path: str) -> list[dict[str, Any]]:
        try:
            return [dict(one) for one in self._store.ls(path, detail=True)]
        except FileNotFoundError:
            return []

    @contextlib.contextmanager
    def _naming(self) -> Iterator[None]:
        """Name the folder in whatever its store raises."""
        try:
            with naming_output(self.name):
                yield
        except AgpisError:
            raise
        except Exception as error:
            raise OutputError(
                f"cannot be written: {masked(in_words(error))}", item=self.name, remedy="check address and access"
            ) from None


def _store_of(target: str, item: str) -> tuple[Any, str, bool]:
    """Return the file system of a folder, the folder's path in it, and whether it is on this machine."""
    import fsspec

    try:
        store, path = fsspec.url_to_fs(target)
    except (ImportError, ValueError) as error:
        raise OutputError(f"cannot be written here: {error}", item=item, remedy="install that") from None
    protocols = (store.protocol,) if isinstance(store.protocol, str) else store.protocol
    return store, path.rstrip("/"), "file" in protocols
