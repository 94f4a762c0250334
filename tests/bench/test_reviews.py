"""What the bench promises: clean sequences stay clean, and the same seed gives the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agpis_sdk.bench.reviews import _retaken, build_reviews, colour_distance, read_galleries_with_views
from agpis_sdk.learn.rule_words import rules_in
from agpis_sdk.records import Review

RED, BLUE = (200, 30, 40), (30, 40, 200)


def photo(colour: tuple[int, int, int], inset: int) -> np.ndarray:
    """Return a coloured block on white, (120, 90, 3)."""
    pixels = np.full((120, 90, 3), 255, np.uint8)
    pixels[inset:-inset, inset:-inset] = colour
    return pixels


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    facts: dict[str, dict[str, dict[str, str]]] = {}
    lines = []
    for name, back in (("Red Hoodie", RED), ("Red Jacket", RED), ("Two Coloured Tee", BLUE)):
        product_id = name.replace(" ", "-")
        views = {"main": (RED, 20), "alt1": (RED, 12), "back": (back, 16), "blue": (BLUE, 20)}
        images = []
        for view, (colour, inset) in views.items():
            uri = f"images/{product_id}_{view}.png"
            Image.fromarray(photo(colour, inset)).save(tmp_path / uri)
            images.append({"id": f"{product_id}_{view}", "uri": uri})
        facts[product_id] = {
            image["id"]: {"view": view, "role": "variant" if view == "blue" else "gallery"}
            for image, view in zip(images, views, strict=True)
        }
        lines.append(json.dumps({"id": product_id, "title": name, "category": name[-3:], "images": images}))
    (tmp_path / "products.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    return tmp_path


def test_a_photo_whose_product_meets_the_edge_gets_no_frame() -> None:
    close_up = np.random.default_rng(0).integers(0, 255, (100, 80, 3), dtype=np.uint8)

    retaken = _retaken(close_up, np.random.default_rng(1), mirrored=False)

    assert retaken.shape[0] <= 100
    assert float(retaken[:3].std()) > 30


def test_a_photo_on_plain_white_may_get_wider_margins() -> None:
    retaken = _retaken(photo(RED, 20), np.random.default_rng(1), mirrored=False)

    assert retaken.shape[0] > 120
    assert int(retaken[0].min()) > 235


def test_colours_are_compared_where_the_product_is() -> None:
    assert colour_distance(photo(RED, 20), photo(RED, 12)) < 1
    assert colour_distance(photo(RED, 20), photo(BLUE, 20)) > 30


def test_a_gallery_in_two_colours_is_left_out(shop: Path) -> None:
    kept = [gallery.product.title for gallery in read_galleries_with_views(shop, seed=0)]

    assert kept == ["Red Hoodie", "Red Jacket"]


def test_the_same_seed_gives_the_same_bytes(shop: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"

    assert build_reviews([shop], first, per_product=6) == build_reviews([shop], second, per_product=6)

    for path in sorted(path for path in first.rglob("*") if path.is_file()):
        assert path.read_bytes() == (second / path.relative_to(first)).read_bytes()


def test_a_rejection_names_the_rule_that_was_broken(shop: Path, tmp_path: Path) -> None:
    build_reviews([shop], tmp_path / "out", per_product=20)
    lines = (tmp_path / "out" / "reviews.jsonl").read_text(encoding="utf-8").splitlines()

    for review in map(Review.model_validate_json, lines):
        assert (review.decision == "accepted") == (not review.rules)
        if review.rules:
            assert rules_in(review.feedback)[0] == review.rules[0]
