"""The nearest rows of an index: all of them compared while they are few, an IVF index beyond that.

Both give the cosine of the stored rows. The IVF index only proposes: its codes are 8 bits wide and of fewer dimensions,
and what it proposes is compared anew on the rows themselves. Its file is made from the rows and may be deleted.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.batches import batches
from agpis_sdk.config import IndexSection
from agpis_sdk.errors import IndexFolderError
from agpis_sdk.files import written_whole
from agpis_sdk.index.store import DELETED, IndexStore

Rows = NDArray[np.float16] | NDArray[np.float32]
Found = tuple[NDArray[np.float32], NDArray[np.int64]]  # cosines and row numbers, both (queries, depth)

NOTHING = -1  # the row number where fewer than `depth` rows were found
BLOCK = 8192  # rows that are turned into float32 at a time
CODE_CHANNELS = 256  # of embeddings that are longer, the principal components are coded
COMPARED_ANEW = 8  # proposals per neighbor asked for
SAMPLES_PER_LIST = 40  # k-means needs no more
PCA_SAMPLES = 20_000


class Search(Protocol):
    """Finds the rows nearest to queries."""

    def search(self, queries: NDArray[np.float32], depth: int) -> Found:
        """Return the `depth` nearest rows of unit queries (Q, channels), nearest first, equals by their number."""
        ...


class ExactSearch:
    """Compares a query with every row (faiss IndexFlatIP on unit rows)."""

    def __init__(self, rows: Rows, alive: NDArray[np.int64], source: Path) -> None:
        self._alive = alive
        self._index = faiss.IndexFlatIP(rows.shape[1])
        for block in batches(alive, BLOCK):
            self._index.add(unit_block(rows, block, source))

    def search(self, queries: NDArray[np.float32], depth: int) -> Found:
        """Return the `depth` nearest rows of unit queries (Q, channels), nearest first, equals by their number."""
        scores, places = self._index.search(queries, depth)
        rows = np.where(places >= 0, self._alive[places] if len(self._alive) else NOTHING, NOTHING)
        return _in_order(scores, rows)


class ApproximateSearch:
    """Lets an IVF index propose rows, and compares the query with those (Jégou et al., PAMI 2011, with exact re-ranking)."""

    def __init__(self, index: Any, rows: Rows, probed_share: float) -> None:
        self._index = index
        self._rows = rows
        ivf = faiss.extract_index_ivf(index)
        ivf.nprobe = max(1, round(probed_share * ivf.nlist))

    def search(self, queries: NDArray[np.float32], depth: int) -> Found:
        """Return the `depth` nearest rows of unit queries (Q, channels), nearest first, equals by their number."""
        _, proposed = self._index.search(queries, COMPARED_ANEW * depth)  # (Q, P)
        scores = np.full(proposed.shape, -np.inf, np.float32)
        for query, rows in enumerate(proposed):  # one at a time: all rows of all queries would not fit in memory
            there = rows >= 0
            scores[query, there] = _unit(self._rows[rows[there]].astype(np.float32)) @ queries[query]
        scores, rows = _in_order(scores, proposed)
        return scores[:, :depth], rows[:, :depth]


def open_search(store: IndexStore, settings: IndexSection) -> Search:
    """Return the search that suits an index's size; an IVF index that is missing or behind is brought up to date.

    Raises `CatalogIndexError` naming the file that is damaged.
    """
    rows, owners = store.rows(), store.owners()[0]
    alive = np.flatnonzero(owners != DELETED)
    if len(alive) <= settings.exact_up_to:
        return ExactSearch(rows, alive, store.folder)
    return ApproximateSearch(_current_ivf(store, rows, owners), rows, settings.probed_share)


def build_ivf(rows: Rows, alive: NDArray[np.int64], source: Path) -> Any:
    """Train an IVF index on a sample of rows; none is added yet. The sample and the k-means are seeded.

    Distances are Euclidean, which on unit rows order as cosines do, also after the mean is taken off by the PCA.
    """
    channels = rows.shape[1]
    coded = min(channels, CODE_CHANNELS, len(alive))
    sample = np.random.default_rng(0).permutation(alive)
    pca = faiss.PCAMatrix(channels, coded)
    pca.train(unit_block(rows, np.sort(sample[:PCA_SAMPLES]), source))
    lists = list_count(len(alive))
    blocks = batches(np.sort(sample[: lists * SAMPLES_PER_LIST]), BLOCK)
    reduced = np.concatenate([pca.apply(unit_block(rows, block, source)) for block in blocks])  # (S, coded)
    quantizer = faiss.IndexFlatL2(coded)
    ivf = faiss.IndexIVFScalarQuantizer(quantizer, coded, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_L2)
    ivf.train(reduced)
    return faiss.IndexPreTransform(pca, ivf)


def list_count(pictures: int) -> int:
    """Return how many lists an IVF index of so many pictures has: four times the root, as faiss advises.

    >>> list_count(1_000_000)
    4000
    """
    return max(1, min(round(4 * math.sqrt(pictures)), pictures // SAMPLES_PER_LIST))


def add_rows(index: Any, rows: Rows, numbers: NDArray[np.int64], source: Path) -> None:
    """Add rows to a trained IVF index under their numbers."""
    for block in batches(numbers, BLOCK):
        index.add_with_ids(unit_block(rows, block, source), block)


def unit_block(rows: Rows, numbers: NDArray[np.int64], source: Path) -> NDArray[np.float32]:
    """Return some rows as float32 of length 1; raises `CatalogIndexError` where one is damaged."""
    block = rows[numbers].astype(np.float32)
    lengths = np.linalg.norm(block, axis=1)
    if not np.all(np.abs(lengths - 1) < 0.01):
        raise IndexFolderError("is damaged: a row is not of length 1", item=str(source), remedy="make a new index")
    return np.asarray(block / lengths[:, None], dtype=np.float32)


def _current_ivf(store: IndexStore, rows: Rows, owners: NDArray[np.int64]) -> Any:
    """Return the IVF index of all rows that are alive: read, brought up to date and written back where it was behind."""
    alive = np.flatnonzero(owners != DELETED)
    path, covered = _newest_ivf(store)
    index = _read_ivf(path) if path else None
    if index is None or faiss.extract_index_ivf(index).nlist < list_count(len(alive)) / 2:
        index, covered = build_ivf(rows, alive, store.folder), 0
    dead = np.flatnonzero(owners[:covered] == DELETED)
    if len(dead):
        index.remove_ids(dead)
    add_rows(index, rows, alive[alive >= covered], store.folder)
    if covered < store.row_count:
        _write_ivf(index, store)
    return index


def _newest_ivf(store: IndexStore) -> tuple[Path | None, int]:
    """Return the file that covers most rows of this generation, and how many: those of later commits are too new."""
    covered = {path: int(path.stem.rpartition("-")[2]) for path in store.folder.glob(f"ivf-{store.generation}-*.faiss")}
    fitting = {path: rows for path, rows in covered.items() if rows <= store.row_count}
    best = max(fitting, key=lambda path: fitting[path], default=None)
    return best, fitting[best] if best else 0


def _read_ivf(path: Path) -> Any:
    try:
        return faiss.read_index(str(path))
    except RuntimeError:
        raise IndexFolderError("is damaged", item=str(path), remedy="delete it: it is made again") from None


def _write_ivf(index: Any, store: IndexStore) -> None:
    path = store.folder / f"ivf-{store.generation}-{store.row_count}.faiss"
    with written_whole(path) as unfinished:
        faiss.write_index(index, str(unfinished))
    for older in store.folder.glob("ivf-*.faiss"):
        if older != path:
            older.unlink(missing_ok=True)


def _in_order(scores: NDArray[np.float32], rows: NDArray[np.int64]) -> Found:
    """Sort (Q, depth) by falling score, equals by row number, so that nothing depends on how faiss breaks ties."""
    order = np.lexsort((rows, -scores), axis=-1)
    return np.take_along_axis(scores, order, -1), np.take_along_axis(rows, order, -1)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
