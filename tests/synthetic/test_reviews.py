"""What the bench promises: clean sequences stay clean, violations are named, and the same seed gives the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from agpis_sdk.datasets.feedback_parser import FeedbackParser
from agpis_sdk.datasets.galleries import read_reviews
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.synthetic import augmentations
from agpis_sdk.synthetic.contact_sheets import write_contact_sheets
from agpis_sdk.synthetic.corner_marks import without_corner_mark
from agpis_sdk.synthetic.galleries import color_distance, read_clean_galleries
from agpis_sdk.synthetic.reviews import ONE_PHOTO_SHARES, build_reviews, draw_plan, read_manifest
from agpis_sdk.synthetic.sequences import TABLE_1

RED, BLUE = (200, 30, 40), (30, 40, 200)
VIEWS = {"main": (RED, 20), "alt1": (RED, 12), "back": (RED, 16), "blue": (BLUE, 20)}


def photo(color: tuple[int, int, int], inset: int) -> np.ndarray:
    """Return a colored block on white, (120, 90, 3)."""
    pixels = np.full((120, 90, 3), 255, np.uint8)
    pixels[inset:-inset, inset:-inset] = color
    return pixels


def open_shop(folder: Path, *, two_colored: bool = False, products: int = 30) -> Path:
    """Write a shop whose products have three red views and a blue variant; the last one's back may be blue."""
    (folder / "images").mkdir(parents=True)
    facts: dict[str, dict[str, dict[str, str]]] = {}
    lines = []
    for number in range(products):
        product_id, category = f"P{number}", ("Tops/Hoodie", "Bags/Backpack", "Shoes/Boot")[number % 3]
        images, facts[product_id] = [], {}
        for view, (color, inset) in VIEWS.items():
            if two_colored and view == "back" and number == products - 1:
                color = BLUE
            uri, name = f"images/{product_id}_{view}.png", f"{product_id}_{view}"
            Image.fromarray(photo((color[0], color[1] + number, color[2]), inset)).save(folder / uri)
            images.append({"id": name, "uri": uri})
            shown = "main" if view == "blue" else view
            facts[product_id][name] = {"view": shown, "file_color": "blue" if view == "blue" else "red"}
        title = f"{category.split('/')[1]} {number}"
        lines.append(json.dumps({"id": product_id, "title": title, "category": category, "images": images}))
    (folder / "products.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return open_shop(tmp_path_factory.mktemp("shop") / "red")


@pytest.fixture(scope="module")
def bench(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bench")
    build_reviews([shop], out, per_product=25)
    return out


def test_a_photo_whose_product_meets_the_edge_gets_no_frame() -> None:
    close_up = np.random.default_rng(0).integers(0, 255, (100, 80, 3), dtype=np.uint8)

    retaken = augmentations.retaken(close_up, np.random.default_rng(1))

    assert retaken.shape[0] <= 100
    assert float(retaken[:3].std()) > 30


def test_a_photo_on_plain_white_may_get_wider_margins() -> None:
    retaken = augmentations.retaken(photo(RED, 20), np.random.default_rng(1))

    assert retaken.shape[0] > 120
    assert int(retaken[0].min()) > 235


def test_another_hue_leaves_the_ground_alone() -> None:
    blue = augmentations.recolored(photo(RED, 20), 240)

    assert (blue[:10] == 255).all()
    assert blue[60, 45, 2] > 150 > blue[60, 45, 0]


def test_colors_are_compared_where_the_product_is() -> None:
    assert color_distance(photo(RED, 20), photo(RED, 12)) < 1
    assert color_distance(photo(RED, 20), photo(BLUE, 20)) > 30


def test_a_corner_mark_that_stands_alone_is_taken_off() -> None:
    marked = photo(RED, 20)
    marked[112:116, 60:80] = 90

    clean = without_corner_mark(marked)

    assert clean is not None
    assert (clean[110:] == 255).all()
    assert (clean[:100] == marked[:100]).all()


def test_a_corner_that_the_product_reaches_into_is_left_alone() -> None:
    assert without_corner_mark(photo(RED, 4)) is None


def test_a_product_in_two_colors_gives_a_gallery_for_each(shop: Path) -> None:
    galleries = [gallery for gallery in read_clean_galleries([shop]) if gallery.product.id == "P0"]

    assert [(gallery.color, gallery.length) for gallery in galleries] == [("red", 3), ("blue", 1)]
    assert galleries[0].variants == ("P0_blue",)


def test_a_back_in_another_color_stands_in_no_gallery(tmp_path: Path) -> None:
    galleries = read_clean_galleries([open_shop(tmp_path / "shop", two_colored=True, products=2)])

    assert [gallery.others for gallery in galleries if gallery.color == "red"] == [
        ("P0_alt1", "P0_back"), ("P1_alt1",),
    ]  # fmt: skip


def test_without_facts_the_first_image_is_the_main_view(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "shop", products=1)
    (shop / "facts.json").unlink()

    (gallery,) = read_clean_galleries([shop])

    assert (gallery.main, gallery.length) == ("P0_main", 4)


def test_products_that_share_a_file_stand_in_one_split(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "shop", products=20)
    for number in range(1, 20):
        (shop / f"images/P{number}_back.png").write_bytes((shop / "images/P0_back.png").read_bytes())

    assert len({gallery.split for gallery in read_clean_galleries([shop])}) == 1


def test_the_same_seed_gives_the_same_bytes(shop: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"

    assert build_reviews([shop], first, per_product=3) == build_reviews([shop], second, per_product=3)

    for path in sorted(path for path in first.rglob("*") if path.is_file()):
        assert path.read_bytes() == (second / path.relative_to(first)).read_bytes()


def test_a_rejection_names_the_rule_that_was_broken(bench: Path) -> None:
    parser = FeedbackParser(shipped_rules())
    for review in read_reviews(bench / "reviews.jsonl"):
        assert (review.decision == "accepted") == (not review.rules)
        if review.rules:
            assert parser.rules_in(review.feedback)[0] == review.rules[0]
        else:
            assert review.feedback == "yes"


def test_no_product_and_no_photo_stands_in_two_splits(bench: Path) -> None:
    sides: dict[str, set[str]] = {}
    for review in read_reviews(bench / "reviews.jsonl"):
        sides.setdefault(review.product.attributes["source"], set()).add(review.product.attributes["split"])

    assert {len(splits) for splits in sides.values()} == {1}
    assert set().union(*sides.values()) == {"train", "validation", "test"}


def test_the_manifest_counts_what_is_there(bench: Path) -> None:
    manifest, reviews = read_manifest(bench), list(read_reviews(bench / "reviews.jsonl"))

    assert sum(manifest["reviews"].values()) == len(reviews)
    assert manifest["accepted"] == sum(review.decision == "accepted" for review in reviews)
    assert 0.6 < manifest["accepted"] / len(reviews) < 0.8
    assert len(manifest["rules"]) >= 30


def test_balanced_subsets_hold_as_many_accepted_as_rejected(bench: Path) -> None:
    decisions = {review.product.id: review.decision for review in read_reviews(bench / "reviews.jsonl")}

    subsets = json.loads((bench / "subsets.json").read_text(encoding="utf-8"))

    for ids in subsets["train"].values():
        chosen = [decisions[product_id] for product_id in ids]
        assert chosen.count("accepted") == chosen.count("rejected") > 0


def test_what_is_not_there_is_no_bench(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="agpis bench build"):
        read_manifest(tmp_path)


@given(few=st.integers(0, 50), many=st.integers(1, 50), per_product=st.integers(10, 200))
def test_the_whole_has_the_shares_of_table_1_where_that_can_be(few: int, many: int, per_product: int) -> None:
    plan = draw_plan([1] * few + [3] * many, per_product, TABLE_1)

    (one_count, one), (count, shares) = plan[False], plan[True]
    draws = few * one_count + many * count
    for category in range(4):
        total = (few * one_count * one[category] + many * count * shares[category]) / draws
        if few * one_count * ONE_PHOTO_SHARES[category] <= TABLE_1[category] * draws and all(
            few * one_count * own <= share * draws for own, share in zip(ONE_PHOTO_SHARES, TABLE_1, strict=True)
        ):
            assert abs(total - TABLE_1[category]) < 1e-9


def test_there_is_a_contact_sheet_for_every_rule(bench: Path, tmp_path: Path) -> None:
    paths = write_contact_sheets(bench, tmp_path)

    assert {path.stem for path in paths} == {"yes", *read_manifest(bench)["rules"]}
    with Image.open(paths[0]) as sheet:
        assert sheet.width > 300


def test_every_rule_of_the_bench_is_one_of_ours(bench: Path) -> None:
    assert set(read_manifest(bench)["rules"]) <= {rule.code for rule in shipped_rules()}
