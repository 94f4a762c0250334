"""Entries by key in one SQLite file, bounded in bytes: several runs may use it at once, and a killed one leaves it whole."""

from __future__ import annotations

import sqlite3
import threading
import time
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from agpis_sdk.errors import ConfigError, OutputError

AUTO = "auto"
FILE = "results-1.sqlite"  # the number is that of the format
PATIENCE = 10.0  # seconds that one run waits while another one writes
AT_A_TIME = 500  # keys in one query
ROOM = 0.1  # share of the limit that is freed at once
HOUR = 3600
_TABLE = (
    "CREATE TABLE IF NOT EXISTS entries "
    "(key BLOB PRIMARY KEY, value BLOB NOT NULL, checksum INTEGER NOT NULL, size INTEGER NOT NULL, used INTEGER NOT NULL)"
)
_ORDER = "CREATE INDEX IF NOT EXISTS by_use ON entries (used, size)"


@dataclass(frozen=True)
class StoreInfo:
    """What a store holds: its file, how many entries, and their bytes."""

    file: Path
    entries: int
    size: int


def folder_of(setting: str) -> Path:
    """Return the folder that `run.cache` names; "auto" is the user's cache folder."""
    return platformdirs.user_cache_path("agpis-sdk", appauthor=False) if setting == AUTO else Path(setting)


class EntryStore:
    """Bytes by key. What goes wrong costs the entries alone: it is told once in `problems`, and nothing is found.

    Beyond `limit` bytes the entries go that have not been used for longest, to the hour. Threads may share it.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        """Open the store of a folder, or make it; raises `ConfigError` where the folder cannot be made."""
        self.file = folder / FILE
        self.problems: list[str] = []
        self._limit = limit
        self._lock = threading.Lock()
        self._usable = True
        self._now = int(time.time()) // HOUR
        self._written = limit  # since the size was last looked at: at once
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                self.file, timeout=PATIENCE, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(f"cannot be used: {error}", item=f"run.cache: {folder}", remedy="name another") from None
        try:
            self._connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(_TABLE)
            self._connection.execute(_ORDER)
        except sqlite3.Error as error:
            self._give_up(error)

    def get(self, keys: Collection[bytes]) -> dict[bytes, bytes]:
        """Return the entries that are there, by key."""
        found: dict[bytes, bytes] = {}
        stale = []
        for key, value, checksum, used in self._rows("key, value, checksum, used", keys):
            if zlib.crc32(value) != checksum:
                self._tell(f"an entry of {self.file} was damaged, and is computed anew")
                continue
            found[key] = value
            if used != self._now:
                stale.append((self._now, key))
        if stale:
            self._write("UPDATE entries SET used = ? WHERE key = ?", stale)
        return found

    def has(self, keys: Collection[bytes]) -> bool:
        """Tell whether all of some entries are there."""
        return len(self._rows("key", keys)) == len(set(keys))

    def put(self, entries: Mapping[bytes, bytes]) -> None:
        """Add entries, or put them in place of others; the oldest go where there are too many."""
        rows = [(key, value, zlib.crc32(value), len(value), self._now) for key, value in entries.items()]
        if not rows:
            return
        self._write("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)", rows)
        self._written += sum(len(value) for value in entries.values())
        if self._written >= self._limit * ROOM / 2:
            self._written = 0
            self._make_room()

    def info(self) -> StoreInfo:
        """Return what is there."""
        count, size = next(iter(self._run("SELECT count(*), coalesce(sum(size), 0) FROM entries")), (0, 0))
        return StoreInfo(self.file, count, size)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _rows(self, columns: str, keys: Collection[bytes]) -> list[tuple[bytes, ...] | tuple[bytes, bytes, int, int]]:
        rows: list[tuple[bytes, ...] | tuple[bytes, bytes, int, int]] = []
        wanted = list(set(keys))
        for start in range(0, len(wanted), AT_A_TIME):
            some = wanted[start : start + AT_A_TIME]
            query = f"SELECT {columns} FROM entries WHERE key IN ({','.join('?' * len(some))})"  # noqa: S608 - no value of ours
            with self._lock:
                if not self._usable:
                    return []
                try:
                    rows += self._connection.execute(query, some).fetchall()
                except sqlite3.Error as error:
                    self._give_up(error)
        return rows

    def _make_room(self) -> None:
        size = self.info().size
        if size <= self._limit:
            return
        goal, freed = size - self._limit * (1 - ROOM), 0
        going = []
        for row, entry_size in self._run("SELECT rowid, size FROM entries ORDER BY used, rowid"):
            if freed >= goal:
                break
            going.append((row,))
            freed += entry_size
        self._write("DELETE FROM entries WHERE rowid = ?", going)
        self._run("PRAGMA incremental_vacuum")

    def _write(self, statement: str, rows: Collection[tuple[object, ...]]) -> None:
        """Run a statement for each row, all or none of them."""
        with self._lock:
            if not self._usable:
                return
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                with self._connection:
                    self._connection.executemany(statement, rows)
            except sqlite3.Error as error:
                self._give_up(error)

    def _run(self, statement: str) -> list[tuple[int, ...]]:
        with self._lock:
            if not self._usable:
                return []
            try:
                return self._connection.execute(statement).fetchall()
            except sqlite3.Error as error:
                self._give_up(error)
                return []

    def _give_up(self, error: sqlite3.Error) -> None:
        """Go on without the store: a full disk, a file that is none of ours, another run that never ends writing."""
        self._usable = False
        self._tell(f"{self.file} cannot be used: {error}; the run goes on without it (`agpis cache clear` empties it)")

    def _tell(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


def info_of(folder: Path) -> StoreInfo:
    """Return what the store of a folder holds, without making one; raises `OutputError` where it cannot be read."""
    if not (folder / FILE).is_file():
        return StoreInfo(folder / FILE, 0, 0)
    store = EntryStore(folder, limit=1)
    found = store.info()
    store.close()
    if store.problems:
        raise OutputError("is no cache, or damaged", item=str(found.file), remedy="empty it with agpis cache clear")
    return found


def clear(folder: Path) -> int:
    """Delete the store of a folder; return how many bytes were freed. A run that is using it keeps what it has opened."""
    freed = 0
    for name in (FILE, f"{FILE}-wal", f"{FILE}-shm"):
        file = folder / name
        if file.is_file():
            freed += file.stat().st_size
            file.unlink()
    return freed
