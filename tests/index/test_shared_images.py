"""What `report` and `query` promise, with the real pair checkers on drawn pictures."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from PIL import Image

from agpis_sdk.errors import ConfigError, UnknownNameError
from agpis_sdk.index.records import QueryAnswer
from agpis_sdk.index.search import open_search
from agpis_sdk.index.shared_images import answer_queries
from agpis_sdk.index.store import IndexStore
from agpis_sdk.records import Product
from tests.index.shop import Shop, drawn, flipped, make_engine, names, product


def recompressed(picture: Image.Image) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=40)
    return Image.open(stream).convert("RGB")


def ask(shop: Shop, *products: Product, problems: dict[str, str] | None = None) -> list[QueryAnswer]:
    engine = make_engine()
    with IndexStore.open(shop.index) as store:
        search = open_search(store, engine.config.index)
        return list(answer_queries(store, engine, search, products, {} if problems is None else problems))


def pair(shop: Shop, one: Image.Image, other: Image.Image) -> list[Product]:
    """Two products of one picture each, among others that show something else."""
    others = [product(f"X{seed}", shop.save(f"x{seed}.png", drawn(seed))) for seed in (101, 102, 103)]
    return [product("P", shop.save("p.png", one)), product("Q", shop.save("q.png", other)), *others]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(flipped, id="flip"),
        pytest.param(recompressed, id="recompressed"),
        pytest.param(lambda picture: picture.crop((20, 15, 225, 220)), id="crop"),
        pytest.param(lambda picture: flipped(picture).resize((150, 150)), id="small flip"),
    ],
)
def test_a_changed_copy_under_another_product_is_found(shop: Shop, change: object) -> None:
    shop.add(pair(shop, drawn(1), change(drawn(1))))  # type: ignore[operator]

    (group,) = shop.repeats()

    assert names(group) == ["P/p", "Q/q"]
    (repeat,) = group.repeats
    assert (repeat.code, repeat.first.product_id, repeat.second.product_id) == ("AGP201", "P", "Q")
    assert repeat.score >= 0.5
    assert repeat.first.box is not None


def test_a_flip_is_called_mirrored_and_lies_on_the_same_spot(shop: Shop) -> None:
    shop.add(pair(shop, drawn(1), flipped(drawn(1))))

    (repeat,) = shop.repeats()[0].repeats

    assert "mirrored" in repeat.message
    assert '"P/p"' in repeat.message
    assert repeat.similarity > 0.999


def test_the_same_file_under_two_products_is_an_exact_copy(shop: Shop) -> None:
    shop.add(pair(shop, drawn(1), drawn(1)))

    (group,) = shop.repeats()

    assert names(group) == ["P/p", "Q/q"]
    assert [(repeat.code, repeat.score) for repeat in group.repeats] == [("AGP202", 1.0)]


def test_different_pictures_are_no_repeats_however_near_they_lie(shop: Shop) -> None:
    shop.add(pair(shop, drawn(1), drawn(2)))

    assert shop.repeats() == []


def test_a_repeat_within_one_product_is_not_reported(shop: Shop) -> None:
    paths = [shop.save("a.png", drawn(1)), shop.save("b.png", flipped(drawn(1))), shop.save("c.png", drawn(1))]
    shop.add([product("P", *paths), product("X", shop.save("x.png", drawn(9)))])

    assert shop.repeats() == []


def test_all_copies_of_a_picture_are_one_group(shop: Shop) -> None:
    copies = [drawn(1), flipped(drawn(1)), recompressed(drawn(1)), drawn(1)]
    shop.add([product(f"P{number}", shop.save(f"{number}.png", copy)) for number, copy in enumerate(copies)])

    (group,) = shop.repeats()

    assert group.products == ["P0", "P1", "P2", "P3"]
    assert group.images[0].sha256 == group.images[3].sha256


def test_the_order_in_which_products_are_added_changes_nothing(shop: Shop) -> None:
    listed = pair(shop, drawn(1), flipped(drawn(1)))
    listed += [product("R", shop.save("r.png", drawn(102))), product("S", shop.save("s.png", drawn(1)))]
    other = Shop(shop.folder / "other")

    shop.add(listed)
    for one in reversed(listed):
        other.add([one])

    assert shop.repeats() == other.repeats()
    assert len(shop.repeats()) == 2


def test_an_ivf_index_finds_the_same_repeats(shop: Shop) -> None:
    shop.add([*pair(shop, drawn(1), flipped(drawn(1))), product("R", shop.save("r.png", recompressed(drawn(103))))])

    assert shop.repeats(make_engine(exact_up_to=0)) == shop.repeats()


def test_a_file_that_is_gone_is_named(shop: Shop) -> None:
    shop.add(pair(shop, drawn(1), flipped(drawn(1))))
    (shop.folder / "q.png").unlink()
    problems: dict[str, str] = {}

    assert shop.repeats(problems=problems) == []

    assert list(problems) == ["Q/q"]
    assert "no such file" in problems["Q/q"]


def test_a_file_that_has_changed_since_it_was_added_is_named(shop: Shop) -> None:
    shop.add(pair(shop, drawn(1), flipped(drawn(1))))
    shop.save("q.png", drawn(3))
    problems: dict[str, str] = {}

    assert shop.repeats(problems=problems) == []

    assert "has changed since it was added; add its product again" in problems["Q/q"]


def test_a_checker_that_fails_on_a_pair_is_named(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.add(pair(shop, drawn(1), flipped(drawn(1))))
    engine = make_engine(rules=["duplicate-content"], min_similarity=0.9)

    def fail(pairs: Sequence[object], context: object) -> None:
        raise ValueError("out of ink")

    monkeypatch.setattr(engine._run.pair_checkers[0].instance, "check_pairs", fail)
    problems: dict[str, str] = {}

    assert shop.repeats(engine, problems) == []

    assert "P/p and Q/q" in problems
    assert "duplicates (duplicates local) failed: ValueError: out of ink" in problems["P/p and Q/q"]


def test_a_query_finds_the_picture_and_adds_nothing(shop: Shop) -> None:
    shop.add(pair(shop, drawn(1), drawn(2)))
    before = shop.held()

    found, nothing = ask(shop, product("N", shop.save("n.png", flipped(drawn(1))), shop.save("m.png", drawn(50))))

    assert [image.name for image in found.images] == ["P/p"]
    assert "mirrored" in found.repeats[0].message
    assert nothing.repeats == ()
    assert shop.held() == before


def test_a_query_lists_every_product_that_shows_the_picture(shop: Shop) -> None:
    shop.add(pair(shop, drawn(1), drawn(1)))

    (answer,) = ask(shop, product("N", shop.save("n.png", recompressed(drawn(1)))))

    assert [image.name for image in answer.images] == ["P/p", "Q/q"]
    assert len(answer.repeats) == 1


def test_a_query_leaves_out_the_product_itself(shop: Shop) -> None:
    listed = pair(shop, drawn(1), flipped(drawn(1)))
    shop.add(listed)

    (answer,) = ask(shop, listed[0])

    assert [image.name for image in answer.images] == ["Q/q"]


def test_an_image_that_cannot_be_looked_up_says_why(shop: Shop) -> None:
    shop.add(pair(shop, drawn(1), drawn(2)))

    (answer,) = ask(shop, product("N", str(shop.folder / "gone.png")))

    assert answer.reason is not None
    assert "no such file" in answer.reason


def test_rules_that_no_checker_raises_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"index\.rules: no pair checker can raise any of these rules"):
        make_engine(rules=["blurry-image"])


def test_an_unknown_rule_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match='did you mean "exact-copy"'):
        make_engine(rules=["exact-cpy"])
