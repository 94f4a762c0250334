"""What the files of an index promise: a chunk is there or not, readers are not disturbed, damage is named."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agpis_sdk.config import IndexSection
from agpis_sdk.errors import IndexFolderError
from agpis_sdk.index.records import IndexedImage
from agpis_sdk.index.search import open_search
from agpis_sdk.index.store import BackboneIdentity, Chunk, IndexStore

CHANNELS = 8
EXACT = IndexSection()


def row(seed: int) -> Any:
    vector = np.random.default_rng(seed).normal(size=CHANNELS)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


IDENTITY = BackboneIdentity("plain", row(1000))


def chunk(*seeds: int) -> Chunk:
    """Pictures named by their seeds, each under a product of its own."""
    images = [IndexedImage(product_id=f"P{seed}", id="front", uri=f"{seed}.png", sha256=f"{seed:x}") for seed in seeds]
    return Chunk(images=images, rows={f"{seed:x}": row(seed) for seed in seeds})


def write(folder: Path, *chunks: Chunk) -> None:
    with IndexStore.open_to_write(folder, IDENTITY) as store:
        for one in chunks:
            store.commit(one)


def nearest(folder: Path, seed: int) -> str:
    """The URI of the image that lies nearest to a seed's row."""
    with IndexStore.open(folder) as store:
        _, rows = open_search(store, EXACT).search(row(seed)[None], 1)
        return store.images_of_rows(rows[0].tolist())[int(rows[0, 0])][0].uri


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write(tmp_path, chunk(1, 2), chunk(3))

    with IndexStore.open(tmp_path) as store:
        assert store.counts() == (3, 3, 3)
        assert store.images_of_product("P2") == {"front": chunk(2).images[0]}
    assert [nearest(tmp_path, seed) for seed in (1, 2, 3)] == ["1.png", "2.png", "3.png"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a process that can be cut off")
def test_a_process_that_dies_in_the_middle_of_a_chunk_leaves_the_chunks_before_it(tmp_path: Path) -> None:
    write(tmp_path, chunk(1, 2))
    child = os.fork()
    if child == 0:
        store = IndexStore.open_to_write(tmp_path, IDENTITY)
        store._set_metadata = lambda **facts: os._exit(9)  # type: ignore[method-assign]
        store.commit(chunk(3, 4, 5))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9

    assert (tmp_path / "rows-0.f16").stat().st_size == 5 * CHANNELS * 2  # rows that nobody counts
    with IndexStore.open(tmp_path) as store:
        assert store.counts() == (2, 2, 2)
    write(tmp_path, chunk(6))
    assert (tmp_path / "rows-0.f16").stat().st_size == 3 * CHANNELS * 2
    assert [nearest(tmp_path, seed) for seed in (1, 2, 6)] == ["1.png", "2.png", "6.png"]


def test_a_chunk_that_fails_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, chunk(1))
    twice = chunk(2)
    twice.images *= 2

    with pytest.raises(IndexFolderError):
        write(tmp_path, twice)

    with IndexStore.open(tmp_path) as store:
        assert store.counts() == (1, 1, 1)


def test_two_writers_take_turns(tmp_path: Path) -> None:
    with (
        IndexStore.open_to_write(tmp_path, IDENTITY) as one,
        IndexStore.open_to_write(tmp_path, IDENTITY) as other,
    ):
        one.commit(chunk(1))
        other.commit(chunk(2, 3))
        one.commit(chunk(3, 4))

    with IndexStore.open(tmp_path) as store:
        assert store.counts() == (4, 4, 4)
    assert [nearest(tmp_path, seed) for seed in (1, 2, 3, 4)] == ["1.png", "2.png", "3.png", "4.png"]


def test_a_reader_sees_the_index_as_it_was_opened(tmp_path: Path) -> None:
    write(tmp_path, chunk(1, 2, 3))
    forgotten = Chunk(forgotten=[("P1", "front"), ("P2", "front")])
    with IndexStore.open(tmp_path) as reader:
        with IndexStore.open_to_write(tmp_path, IDENTITY) as writer:
            writer.commit(chunk(4))
            writer.commit(forgotten)
            writer.vacuum()

        assert reader.counts() == (3, 3, 3)
        _, rows = open_search(reader, EXACT).search(row(2)[None], 1)
        assert reader.images_of_rows([int(rows[0, 0])])[int(rows[0, 0])][0].uri == "2.png"


def test_tidying_up_keeps_what_is_alive(tmp_path: Path) -> None:
    write(tmp_path, chunk(*range(10)))

    with IndexStore.open_to_write(tmp_path, IDENTITY) as store:
        store.commit(Chunk(forgotten=[(f"P{seed}", "front") for seed in range(6)]))
        store.vacuum()

    assert [path.name for path in tmp_path.glob("rows-*")] == ["rows-1.f16"]
    assert (tmp_path / "rows-1.f16").stat().st_size == 4 * CHANNELS * 2
    assert [nearest(tmp_path, seed) for seed in range(6, 10)] == [f"{seed}.png" for seed in range(6, 10)]


def test_forgotten_pictures_are_not_found(tmp_path: Path) -> None:
    write(tmp_path, chunk(1, 2, 3, 4, 5, 6, 7, 8))

    write(tmp_path, Chunk(forgotten=[("P1", "front")]))

    assert nearest(tmp_path, 1) != "1.png"


def test_another_backbone_is_refused_with_the_remedy(tmp_path: Path) -> None:
    write(tmp_path, chunk(1))
    other = BackboneIdentity("timm", np.ones(16, np.float32) / 4)

    with pytest.raises(
        IndexFolderError, match=r'made with backbone "plain" \(8 channels\), not "timm" \(16\)'
    ) as raised:
        IndexStore.open_to_write(tmp_path, other)

    assert 'set backbone.name = "plain", or make a new index' in str(raised.value)


def test_other_weights_under_the_same_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path, chunk(1))

    with pytest.raises(IndexFolderError, match="of other weights"):
        IndexStore.open_to_write(tmp_path, BackboneIdentity("plain", row(1001)))


def test_the_same_weights_at_another_precision_are_welcome(tmp_path: Path) -> None:
    write(tmp_path, chunk(1))

    rounded = IDENTITY.probe.astype(np.float16).astype(np.float32)
    with IndexStore.open_to_write(tmp_path, BackboneIdentity("plain", rounded)) as store:
        assert store.row_count == 1


def test_a_folder_without_an_index_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(IndexFolderError, match=r"there is no index here .*agpis index add"):
        IndexStore.open(tmp_path / "nowhere")


def test_another_format_is_refused(tmp_path: Path) -> None:
    write(tmp_path, chunk(1))
    with sqlite3.connect(tmp_path / "index.sqlite") as connection:
        connection.execute("UPDATE facts SET value = 99 WHERE name = 'format'")

    with pytest.raises(IndexFolderError, match="is of format 99; this version reads format 1"):
        IndexStore.open(tmp_path)


def test_making_an_index_that_was_broken_off_can_be_done_again(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "index.sqlite").close()
    (tmp_path / "index.sqlite").touch()

    write(tmp_path, chunk(1))

    assert nearest(tmp_path, 1) == "1.png"


def scribble(path: Path) -> None:
    path.write_bytes(b"scribble" * (path.stat().st_size // 8 + 1))


def shorten(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 2)


def blank(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("index.sqlite", scribble),
        ("index.sqlite", blank),
        ("rows-0.f16", shorten),
        ("rows-0.f16", blank),
        ("rows-0.f16", Path.unlink),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, damage: Callable[[Path], None]) -> None:
    write(tmp_path, chunk(1, 2, 3))
    damage(tmp_path / name)

    with pytest.raises(IndexFolderError) as raised:
        nearest(tmp_path, 1)

    assert str(tmp_path) in str(raised.value)
    assert "damaged" in str(raised.value)


def test_nothing_is_added_to_an_index_whose_rows_are_missing(tmp_path: Path) -> None:
    write(tmp_path, chunk(1, 2, 3))
    shorten(tmp_path / "rows-0.f16")

    with pytest.raises(IndexFolderError, match="rows are missing"):
        write(tmp_path, chunk(4))
