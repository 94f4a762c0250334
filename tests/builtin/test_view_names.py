"""What the name of an image says that it shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from agpis_sdk.builtin.view.names import RELIABILITY, as_named, named_view
from agpis_sdk.facts import VIEWS
from agpis_sdk.records import Product


def listed(images: Sequence[str], title: str = "Hoodie", product_id: str = "P1") -> Product:
    return Product.model_validate({"id": product_id, "title": title, "images": list(images)})


def seen(**shares: float) -> np.ndarray:
    return np.array([shares.get(view, 0.0) for view in VIEWS], np.float32)


@pytest.mark.parametrize(
    ("name", "view"),
    [
        ("mh01-gray_back", "back"), ("hoodieRear", "back"), ("HOODIE-DETAIL2", "detail"), ("detail1_z3", "detail"), ("side", "side"),
        ("front_large", "front"), ("backpack", None), ("mh01-gray_main", None), ("12345", None), ("front-back", None),
    ],
)  # fmt: skip
def test_a_word_of_its_own_names_a_view(name: str, view: str | None) -> None:
    assert named_view(listed([f"{name}.jpg", "other.jpg"]), name) == view


def test_a_word_of_the_title_names_none() -> None:
    product = listed(["massager-back.jpg", "massager-1.jpg"], title="Back massager")

    assert named_view(product, "massager-back") is None


def test_a_word_of_the_product_id_names_none() -> None:
    assert named_view(listed(["rear-light_1.jpg", "2.jpg"], product_id="rear-light"), "rear-light_1") is None


def test_a_word_in_the_names_of_all_images_names_none() -> None:
    product = listed(["front-bag_1.jpg", "front-bag_back.jpg"], title="")

    assert named_view(product, "front-bag_1") is None
    assert named_view(product, "front-bag_back") == "back"


def test_what_names_are_wrong_about_stays_with_the_picture() -> None:
    told = as_named(seen(front=0.8, back=0.2), "back")

    assert told[VIEWS.index("back")] == pytest.approx(RELIABILITY + (1 - RELIABILITY) * 0.2, abs=1e-4)
    assert told.sum() == pytest.approx(1, abs=1e-5)


def test_a_front_may_be_worn_by_a_model() -> None:
    told = as_named(seen(model=0.7, back=0.3), "front")

    assert VIEWS[int(told.argmax())] == "model"
    assert told[VIEWS.index("back")] < 0.05


def test_without_a_name_the_picture_alone_speaks() -> None:
    probabilities = seen(front=0.8, back=0.2)

    assert (as_named(probabilities, None) == probabilities).all()
