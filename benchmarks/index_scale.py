"""What does a large catalog index cost, and how many of the true neighbors does it find?

python benchmarks/index_scale.py [--vectors N] [--queries N] [--folder FOLDER] [--set index.probed_share=0.1]

The vectors are drawn, but lie as those of photos do: on 1,600 photos of two shops and 200 of a third the embeddings of
`efficientnet-lite0` have a mean of length 0.6, and the variances of their principal components fall as rank^-1.2. Fifty
pictures share a kind. A query is a stored vector moved to a cosine of 0.85, as a crop of 65 to 80 % moves an embedding.
`recall` is the share of the true ten nearest among the ten found, `found` the share of queries whose own vector is.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from agpis_sdk.config import load_config
from agpis_sdk.index.records import IndexedImage
from agpis_sdk.index.search import Search, open_search, unit_block
from agpis_sdk.index.store import BackboneIdentity, Chunk, IndexStore

CHANNELS = 1280
MEAN_LENGTH, SLOPE = 0.6, -1.2
PICTURES_OF_A_KIND = 50
KIND_SHARE = 0.6  # of the variance lies between kinds
QUERY_COSINE = 0.85
CHUNK = 5_000
NEIGHBORS = 10

Vectors = NDArray[np.float32]


def spectrum() -> Vectors:
    """Return the standard deviation (CHANNELS,) of each component, squares adding up to 1."""
    variances = np.arange(1, CHANNELS + 1) ** SLOPE
    return np.sqrt(variances / variances.sum()).astype(np.float32)


def drawn(count: int, seed: int = 0) -> Iterator[Vectors]:
    """Yield unit vectors (CHUNK, CHANNELS) in chunks; the same whatever the count."""
    hand, deviations = np.random.default_rng(seed), spectrum()
    spread = np.sqrt(1 - MEAN_LENGTH**2)
    mean = np.full(CHANNELS, MEAN_LENGTH / np.sqrt(CHANNELS), np.float32)
    for start in range(0, count, CHUNK):
        kinds = hand.standard_normal((CHUNK // PICTURES_OF_A_KIND, CHANNELS), np.float32) * deviations
        own = hand.standard_normal((CHUNK, CHANNELS), np.float32) * deviations
        kind = np.repeat(kinds, PICTURES_OF_A_KIND, axis=0)
        yield unit(mean + spread * (np.sqrt(KIND_SHARE) * kind + np.sqrt(1 - KIND_SHARE) * own))[: count - start]


def unit(rows: Vectors) -> Vectors:
    """Return rows (N, C) of length 1."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def moved(rows: Vectors, seed: int = 1) -> Vectors:
    """Return unit rows (N, C) at a cosine of QUERY_COSINE to those given, moved along the spectrum."""
    steps = np.random.default_rng(seed).standard_normal(rows.shape, np.float32) * spectrum()
    steps = unit(steps - (steps * rows).sum(axis=1, keepdims=True) * rows)
    return unit(QUERY_COSINE * rows + np.sqrt(1 - QUERY_COSINE**2) * steps)


def write(folder: Path, count: int) -> float:
    """Write an index of drawn vectors; return the seconds that the store took, drawing left out."""
    seconds, number = 0.0, 0
    identity = BackboneIdentity("drawn", next(drawn(1))[0])
    with IndexStore.open_to_write(folder, identity) as store:
        for rows in drawn(count):
            names = [f"{number + offset:08}" for offset in range(len(rows))]
            number += len(rows)
            images = [IndexedImage(product_id=name, id="main", uri=f"{name}.jpg", sha256=name) for name in names]
            started = time.perf_counter()
            store.commit(Chunk(images=images, rows=dict(zip(names, rows, strict=True))))
            seconds += time.perf_counter() - started
    return seconds


def true_neighbors(store: IndexStore, queries: Vectors) -> NDArray[np.int64]:
    """Return the nearest NEIGHBORS rows (Q, NEIGHBORS) of queries, every row compared."""
    rows = store.rows()
    scores = np.zeros((len(queries), 0), np.float32)
    numbers = np.zeros((len(queries), 0), np.int64)
    for start in range(0, len(rows), 20_000):
        block = np.arange(start, min(start + 20_000, len(rows)))
        scores = np.concatenate([scores, queries @ unit_block(rows, block, store.folder).T], axis=1)
        numbers = np.concatenate([numbers, np.tile(block, (len(queries), 1))], axis=1)
        best = np.argsort(-scores, axis=1)[:, :NEIGHBORS]
        scores, numbers = np.take_along_axis(scores, best, 1), np.take_along_axis(numbers, best, 1)
    return numbers


def timed(search: Search, queries: Vectors) -> tuple[NDArray[np.int64], float, float]:
    """Return what a search finds (Q, NEIGHBORS), and milliseconds per query, all together and one at a time."""
    search.search(queries[:8], NEIGHBORS)  # pages that are touched first cost more
    started = time.perf_counter()
    _, found = search.search(queries, NEIGHBORS)
    together = time.perf_counter() - started
    started = time.perf_counter()
    for query in queries[:100]:
        search.search(query[None], NEIGHBORS)
    alone = (time.perf_counter() - started) / min(100, len(queries))
    return found, 1000 * together / len(queries), 1000 * alone


def memory() -> tuple[float, float]:
    """Return the peak of resident memory, and what is held now beyond pages of files, both in GB (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    held = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, held / 1e6


def measure(folder: Path, count: int, asked: int, settings: list[str]) -> None:
    """Build, ask, compare and print."""
    index = load_config(overrides=settings).config.index
    writing = write(folder, count)
    with IndexStore.open(folder) as store:
        started = time.perf_counter()
        search = open_search(store, index)
        building = time.perf_counter() - started
        originals = np.sort(np.random.default_rng(2).choice(count, min(asked, count), replace=False))
        queries = moved(unit_block(store.rows(), originals, folder))
        found, together, alone = timed(search, queries)
        peak, held = memory()
        wanted = true_neighbors(store, queries)
    with IndexStore.open(folder) as store:
        started = time.perf_counter()
        open_search(store, index)
        opening = time.perf_counter() - started
    shares = [len(set(one) & set(other)) / NEIGHBORS for one, other in zip(found, wanted, strict=True)]
    there = [original in rows for original, rows in zip(originals, found, strict=True)]
    truly = [original in rows for original, rows in zip(originals, wanted, strict=True)]
    table = Table(title=f"{count:,} vectors of {CHANNELS} channels, {type(search).__name__}", show_header=False)
    table.add_row("rows and images written", f"{writing:.1f} s")
    table.add_row("index built", f"{building:.1f} s")
    table.add_row("index opened again", f"{opening:.1f} s")
    table.add_row("a query, of many together", f"{together:.2f} ms")
    table.add_row("a query, alone", f"{alone:.2f} ms")
    table.add_row("recall@10", f"{np.mean(shares):.3f}")
    table.add_row("found among 10 (by comparing all)", f"{np.mean(there):.3f} ({np.mean(truly):.3f})")
    table.add_row("memory, peak", f"{peak:.2f} GB")
    table.add_row("memory held, pages of files left out", f"{held:.2f} GB")
    for path in sorted(folder.iterdir()):
        table.add_row(f"disk, {path.name}", f"{path.stat().st_size / 1e9:.2f} GB")
    Console().print(table)


def main() -> None:
    """Measure one size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument(
        "--folder", type=Path, help="where to make the index, which stays there; a temporary one if unset"
    )
    parser.add_argument("--set", action="append", default=[], dest="settings")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary) / "index"
        measure(folder, arguments.vectors, arguments.queries, arguments.settings)


if __name__ == "__main__":
    main()
