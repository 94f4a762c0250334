"""What a catalog index is on disk: images in SQLite, and beside it one row of numbers per picture.

A *picture* is the content of a file: images of the same bytes, under whatever product, share one picture and one row.
SQLite holds the truth, the number of rows included. New rows are appended and flushed before the transaction that counts
them; what an interruption leaves behind the counted rows is cut off by the next writer. A file of rows is never changed
otherwise: a vacuum writes the next generation and switches to it in one transaction.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.batches import batches
from agpis_sdk.errors import IndexFolderError
from agpis_sdk.index.records import IndexedImage

FORMAT = 1
DATABASE = "index.sqlite"
SAME_BACKBONE = 0.995  # cosine of the probe's embedding; another device or precision stays above, other weights do not
WAIT = 60.0  # seconds for another process that writes
MAX_DELETED_SHARE = 0.25
BLOCK = 10_000
SHARED, DELETED = -1, -2  # owners of rows that belong to no single product

# The table of metadata is called facts on disk since format 1; another name would make every index anew.
_TABLES = """
    CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE pictures (sha256 TEXT PRIMARY KEY, row INTEGER NOT NULL UNIQUE) WITHOUT ROWID;
    CREATE TABLE images (
        product_id TEXT, id TEXT, uri TEXT NOT NULL, sha256 TEXT NOT NULL REFERENCES pictures,
        PRIMARY KEY (product_id, id)
    ) WITHOUT ROWID;
    CREATE INDEX images_of_picture ON images (sha256);
"""


@dataclass(frozen=True, eq=False)
class BackboneIdentity:
    """Which backbone made the rows: its name in the config, and the unit embedding (channels,) of one fixed drawing.

    A name does not tell which weights were loaded; what the backbone sees in the drawing does.
    """

    name: str
    probe: NDArray[np.float32]

    @property
    def channels(self) -> int:
        """The size of the backbone's embeddings."""
        return len(self.probe)


@dataclass
class Chunk:
    """What one transaction changes: images put, images forgotten as (product id, image id), and rows of new pictures."""

    images: list[IndexedImage] = field(default_factory=list)
    forgotten: list[tuple[str, str]] = field(default_factory=list)
    rows: dict[str, NDArray[np.float32]] = field(default_factory=dict)


class Counts(NamedTuple):
    """How many products, images and different pictures an index holds."""

    products: int
    images: int
    pictures: int


class IndexStore:
    """An index on disk. A reader sees the index as it was when opened, whatever a writer adds meanwhile."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self._connection = connection
        self._metadata = _read_metadata(folder, connection)
        self._mapped: NDArray[np.float16] | None = None

    @classmethod
    def open(cls, folder: Path) -> IndexStore:
        """Open an index to read it; raises `CatalogIndexError` where there is none, or one that cannot be read."""
        if not (folder / DATABASE).is_file():
            raise IndexFolderError(
                "there is no index here", item=str(folder), remedy=f"make one: agpis index add {folder} PRODUCTS"
            )
        with _blaming(folder):
            connection = _connect(folder)
            connection.execute("BEGIN")
            store = cls(folder, connection)
        store._mapped = store.rows()  # now: a writer that tidies up deletes the file, which stays readable while mapped
        return store

    @classmethod
    def open_to_write(cls, folder: Path, identity: BackboneIdentity) -> IndexStore:
        """Open an index to add to it, and make it where there is none; raises as `check_backbone` does."""
        if folder.exists() and not folder.is_dir():
            raise IndexFolderError("is no folder", item=str(folder), remedy="name a folder for the index")
        folder.mkdir(parents=True, exist_ok=True)
        with _blaming(folder):
            connection = _connect(folder)
            connection.execute("PRAGMA journal_mode = WAL")
            with _transaction(connection):
                if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                    _make_tables(connection, identity)
            store = cls(folder, connection)
        store.check_backbone(identity)
        return store

    def __enter__(self) -> IndexStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    # ── what is there ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def row_count(self) -> int:
        """The number of rows, those of forgotten pictures included."""
        return int(self._metadata["rows"])

    @property
    def channels(self) -> int:
        """The length of a row."""
        return int(self._metadata["channels"])

    @property
    def generation(self) -> int:
        """Counts how often the rows have been written anew; row numbers hold within one generation."""
        return int(self._metadata["generation"])

    def check_backbone(self, identity: BackboneIdentity) -> None:
        """Raise `CatalogIndexError` where another backbone made this index: its rows would mean something else."""
        name, channels = self._metadata["backbone"], self.channels
        made_with = f'was made with backbone "{name}" ({channels} channels)'
        remedy = f'set backbone.name = "{name}", or make a new index'
        if (identity.name, identity.channels) != (name, channels):
            found = f'"{identity.name}" ({identity.channels})'
            raise IndexFolderError(f"{made_with}, not {found}", item=str(self.folder), remedy=remedy)
        if float(np.frombuffer(self._metadata["probe"], np.float32) @ identity.probe) < SAME_BACKBONE:
            raise IndexFolderError(
                f"{made_with} of other weights",
                item=str(self.folder),
                remedy="name the weights that it was made with, or make a new index",
            )

    def rows(self) -> NDArray[np.float16]:
        """Return the rows (row_count, channels), mapped from the file; raises `CatalogIndexError` where some are gone."""
        if self._mapped is not None:
            return self._mapped
        path = self._rows_path(self.generation)
        wanted = self.row_count * self.channels * 2
        if (path.stat().st_size if path.is_file() else 0) < wanted:
            raise IndexFolderError("is damaged: rows are missing", item=str(path), remedy="make a new index")
        if not wanted:
            return np.zeros((0, self.channels), np.float16)
        return np.memmap(path, np.float16, "r", shape=(self.row_count, self.channels))

    def images_of_product(self, product_id: str) -> dict[str, IndexedImage]:
        """Return a product's images by id."""
        query = "SELECT product_id, id, uri, sha256 FROM images WHERE product_id = ?"
        return {image.id: image for image in self._images(query, (product_id,))}

    def rows_of(self, hashes: Iterable[str]) -> dict[str, int]:
        """Return the rows of those pictures that are there, by SHA-256."""
        query = "SELECT sha256, row FROM pictures WHERE sha256 IN ({})"
        return dict(self._in_blocks(query, sorted(set(hashes))))

    def images_of_rows(self, rows: Iterable[int]) -> dict[int, list[IndexedImage]]:
        """Return for each row the images that show its picture, sorted by product and image id."""
        query = (
            "SELECT row, product_id, id, uri, images.sha256 FROM pictures JOIN images USING (sha256) WHERE row IN ({})"
        )
        found: dict[int, list[IndexedImage]] = {}
        for row, product_id, image_id, uri, sha256 in self._in_blocks(query, sorted(set(rows))):
            image = IndexedImage(product_id=product_id, id=image_id, uri=uri, sha256=sha256)
            found.setdefault(row, []).append(image)
        return {row: sorted(images, key=lambda image: (image.product_id, image.id)) for row, images in found.items()}

    def owners(self) -> tuple[NDArray[np.int64], dict[str, int]]:
        """Return the product number of each row's picture (row_count,), and the number of each product.

        `SHARED` marks a picture of several products, `DELETED` a row that no image uses any more.
        """
        owners = np.full(self.row_count, DELETED, np.int64)
        numbers: dict[str, int] = {}
        query = (
            "SELECT row, MIN(product_id), MAX(product_id) FROM images JOIN pictures USING (sha256) "
            "GROUP BY sha256 ORDER BY row"
        )
        with _blaming(self.folder):
            for row, first, last in self._connection.execute(query):
                owners[row] = numbers.setdefault(first, len(numbers)) if first == last else SHARED
        return owners, numbers

    def counts(self) -> Counts:
        """Return how much there is."""
        query = "SELECT COUNT(DISTINCT product_id), COUNT(*), COUNT(DISTINCT sha256) FROM images"
        with _blaming(self.folder):
            return Counts(*self._connection.execute(query).fetchone())

    # ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────

    def commit(self, chunk: Chunk) -> None:
        """Take in a chunk, all of it or nothing; pictures that no image shows any more are forgotten."""
        with _blaming(self.folder), _transaction(self._connection) as connection:
            self._metadata = _read_metadata(self.folder, connection)  # another writer may have been here
            present = self.rows_of(chunk.rows)
            new = {sha256: row for sha256, row in chunk.rows.items() if sha256 not in present}
            self._append(list(new.values()))
            numbered = [(sha256, self.row_count + offset) for offset, sha256 in enumerate(new)]
            connection.executemany("INSERT INTO pictures VALUES (?, ?)", numbered)
            before = [(image.product_id, image.id) for image in chunk.images] + chunk.forgotten
            left = [sha256 for key in before for sha256 in self._hash_of(*key)]
            connection.executemany("DELETE FROM images WHERE product_id = ? AND id = ?", before)
            put = [(image.product_id, image.id, image.uri, image.sha256) for image in chunk.images]
            connection.executemany("INSERT INTO images VALUES (?, ?, ?, ?)", put)
            connection.executemany(
                "DELETE FROM pictures WHERE sha256 = ?1 AND NOT EXISTS (SELECT 1 FROM images WHERE sha256 = ?1)",
                [(sha256,) for sha256 in left],
            )
            self._set_metadata(rows=self.row_count + len(new))

    def vacuum(self) -> None:
        """Rewrite the rows without the deleted ones where these are many, and delete files of earlier generations."""
        with _blaming(self.folder), _transaction(self._connection) as connection:
            self._metadata = _read_metadata(self.folder, connection)
            alive = connection.execute("SELECT row, sha256 FROM pictures ORDER BY row").fetchall()
            if self.row_count - len(alive) > MAX_DELETED_SHARE * self.row_count:
                rows = self.rows()
                with _written(self._rows_path(self.generation + 1), "wb") as stream:
                    for block in batches(alive, BLOCK):
                        stream.write(rows[[row for row, _ in block]].tobytes())
                # Upwards, each row onto a smaller number: no two are ever the same.
                renumbered = [(row, sha256) for row, (_, sha256) in enumerate(alive)]
                connection.executemany("UPDATE pictures SET row = ? WHERE sha256 = ?", renumbered)
                self._set_metadata(rows=len(alive), generation=self.generation + 1)
        for generation in range(self.generation):  # a later one may be another writer's, who is at it
            self._rows_path(generation).unlink(missing_ok=True)

    def _append(self, rows: Sequence[NDArray[np.float32]]) -> None:
        """Append rows behind those that are counted; what an interrupted writer left there is cut off."""
        self.rows()  # raises where counted ones are missing: nothing may be put in their place
        with _written(self._rows_path(self.generation), "r+b") as stream:
            stream.truncate(self.row_count * self.channels * 2)
            stream.seek(0, os.SEEK_END)
            for row in rows:
                stream.write(row.astype(np.float16).tobytes())

    def _set_metadata(self, **metadata: int) -> None:
        self._connection.executemany("UPDATE facts SET value = ?2 WHERE name = ?1", list(metadata.items()))
        self._metadata = {**self._metadata, **metadata}

    def _hash_of(self, product_id: str, image_id: str) -> list[str]:
        query = "SELECT sha256 FROM images WHERE product_id = ? AND id = ?"
        return [sha256 for (sha256,) in self._connection.execute(query, (product_id, image_id))]

    def _images(self, query: str, values: Sequence[Any]) -> list[IndexedImage]:
        with _blaming(self.folder):
            found = self._connection.execute(query, values).fetchall()
        return [IndexedImage(product_id=row[0], id=row[1], uri=row[2], sha256=row[3]) for row in found]

    def _in_blocks(self, query: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Run a query over values in blocks: SQLite limits how many one statement may name."""
        with _blaming(self.folder):
            for block in batches(values, BLOCK):
                yield from self._connection.execute(query.format(", ".join("?" * len(block))), block)

    def _rows_path(self, generation: int) -> Path:
        return self.folder / f"rows-{generation}.f16"


def _connect(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / DATABASE, timeout=WAIT, isolation_level=None)


def _make_tables(connection: sqlite3.Connection, identity: BackboneIdentity) -> None:
    for statement in _TABLES.split(";"):
        connection.execute(statement)
    metadata = {
        "format": FORMAT,
        "backbone": identity.name,
        "channels": identity.channels,
        "probe": identity.probe.astype(np.float32).tobytes(),
        "generation": 0,
        "rows": 0,
    }
    connection.executemany("INSERT INTO facts VALUES (?, ?)", list(metadata.items()))


def _read_metadata(folder: Path, connection: sqlite3.Connection) -> dict[str, Any]:
    metadata = dict(connection.execute("SELECT name, value FROM facts"))
    if metadata["format"] != FORMAT:
        raise IndexFolderError(
            f"is of format {metadata['format']}; this version reads format {FORMAT}",
            item=str(folder),
            remedy="make a new index, or use the version of agpis-sdk that made this one",
        )
    return metadata


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Hold the writers' lock; commit at the end, or undo everything."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextlib.contextmanager
def _written(path: Path, mode: str) -> Iterator[Any]:
    """Open a file, and flush its bytes to disk before a transaction counts them."""
    path.touch()
    with path.open(mode) as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


@contextlib.contextmanager
def _blaming(folder: Path) -> Iterator[None]:
    """Turn SQLite's errors about a damaged or locked database into an `IndexFolderError` that names it."""
    path = str(folder / DATABASE)
    try:
        yield
    except sqlite3.OperationalError as error:
        busy = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
        remedy = "another process writes; try again later" if busy else "is the disk full, or the file damaged?"
        raise IndexFolderError(f"cannot be used: {error}", item=path, remedy=remedy) from None
    except (sqlite3.DatabaseError, KeyError) as error:
        raise IndexFolderError(f"is damaged: {error}", item=path, remedy="make a new index") from None
