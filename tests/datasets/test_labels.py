"""Labels made by eye are read beside the products that they are about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agpis_sdk.datasets.labels import (
    EXCLUDED,
    Look,
    gallery_facts,
    labeled_galleries,
    labeled_images,
    labeled_looks,
)
from agpis_sdk.errors import TrainingDataError

LABEL = {"product": "p", "image": "b", "overlay": ["logo"], "view": "back", "background": "plain", "whole": False}


def a_folder(tmp_path: Path, label: dict[str, Any] = LABEL, best_first: tuple[str, ...] = ("b",)) -> Path:
    product = {"id": "p", "images": ["a.jpg", "b.jpg"]}
    (tmp_path / "products.jsonl").write_text(json.dumps(product), encoding="utf-8")
    (tmp_path / "labels.jsonl").write_text(json.dumps(label), encoding="utf-8")
    ranking = {"product": "p", "best_first": best_first}
    (tmp_path / "labels.products.jsonl").write_text(json.dumps(ranking), encoding="utf-8")
    return tmp_path


def test_a_label_is_given_with_its_image(tmp_path: Path) -> None:
    (label,) = labeled_images(a_folder(tmp_path))

    assert (label.image.id, label.view, label.overlays, label.whole) == ("b", "back", ("logo",), False)


def test_a_gallery_names_the_images_that_are_right_first(tmp_path: Path) -> None:
    (gallery,) = labeled_galleries(a_folder(tmp_path))

    assert gallery.best_first == {"b"}


def test_a_product_without_a_right_first_image_is_no_example(tmp_path: Path) -> None:
    assert list(labeled_galleries(a_folder(tmp_path, best_first=()))) == []


@pytest.mark.parametrize("changed", [{"image": "z"}, {"product": "z"}, {"view": None, "overlay": None}])
def test_a_label_that_fits_no_image_is_refused_with_its_line(tmp_path: Path, changed: dict[str, Any]) -> None:
    with pytest.raises(TrainingDataError, match="line 1"):
        list(labeled_images(a_folder(tmp_path, {**LABEL, **changed})))


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "products.jsonl").write_text('{"id": "p", "images": ["a.jpg"]}', encoding="utf-8")

    with pytest.raises(TrainingDataError, match=r"labels\.jsonl: no such file"):
        list(labeled_images(tmp_path))


def test_a_look_tells_view_color_and_another_product(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    ranking = {"product": "p", "best_first": ["a"], "one_colour_sets": [["a"], ["b"]], "foreign": ["b"]}
    (folder / "labels.products.jsonl").write_text(json.dumps(ranking), encoding="utf-8")

    assert labeled_looks(folder) == {("p", "b"): Look("back", 1, foreign=True)}


class TestAGalleryOfLabels:
    """The labels of a product as facts of its gallery."""

    def facts(self, tmp_path: Path, *labels: dict[str, Any], marked: bool = False, **product: Any) -> dict[str, Any]:
        names = [label["image"] for label in labels]
        whole = {"product": "p", "overlay": [], "view": "front", "background": "white", "whole": True, "colour": "red"}
        ranking = {"product": "p", "best_first": ["a"], "one_colour_sets": [names], "foreign": [], **product}
        lines = "\n".join(json.dumps(whole | label) for label in labels)
        record = {"id": "p", "images": [f"{name}.jpg" for name in names]}
        (tmp_path / "products.jsonl").write_text(json.dumps(record), encoding="utf-8")
        (tmp_path / "labels.jsonl").write_text(lines, encoding="utf-8")
        (tmp_path / "labels.products.jsonl").write_text(json.dumps(ranking), encoding="utf-8")
        return gallery_facts(tmp_path, marked=marked)["p"]

    def test_what_is_right_first_is_the_main_view(self, tmp_path: Path) -> None:
        facts = self.facts(tmp_path, {"image": "a"}, {"image": "b", "view": "back"})

        assert [facts[name]["view"] for name in "ab"] == ["main", "back"]

    def test_two_details_are_two_views(self, tmp_path: Path) -> None:
        facts = self.facts(tmp_path, {"image": "a"}, *({"image": name, "view": "detail"} for name in "bc"))

        assert [facts[name]["view"] for name in "bc"] == ["detail 1", "detail 2"]

    @pytest.mark.parametrize(
        "label",
        [{"overlay": ["badge"]}, {"view": "text"}, {"view": "front"}],
        ids=["overlay", "chart", "repeats the main view"],
    )
    def test_what_belongs_in_no_clean_sequence_is_excluded(self, tmp_path: Path, label: dict[str, Any]) -> None:
        assert self.facts(tmp_path, {"image": "a"}, {"image": "b", **label})["b"]["role"] == EXCLUDED

    def test_another_product_is_excluded(self, tmp_path: Path) -> None:
        facts = self.facts(tmp_path, {"image": "a"}, {"image": "b", "view": "back"}, foreign=["b"])

        assert facts["b"]["role"] == EXCLUDED

    def test_the_shop_s_own_mark_excludes_nothing_where_it_is_taken_off(self, tmp_path: Path) -> None:
        facts = self.facts(tmp_path, {"image": "a", "overlay": ["watermark"]}, marked=True)

        assert facts["a"]["role"] == "gallery"

    def test_a_color_has_its_word_where_one_set_alone_has_it(self, tmp_path: Path) -> None:
        labels = [{"image": "a"}, {"image": "b", "colour": "grey"}, {"image": "c"}]
        facts = self.facts(tmp_path, *labels, one_colour_sets=[["a"], ["b"], ["c"]])

        assert [facts[name]["file_color"] for name in "abc"] == ["set 0", "gray", "set 2"]
