"""Candidates: the nearest pictures of other products."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.batches import batches
from agpis_sdk.config import IndexSection
from agpis_sdk.index.search import Search, unit_block
from agpis_sdk.index.store import DELETED, IndexStore

SPARE = 8  # rows fetched beyond those asked for, as the picture itself and its own product's are among the nearest
QUERIES = 256  # that are searched for at a time
NO_PRODUCT = -3  # the owner of a query whose product is not in the index


def candidates(
    queries: NDArray[np.float32],
    owners_of_queries: NDArray[np.int64],
    search: Search,
    owners: NDArray[np.int64],
    settings: IndexSection,
) -> Iterator[tuple[int, int, float]]:
    """Yield (query, row, cosine): for each unit query (Q, channels) its `settings.neighbors` nearest of other products.

    `owners` (rows,) are those of `IndexStore.owners`. Where a query's own product takes up too many places, the
    search goes deeper.
    """
    alive = int((owners != DELETED).sum())
    pending, depth = np.arange(len(queries) if alive else 0), settings.neighbors + SPARE
    while len(pending):
        depth = min(depth, alive)
        scores, rows = search.search(queries[pending], depth)
        near = (rows >= 0) & (scores >= settings.min_similarity)
        own = owners_of_queries[pending, None]
        wanted = near & ((owners[rows] != own) | (own < 0))
        enough = (wanted.sum(axis=1) >= settings.neighbors) | ~near.all(axis=1) | (depth >= alive)
        for place in np.flatnonzero(enough):
            for column in np.flatnonzero(wanted[place])[: settings.neighbors]:
                cosine = min(max(float(scores[place, column]), -1.0), 1.0)  # rounding may lead beyond
                yield int(pending[place]), int(rows[place, column]), cosine
        pending, depth = pending[~enough], 4 * depth


def candidate_pairs(
    store: IndexStore, search: Search, settings: IndexSection
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return every pair of rows (P, 2) of which one is among the candidates of the other, and its cosine (P,).

    Pairs are sorted, the smaller row first.
    """
    rows, (owners, _) = store.rows(), store.owners()
    alive = np.flatnonzero(owners != DELETED)
    found: list[tuple[int, int]] = []
    cosines: list[float] = []
    for block in batches(alive, QUERIES):
        queries = unit_block(rows, block, store.folder)
        for query, row, cosine in candidates(queries, owners[block], search, owners, settings):
            one = int(block[query])
            if one != row:
                found.append((min(one, row), max(one, row)))
                cosines.append(cosine)
    pairs, places = np.unique(np.array(found, np.int64).reshape(-1, 2), axis=0, return_index=True)
    return pairs, np.array(cosines)[places]


def io_schedule(pairs: NDArray[np.int64], rows_at_once: int) -> NDArray[np.int64]:
    """Return the order (P,) in which pairs of rows (P, 2) are compared, so that few pictures are read twice.

    Pictures are gathered, the one with the most pairs among those already there next, until there are `rows_at_once`;
    the pairs among them come first, and the same again with those that are left.
    """
    left: dict[int, dict[int, int]] = {}  # row -> the rows that it is paired with, and the number of the pair
    for number, (one, other) in enumerate(pairs.tolist()):
        left.setdefault(one, {})[other] = number
        left.setdefault(other, {})[one] = number
    order: list[int] = []
    while left:
        gathered = _gathered(left, rows_at_once)
        for row in gathered:
            for other in gathered.intersection(left[row]):
                order += [left[row][other]] if row < other else []
        for row in gathered:
            others = {other: number for other, number in left.pop(row).items() if other not in gathered}
            if others:
                left[row] = others
    return np.array(order, np.int64)


def _gathered(left: Mapping[int, Mapping[int, int]], rows_at_once: int) -> set[int]:
    """Return two or more rows, as many as are read at once, with many pairs among them; the smaller of equals first."""
    gathered: set[int] = set()
    shared: Counter[int] = Counter()  # how many of the gathered rows a row is paired with
    nearest: list[tuple[int, int]] = []  # a heap of (-shared, row), in which old entries stay
    seeds = iter(left)
    while len(gathered) < max(rows_at_once, 2):
        while nearest and (nearest[0][1] in gathered or -nearest[0][0] < shared[nearest[0][1]]):
            heappop(nearest)
        row = heappop(nearest)[1] if nearest else next((row for row in seeds if row not in gathered), None)
        if row is None:
            break
        gathered.add(row)
        for other in left[row]:
            if other not in gathered:
                shared[other] += 1
                heappush(nearest, (-shared[other], other))
    return gathered
