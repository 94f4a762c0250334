"""The same picture under other products: over a whole index, or for images that are only looked up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.batches import batches
from agpis_sdk.index.candidates import NO_PRODUCT, candidate_pairs, candidates, io_schedule
from agpis_sdk.index.engine import IndexEngine
from agpis_sdk.index.ingest import ReadImage, embed_images, read_images
from agpis_sdk.index.records import IndexedImage, QueryAnswer, Repeat, RepeatGroup
from agpis_sdk.index.search import Search
from agpis_sdk.index.store import SHARED, IndexStore
from agpis_sdk.index.verify import IMAGES_AT_ONCE, Candidate, Problems, verify_candidates
from agpis_sdk.records import Product

PAIRS_AT_ONCE = 1024  # whose images are asked of the database together


def find_repeats(
    store: IndexStore,
    engine: IndexEngine,
    search: Search,
    problems: Problems,
    progress: Callable[[int, int], None] | None = None,
) -> list[RepeatGroup]:
    """Return the pictures that several products show, the largest groups first, then by their first image.

    Images that are gone, or have changed since they were added, are named in `problems`. `progress` is called with how many
    candidate pairs have been judged, and how many there are.
    """
    pairs, cosines = candidate_pairs(store, search, engine.config.index)
    order = io_schedule(pairs, IMAGES_AT_ONCE)
    pairs, cosines = pairs[order], cosines[order]
    owners, _ = store.owners()
    shared = np.repeat(np.flatnonzero(owners == SHARED)[:, None], 2, axis=1)  # one file under several products
    proposed = chain(_proposed(store, shared, np.ones(len(shared))), _proposed(store, pairs, cosines))
    total = len(shared) + len(pairs)
    report = None if progress is None else lambda done: progress(done, total)
    confirmed = list(verify_candidates(proposed, engine, problems, report))
    groups = []
    for pictures in connected_components((pair.first.sha256, pair.second.sha256) for pair, _ in confirmed):
        images = store.images_of_rows(store.rows_of(pictures).values())
        repeats = [repeat for pair, repeat in confirmed if pair.first.sha256 in pictures]
        groups.append(RepeatGroup(images=_by_name(chain(*images.values())), repeats=_by_score(repeats)))
    return sorted(groups, key=lambda group: (-len(group.images), group.images[0].product_id, group.images[0].id))


def answer_queries(
    store: IndexStore, engine: IndexEngine, search: Search, products: Iterable[Product], problems: Problems
) -> Iterator[QueryAnswer]:
    """Yield for each image of products the other products that show its picture; nothing is added to the index."""
    owners, numbers = store.owners()
    with ThreadPoolExecutor(engine.config.run.threads, thread_name_prefix="agpis-decode") as executor:
        for product in products:
            owner = numbers.get(product.id, NO_PRODUCT)
            for image, found in _search_for(product, owner, owners, engine, search, executor):
                if isinstance(found, str):
                    yield QueryAnswer(image=image.image, reason=found)
                else:
                    yield _look_up(image.image, found, store, engine, problems)


def connected_components(edges: Iterable[tuple[str, str]]) -> list[set[str]]:
    """Return the connected_components components of a graph that is given by its links.

    >>> [sorted(component) for component in connected_components([("a", "b"), ("c", "d"), ("b", "e")])]
    [['a', 'b', 'e'], ['c', 'd']]
    """
    import networkx as nx

    return list(nx.connected_components(nx.Graph(edges)))


def _proposed(store: IndexStore, pairs: NDArray[np.int64], cosines: NDArray[np.float64]) -> Iterator[Candidate]:
    """Yield pairs of rows (P, 2) as images to compare."""
    for places in batches(range(len(pairs)), PAIRS_AT_ONCE):
        block = pairs[places].tolist()
        images = store.images_of_rows(row for pair in block for row in pair)
        for (one, other), cosine in zip(block, cosines[places].tolist(), strict=True):
            yield Candidate.of_other_products(images[one], images[other], cosine)


def _search_for(
    product: Product,
    owner: int,
    owners: NDArray[np.int64],
    engine: IndexEngine,
    search: Search,
    executor: Executor,
) -> Iterator[tuple[ReadImage, list[tuple[int, float]] | str]]:
    """Yield each image of a product with its candidates (row, cosine), or the reason why it could not be looked up."""
    read = read_images([product], engine.config.media, executor)
    for image, row in zip(read, embed_images(read, engine, executor), strict=True):
        if isinstance(row, str):
            yield image, row
            continue
        found = candidates(row[None], np.array([owner]), search, owners, engine.config.index)
        yield image, [(number, cosine) for _, number, cosine in found]


def _look_up(
    image: IndexedImage,
    found: Sequence[tuple[int, float]],
    store: IndexStore,
    engine: IndexEngine,
    problems: Problems,
) -> QueryAnswer:
    """Judge the candidates of one image."""
    others = {
        row: [listed for listed in images if listed.product_id != image.product_id]
        for row, images in store.images_of_rows(row for row, _ in found).items()
    }
    pairs = [Candidate(image, others[row][0], cosine) for row, cosine in found if others[row]]
    confirmed = list(verify_candidates(pairs, engine, problems))
    same = {pair.second.sha256 for pair, _ in confirmed}
    images = [listed for listed in chain(*others.values()) if listed.sha256 in same]
    return QueryAnswer(image=image, images=_by_name(images), repeats=_by_score(repeat for _, repeat in confirmed))


def _by_name(images: Iterable[IndexedImage]) -> tuple[IndexedImage, ...]:
    return tuple(sorted(images, key=lambda image: (image.product_id, image.id)))


def _by_score(repeats: Iterable[Repeat]) -> tuple[Repeat, ...]:
    return tuple(
        sorted(
            repeats,
            key=lambda repeat: (
                -repeat.score, repeat.first.product_id, repeat.first.id, repeat.second.product_id, repeat.second.id
            ),
        )
    )  # fmt: skip
