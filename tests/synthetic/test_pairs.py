"""Pairs of a gallery's own photos are labeled by eye where there are labels, else by what the source tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from agpis_sdk.synthetic.pairs import LabeledPair, labeled_pairs

IMAGES = ("a", "b", "c")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One product with three photos."""
    for seed, name in enumerate(IMAGES):
        pixels = np.full((120, 100, 3), 255, np.uint8)
        cv2.circle(pixels, (50, 60), 20 + 5 * seed, (40, 60, 200), -1)
        cv2.imwrite(str(tmp_path / f"{name}.png"), pixels)
    product = {"id": "p", "title": "Thing", "images": [f"{name}.png" for name in IMAGES]}
    (tmp_path / "products.jsonl").write_text(json.dumps(product), encoding="utf-8")
    return tmp_path


def write_labels(folder: Path, views: tuple[str, ...], **ranking: Any) -> None:
    labels = [{"product": "p", "image": name, "view": view} for name, view in zip(IMAGES, views, strict=True)]
    (folder / "labels.jsonl").write_text("\n".join(map(json.dumps, labels)), encoding="utf-8")
    (folder / "labels.products.jsonl").write_text(json.dumps({"product": "p", **ranking}), encoding="utf-8")


def own_pairs(folder: Path) -> dict[str, str]:
    return {pair.first.id + pair.second.id: pair.kind for pair in labeled_pairs([folder]) if not pair.change}


def made_pairs(folder: Path, **options: Any) -> list[LabeledPair]:
    return [pair for pair in labeled_pairs([folder], **options) if pair.change]


def test_labels_tell_variants_from_views(folder: Path) -> None:
    write_labels(folder, ("front", "front", "back"), one_colour_sets=[["a", "c"], ["b"]])

    assert own_pairs(folder) == {"ab": "variant", "ac": "view", "bc": "view"}


def test_photos_of_one_view_in_one_color_are_left_out_as_they_may_repeat_each_other(folder: Path) -> None:
    write_labels(folder, ("front", "front", "back"), one_colour_sets=[["a", "b", "c"]])

    assert "ab" not in own_pairs(folder)


def test_an_image_of_another_product_makes_pairs_of_two_products(folder: Path) -> None:
    write_labels(folder, ("front", "front", "back"), one_colour_sets=[["a", "b", "c"]], foreign=["c"])

    assert own_pairs(folder) == {"ac": "product", "bc": "product"}


def test_without_labels_the_facts_of_the_source_tell(folder: Path) -> None:
    facts = {"p": {name: {"view": "main", "file_color": color} for name, color in zip(IMAGES, "rrg", strict=True)}}
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")

    assert own_pairs(folder) == {"ac": "variant", "bc": "variant"}


def test_fewer_photos_make_fewer_pairs_and_the_same_ones_every_time(folder: Path) -> None:
    one, three = made_pairs(folder, photos=1), made_pairs(folder)

    assert len(one) < len(three)
    assert [pair.change for pair in one] == [pair.change for pair in made_pairs(folder, photos=1)]


def test_two_tables_share_their_layout_and_not_their_numbers(folder: Path) -> None:
    (tables,) = [pair for pair in made_pairs(folder) if pair.change == "table"]
    same = (tables.first.pixels == tables.second.pixels).all(axis=2)

    assert tables.kind == "product"
    assert 0.8 < same.mean() < 1
