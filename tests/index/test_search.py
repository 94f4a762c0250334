"""Exact and approximate search, and which neighbors become candidates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agpis_sdk.config import IndexSection
from agpis_sdk.errors import IndexFolderError
from agpis_sdk.index.candidates import candidates
from agpis_sdk.index.records import IndexedImage
from agpis_sdk.index.search import ApproximateSearch, ExactSearch, open_search
from agpis_sdk.index.store import SHARED, BackboneIdentity, Chunk, IndexStore

CHANNELS = 32
HERE = Path("here")
EXACT = IndexSection(min_similarity=-1)
APPROXIMATE = IndexSection(min_similarity=-1, exact_up_to=0)


def clustered(count: int, seed: int = 0, channels: int = CHANNELS) -> NDArray[np.float32]:
    """Unit rows (count, channels) around fifty centers, as pictures of one kind lie together."""
    hand = np.random.default_rng(seed)
    rows = hand.normal(size=(50, channels))[hand.integers(0, 50, count)] + 0.5 * hand.normal(size=(count, channels))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def write(folder: Path, rows: NDArray[np.float32], start: int = 0, forgotten: range = range(0)) -> None:
    """Add rows, each under a product of its own that is named by its number."""
    names = [str(start + number) for number in range(len(rows))]
    chunk = Chunk(
        images=[IndexedImage(product_id=name, id="a", uri=name, sha256=name) for name in names],
        rows=dict(zip(names, rows, strict=True)),
        forgotten=[(str(number), "a") for number in forgotten],
    )
    identity = BackboneIdentity("plain", clustered(1, seed=9)[0])
    with IndexStore.open_to_write(folder, identity) as store:
        store.commit(chunk)


def recall(found: NDArray[np.int64], wanted: NDArray[np.int64]) -> float:
    return float(np.mean([len(set(one) & set(other)) / len(other) for one, other in zip(found, wanted, strict=True)]))


def test_exact_search_orders_equals_by_their_number() -> None:
    rows = np.eye(4, dtype=np.float32)[[0, 1, 0, 0]]

    scores, found = ExactSearch(rows, np.arange(4), HERE).search(rows[:1], 4)

    assert found.tolist() == [[0, 2, 3, 1]]
    assert scores.tolist() == [[1, 1, 1, 0]]


def test_exact_search_leaves_out_rows_that_are_dead() -> None:
    rows = np.eye(4, dtype=np.float32)

    _, found = ExactSearch(rows, np.array([1, 3]), HERE).search(rows[:1], 3)

    assert found.tolist() == [[1, 3, -1]]


@pytest.mark.parametrize("channels", [CHANNELS, 300])
def test_approximate_search_agrees_with_exact_search(tmp_path: Path, channels: int) -> None:
    rows = clustered(3000, channels=channels)
    identity = BackboneIdentity("plain", clustered(1, channels=channels)[0])
    names = [str(number) for number in range(len(rows))]
    images = [IndexedImage(product_id=name, id="a", uri=name, sha256=name) for name in names]
    with IndexStore.open_to_write(tmp_path, identity) as store:
        store.commit(Chunk(images=images, rows=dict(zip(names, rows, strict=True))))
    queries = rows[::30]

    with IndexStore.open(tmp_path) as store:
        exact, approximate = open_search(store, EXACT), open_search(store, APPROXIMATE)
    wanted_scores, wanted = exact.search(queries, 10)
    scores, found = approximate.search(queries, 10)

    assert isinstance(approximate, ApproximateSearch)
    assert recall(found, wanted) > 0.9
    assert found[:, 0].tolist() == list(range(0, 3000, 30))
    assert np.allclose(scores[:, 0], wanted_scores[:, 0], atol=1e-3)


def test_an_ivf_index_is_kept_and_brought_up_to_date(tmp_path: Path) -> None:
    rows = clustered(500)
    write(tmp_path, rows[:450])
    with IndexStore.open(tmp_path) as store:
        open_search(store, APPROXIMATE)
    write(tmp_path, rows[450:], start=450, forgotten=range(10))

    with IndexStore.open(tmp_path) as store:
        search = open_search(store, APPROXIMATE)

    assert [path.name for path in tmp_path.glob("ivf-*")] == ["ivf-0-500.faiss"]
    _, found = search.search(rows[440:], 1)
    assert found[:, 0].tolist() == list(range(440, 500))
    _, found = search.search(rows[:10], 1)
    assert not set(found[:, 0].tolist()) & set(range(10))


def test_an_ivf_index_that_is_up_to_date_is_not_written_again(tmp_path: Path) -> None:
    write(tmp_path, clustered(200))
    times = []
    for _ in range(2):
        with IndexStore.open(tmp_path) as store:
            open_search(store, APPROXIMATE)
        times.append((tmp_path / "ivf-0-200.faiss").stat().st_mtime_ns)

    assert times[0] == times[1]


def test_a_damaged_ivf_index_is_named_with_the_remedy(tmp_path: Path) -> None:
    write(tmp_path, clustered(200))
    (tmp_path / "ivf-0-200.faiss").write_bytes(b"scribble")

    with (
        IndexStore.open(tmp_path) as store,
        pytest.raises(IndexFolderError, match=r"ivf-0-200\.faiss") as raised,
    ):
        open_search(store, APPROXIMATE)

    assert "delete it: it is made again" in str(raised.value)


def test_a_small_index_needs_no_ivf_file(tmp_path: Path) -> None:
    write(tmp_path, clustered(200))

    with IndexStore.open(tmp_path) as store:
        assert isinstance(open_search(store, IndexSection(exact_up_to=200)), ExactSearch)
        assert isinstance(open_search(store, IndexSection(exact_up_to=199)), ApproximateSearch)


def test_pictures_of_the_same_product_are_no_candidates_however_many_there_are() -> None:
    crowd = np.tile(clustered(1), (200, 1)) + 1e-3 * clustered(200, seed=1)
    rows = np.concatenate([crowd, clustered(20, seed=2)]).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    owners = np.array([0] * 200 + list(range(1, 21)))
    search = ExactSearch(rows, np.arange(220), HERE)

    found = list(candidates(rows[:1], owners[:1], search, owners, EXACT))

    assert len(found) == EXACT.neighbors
    assert all(row >= 200 for _, row, _ in found)


def test_a_picture_that_stands_under_several_products_is_a_candidate_of_all() -> None:
    rows = clustered(2)
    owners = np.array([0, SHARED])

    found = list(candidates(rows[:1], owners[:1], ExactSearch(rows, np.arange(2), HERE), owners, EXACT))

    assert [row for _, row, _ in found] == [1]


def test_what_is_far_away_is_no_candidate() -> None:
    rows = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
    settings = IndexSection(min_similarity=0.7)

    found = list(candidates(rows[:1], np.array([0]), ExactSearch(rows, np.arange(3), HERE), np.arange(3), settings))

    assert [row for _, row, _ in found] == [1]


def test_an_empty_index_has_no_candidates() -> None:
    none = np.zeros((0, CHANNELS), np.float32)
    search = ExactSearch(none, np.arange(0), HERE)

    assert list(candidates(clustered(1), np.array([0]), search, np.zeros(0, np.int64), EXACT)) == []
