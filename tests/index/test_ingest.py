"""What `add` promises: known images are skipped, changed ones replaced, and what cannot be read is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from agpis_sdk.components import DecodedImage
from agpis_sdk.index.store import IndexStore
from tests.index.shop import Shop, colors, drawn, make_engine, product


class CountingBackbone:
    """Counts the images that it has seen, mirror images included."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, images: Sequence[DecodedImage]) -> list[Mapping[str, Any]]:
        self.seen += len(images)
        return colors(images)


def test_an_image_with_the_same_bytes_is_skipped(shop: Shop) -> None:
    backbone = CountingBackbone()
    products = [product("P", shop.save("a.png", drawn(1)), shop.save("b.png", drawn(2)))]
    shop.add(products, make_engine(backbone))
    seen = backbone.seen

    summary = shop.add(products, make_engine(backbone))

    assert (summary.added, summary.unchanged) == (0, 2)
    assert backbone.seen == seen + 2  # the drawing by which it is known, and its mirror image
    assert shop.held() == (1, 2, 2)


def test_only_what_is_new_is_added(shop: Shop) -> None:
    first = product("P", shop.save("a.png", drawn(1)))
    shop.add([first])

    summary = shop.add([first, product("Q", shop.save("b.png", drawn(2)))])

    assert (summary.added, summary.unchanged) == (1, 1)
    assert shop.held() == (2, 2, 2)


def test_a_changed_image_replaces_the_old_one(shop: Shop) -> None:
    path = shop.save("a.png", drawn(1))
    shop.add([product("P", path)])
    shop.save("a.png", drawn(2))

    summary = shop.add([product("P", path)])

    assert (summary.added, summary.replaced) == (0, 1)
    assert shop.held() == (1, 1, 1)


def test_a_file_that_has_moved_is_known_at_its_new_place(shop: Shop) -> None:
    old = shop.save("a.png", drawn(1))
    shop.add([product("P", old)])
    (shop.folder / "moved").mkdir()
    new = shop.save("moved/a.png", drawn(1))

    summary = shop.add([product("P", new)])

    assert summary.unchanged == 1
    with IndexStore.open(shop.index) as store:
        assert store.images_of_product("P")["a"].uri == new


def test_images_that_a_product_no_longer_lists_are_forgotten(shop: Shop) -> None:
    kept, dropped = shop.save("a.png", drawn(1)), shop.save("b.png", drawn(2))
    shop.add([product("P", kept, dropped)])

    summary = shop.add([product("P", kept)])

    assert summary.forgotten == 1
    assert shop.held() == (1, 1, 1)


def test_files_of_the_same_bytes_share_one_row(shop: Shop) -> None:
    backbone = CountingBackbone()
    engine = make_engine(backbone)
    paths = [shop.save(f"{name}.png", drawn(1)) for name in "abc"]

    shop.add([product(name, path) for name, path in zip("PQR", paths, strict=True)], engine)

    assert shop.held() == (3, 3, 1)
    assert backbone.seen == 4  # the drawing and the picture, each with its mirror image


def test_an_image_that_cannot_be_read_is_named_and_the_others_are_added(shop: Shop) -> None:
    (shop.folder / "broken.png").write_bytes(b"this is no picture")
    paths = [shop.save("a.png", drawn(1)), str(shop.folder / "broken.png"), str(shop.folder / "gone.png")]

    summary = shop.add([product("P", *paths)])

    assert summary.added == 1
    broken, gone = summary.problems
    assert broken.startswith("P/broken: [E310] is not an image of a known format")
    assert gone.startswith("P/gone: [E310]")
    assert "no such file" in gone


def test_an_image_that_can_no_longer_be_read_stays_as_it_was(shop: Shop) -> None:
    listed = product("P", shop.save("a.png", drawn(1)))
    shop.add([listed])
    (shop.folder / "a.png").unlink()

    summary = shop.add([listed])

    assert len(summary.problems) == 1
    assert shop.held() == (1, 1, 1)


def test_an_embedding_without_a_direction_is_named(shop: Shop) -> None:
    def blind(images: Sequence[DecodedImage]) -> list[Mapping[str, Any]]:
        return [{**facts, "embedding": facts["embedding"] * (image.pixels.shape[0] == 224)}
                for image, facts in zip(images, colors(images), strict=True)]  # fmt: skip

    summary = shop.add([product("P", shop.save("a.png", drawn(1)))], make_engine(blind))

    assert summary.added == 0
    assert "without a direction" in summary.problems[0]


def test_rows_do_not_depend_on_what_was_added_together(shop: Shop) -> None:
    listed = [product(str(seed), shop.save(f"{seed}.png", drawn(seed))) for seed in range(5)]
    together, alone = Shop(shop.folder / "together"), Shop(shop.folder / "alone")

    together.add(listed)
    for one in reversed(listed):
        alone.add([one])

    with IndexStore.open(together.index) as one, IndexStore.open(alone.index) as other:
        assert np.array_equal(one.rows(), other.rows()[::-1])


def test_an_interruption_leaves_whole_chunks_and_adding_again_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = [product(str(seed), shop.save(f"{seed}.png", drawn(seed))) for seed in range(5)]
    engine = make_engine()
    commit, committed = IndexStore.commit, []

    def interrupted(store: IndexStore, chunk: Any) -> None:
        if len(committed) == 2:
            raise KeyboardInterrupt
        commit(store, chunk)
        committed.append(chunk)

    monkeypatch.setattr(IndexStore, "commit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        shop.add(listed, engine)
    monkeypatch.undo()
    assert shop.held() == (4, 4, 4)

    summary = shop.add(listed, engine)

    assert (summary.added, summary.unchanged) == (1, 4)
