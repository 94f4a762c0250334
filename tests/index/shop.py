"""A shop of drawn pictures, and an engine whose backbone sees average colors; the pair checkers are the real ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from agpis_sdk.builtin.duplicates import plugin as duplicates
from agpis_sdk.builtin.image_quality import plugin as measures
from agpis_sdk.components import DecodedImage
from agpis_sdk.config import Config
from agpis_sdk.index.engine import IndexEngine
from agpis_sdk.index.ingest import IngestSummary, add_products
from agpis_sdk.index.records import RepeatGroup
from agpis_sdk.index.search import open_search
from agpis_sdk.index.shared_images import find_repeats
from agpis_sdk.index.store import IndexStore
from agpis_sdk.media.letterbox import letterbox
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Product
from tests.builtin.pictures import noise
from tests.pipeline.fakes import Stand

Features = Callable[[Sequence[DecodedImage]], list[Mapping[str, NDArray[np.float32]]]]


def colors(images: Sequence[DecodedImage], cells: int = 4) -> list[Mapping[str, NDArray[np.float32]]]:
    """Average colors of 4 x 4 cells as the embedding (48,), of 14 x 14 as the map that regions are cut from."""
    facts: list[Mapping[str, NDArray[np.float32]]] = []
    for image in images:
        square = letterbox(image.pixels, 224).astype(np.float32) / 255 - np.float32(0.5)
        coarse = cv2.resize(square, (cells, cells), interpolation=cv2.INTER_AREA).ravel()
        fine = cv2.resize(square, (14, 14), interpolation=cv2.INTER_AREA).transpose(2, 0, 1)
        facts.append({"embedding": coarse, "stride16": fine})
    return facts


def make_engine(features: Features = colors, *, backbone: str = "colors", **settings: Any) -> IndexEngine:
    """Return an engine; `settings` are those of `[index]`. Whatever is near is compared, unless they say otherwise."""
    host = PluginHost()
    stand = Stand().backbone(features, name=backbone, provides=frozenset({"embedding", "stride16"}))
    for plugin, name in ((duplicates, "duplicates"), (measures, "image-quality"), (stand, "fakes")):
        assert host.add(plugin, name=name).state == "active"
    config = {
        "backbone": {"name": backbone},
        "index": {"min_similarity": -1.0, **settings},
        "run": {"batch_size": 2},
    }
    return IndexEngine(Config.model_validate(config), host)


class Shop:
    """Pictures in a folder, and the index beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index = folder / "index"

    def save(self, name: str, picture: Image.Image) -> str:
        """Save a picture; return its path."""
        picture.save(self.folder / name)
        return str(self.folder / name)

    def add(self, products: Iterable[Product], engine: IndexEngine | None = None) -> IngestSummary:
        engine = engine or make_engine()
        with IndexStore.open_to_write(self.index, engine.identity()) as store:
            return add_products(store, engine, products)

    def repeats(self, engine: IndexEngine | None = None, problems: dict[str, str] | None = None) -> list[RepeatGroup]:
        engine = engine or make_engine()
        with IndexStore.open(self.index) as store:
            search = open_search(store, engine.config.index)
            return find_repeats(store, engine, search, {} if problems is None else problems)

    def held(self) -> tuple[int, int, int]:
        """How many products, images and pictures the index holds."""
        with IndexStore.open(self.index) as store:
            return tuple(store.counts())  # type: ignore[return-value]


def product(product_id: str, *paths: str) -> Product:
    return Product.model_validate({"id": product_id, "images": list(paths)})


def drawn(seed: int) -> Image.Image:
    return noise(seed, (240, 240))


def flipped(picture: Image.Image) -> Image.Image:
    return ImageOps.mirror(picture)


def names(group: RepeatGroup) -> list[str]:
    return [image.name for image in group.images]
