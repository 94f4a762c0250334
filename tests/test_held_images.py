"""Images that are Python values: whatever a notebook has at hand is a product's image (agpis_sdk/held_images.py)."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError
from agpis_sdk.media.products import checked
from agpis_sdk.media.sources import read_image_bytes
from agpis_sdk.records import Product, Review
from tests.pipeline.fakes import Stand

PIXELS = np.arange(24 * 32 * 3, dtype=np.uint8).reshape(24, 32, 3)


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(
    "value",
    [PIXELS, Image.fromarray(PIXELS), png(PIXELS), bytearray(png(PIXELS)), {"bytes": png(PIXELS), "path": None}],
    ids=["array", "PIL", "bytes", "bytearray", "Hugging Face"],
)
def test_the_pixels_that_are_read_are_those_that_were_given(value: object) -> None:
    product = Product(id="P1", images=[value])  # type: ignore[arg-type]

    data = read_image_bytes(product.images[0].uri, MediaSection())

    assert (np.asarray(Image.open(io.BytesIO(data))) == PIXELS).all()
    assert product.images[0].id == "image-1"


def test_all_kinds_may_stand_beside_each_other_with_or_without_ids() -> None:
    images = [
        Path("a.jpg"),
        "https://shop.example/b.jpg",
        {"id": "front", "uri": PIXELS},
        {"id": "c", "uri": Path("c.jpg")},
    ]

    product = Product(id="P1", images=images)  # type: ignore[arg-type]

    assert [(image.id, image.uri.partition(":")[0]) for image in product.images] == [
        ("a", "a.jpg"),
        ("b", "https"),
        ("front", "memory"),
        ("c", "c.jpg"),
    ]


def test_a_pipeline_takes_them_through_and_names_their_place_in_memory(gallery: Path) -> None:
    pictures = [Image.open(gallery / f"{one}.png") for one in "abc"]

    (outcome,) = Stand().pipeline().run([{"id": "P1", "images": pictures}])

    assert outcome.status == "submit"
    assert all(image.uri is not None and image.uri.startswith("memory:") for image in outcome.images)


def test_they_survive_pickling_copies_a_review_and_a_base_folder(tmp_path: Path) -> None:
    product = Product(id="P1", images=[PIXELS])  # type: ignore[arg-type]
    (with_base,) = checked([product], base=tmp_path)
    review = Review(product=product, sequence=("image-1",), decision="accepted")

    for one in (pickle.loads(pickle.dumps(product)), product.model_copy(), with_base, review.product):
        assert isinstance(one, Product)
        assert read_image_bytes(one.images[0].uri, MediaSection())


def test_one_beyond_the_limit_on_bytes_is_refused_like_a_file() -> None:
    product = Product(id="P1", images=[PIXELS])  # type: ignore[arg-type]

    with pytest.raises(ImageReadError, match=r"more than media\.max_bytes"):
        read_image_bytes(product.images[0].uri, MediaSection(max_bytes=10))


@pytest.mark.parametrize("array", [PIXELS.astype(np.float32), PIXELS[0, 0]])
def test_an_array_that_is_no_picture_is_refused(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"is no image; give \(height, width, 3\) of uint8"):
        Product(id="P1", images=[array])  # type: ignore[arg-type]


def test_records_show_themselves_in_a_notebook() -> None:
    product = Product(id="<P1>", title="Bag", images=["https://shop.example/a.jpg", "b.jpg"])  # type: ignore[arg-type]

    shown = product._repr_html_()

    assert "&lt;P1&gt;" in shown
    assert '<img src="https://shop.example/a.jpg"' in shown
    assert shown.count("<img") == 1
