"""Pictures of one plain product, and a context for components that ask nothing of it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from agpis_sdk.builtin.foreground.background_estimator import BackgroundEstimator
from agpis_sdk.components import ComponentConfig, Context, DecodedImage
from agpis_sdk.config import MediaSection
from agpis_sdk.media.decode import decode_image


class AnyContext:
    """A context that takes every fact and knows none."""

    def provide(self, image: DecodedImage, name: str, value: Any) -> None:
        """Take a fact."""


ANY_CONTEXT = cast("Context", AnyContext())


class Facts:
    """A context that keeps what components provide."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], Any] = {}

    def provide(self, image: DecodedImage, name: str, value: Any) -> None:
        self.known[image.id, name] = value

    def fact(self, image: DecodedImage, name: str) -> Any:
        return self.known[image.id, name]


def with_background(images: Sequence[DecodedImage]) -> Context:
    """Return a context that knows the background of images, as a run does before it measures them."""
    context = cast("Context", Facts())
    list(BackgroundEstimator(ComponentConfig()).check_images(images, context))
    return context


def decoded(picture: Image.Image | NDArray[np.uint8], image_id: str = "a", position: int = 0) -> DecodedImage:
    """Return a picture as components see it."""
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    return from_file(encoded(picture), "a.png", image_id, position)


def encoded(picture: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    """Return the bytes of a picture's file."""
    stream = io.BytesIO()
    picture.save(stream, file_format, **options)
    return stream.getvalue()


def from_file(data: bytes, name: str, image_id: str = "a", position: int = 0) -> DecodedImage:
    """Return a file's bytes as components see them."""
    return decode_image(
        data, product_id="P1", image_id=image_id, position=position, limits=MediaSection(), uri=f"photos/{name}"
    )


def bag(
    size: tuple[int, int] = (600, 600),
    *,
    box: tuple[float, float, float, float] = (0.2, 0.2, 0.8, 0.8),
    color: Any = (170, 60, 50),
    background: Any = "white",
) -> Image.Image:
    """Draw a bag with stripes in `box` (left, top, right, bottom in 0..1) on an even background."""
    width, height = size
    picture = Image.new("RGB", size, background)
    draw = ImageDraw.Draw(picture)
    left, top, right, bottom = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    draw.rectangle((left, top, right, bottom), fill=color)
    darker = tuple(int(value * 0.6) for value in color)
    for step in range(1, 6):
        x = left + (right - left) * step / 6
        draw.line((x, top, x, bottom), fill=darker, width=max(1, width // 100))
    return picture


def noise(seed: int = 0, size: tuple[int, int] = (600, 600)) -> Image.Image:
    """Draw many overlapping things of many colors, which fill the whole picture."""
    hand = np.random.default_rng(seed)
    picture = Image.new("RGB", size)
    draw = ImageDraw.Draw(picture)
    for _ in range(500):
        x, y = hand.integers(-40, size[0]), hand.integers(-40, size[1])
        color = tuple(int(value) for value in hand.integers(0, 256, 3))
        draw.rectangle((x, y, x + hand.integers(10, 80), y + hand.integers(10, 80)), fill=color)
    return picture


def blurred(picture: Image.Image, radius: float) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(radius))


def on_a_table_of_things() -> Image.Image:
    picture = noise()
    picture.paste(bag((240, 240), box=(0, 0, 1, 1)), (180, 180))
    return picture


def studio(shape: str = "gradient") -> Image.Image:
    """Draw a bag before a backdrop that runs from white to gray, or with a soft shadow beside it."""
    rows, columns = np.mgrid[0:600, 0:600] / 600
    shade = 60 * rows**2 if shape == "gradient" else 40 * np.exp(-((columns - 0.7) ** 2 + (rows - 0.75) ** 2) / 0.02)
    backdrop = Image.fromarray(np.repeat((252 - shade)[..., None], 3, axis=2).astype(np.uint8))
    backdrop.paste(bag(box=(0, 0, 1, 1), size=(240, 240)), (180, 180))
    return backdrop
