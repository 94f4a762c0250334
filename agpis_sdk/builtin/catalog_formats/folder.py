"""A folder of images: each folder in it is a product, and files that lie beside each other are told apart by their names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

from agpis_sdk.components import ComponentConfig, ProductSource, ReadRecord
from agpis_sdk.media.file_formats import OF_PRODUCTS
from agpis_sdk.wording import counted

IMAGES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif")
OF_SYSTEMS = ("thumbs.db", "desktop.ini")
DIGITS = re.compile(r"(\d+)")


class FolderReader:
    """Reads a folder of folders, a flat folder with names such as SKU_1.jpg, or both in one."""

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def recognizes(self, source: ProductSource) -> bool:
        """Tell by a first image; a folder with a file of products in it is not meant."""
        if not source.path.is_dir() or any(
            path.suffix.lower() in OF_PRODUCTS and not path.name.startswith(".") for path in source.path.iterdir()
        ):
            return False
        return any(images for _, images, _ in _folders(source.path))

    def read(self, source: ProductSource) -> Iterator[ReadRecord]:
        """Yield the products by name, and the images of each by name: 2.jpg comes before 10.jpg."""
        top = source.path
        for folder, images, others in _folders(top):
            for name in others:
                source.skip(str((folder / name).relative_to(top)), "is no image")
            if folder == top:
                yield from _flat(images, source)
            elif images:
                relative = folder.relative_to(top)
                yield _record(relative.as_posix(), relative.parent, folder.name, [relative / name for name in images])


def natural(name: str) -> tuple[object, ...]:
    """Return a key that sorts names with their numbers by value.

    >>> sorted(["a10", "a9", "B1"], key=natural)
    ['a9', 'a10', 'B1']
    """
    parts = [int(part) if odd % 2 else part.lower() for odd, part in enumerate(DIGITS.split(name))]
    return (*parts, name)


def _flat(images: Iterable[str], source: ProductSource) -> Iterator[ReadRecord]:
    """Yield the products of files that lie beside each other: what stands before the last "_" is the product."""
    products: dict[str, list[PurePath]] = {}
    alone = 0
    for name in images:
        product, underscore, _ = PurePath(name).stem.rpartition("_")
        alone += not underscore
        products.setdefault(product or PurePath(name).stem, []).append(PurePath(name))
    if alone:
        source.note(
            f'holds {counted(alone, "image")} without "_" in the name, taken as a product each; to join some, name them '
            "PRODUCT_1.jpg, or give every product a folder"
        )
    for product, files in products.items():
        yield _record(product, PurePath(), product, files)


def _record(product_id: str, above: PurePath, title: str, files: Iterable[PurePath]) -> ReadRecord:
    category = above.as_posix() if above.parts else ""
    fields = {"id": product_id, "title": title, "category": category, "images": [file.as_posix() for file in files]}
    return ReadRecord(f'folder "{product_id}"', fields)


def _folders(top: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Yield every folder from the top, with the images in it and its other files; hidden ones are left out."""
    for folder, below, names in os.walk(top):
        below[:] = sorted((name for name in below if not name.startswith(".")), key=natural)
        seen = [
            name for name in sorted(names, key=natural) if not name.startswith(".") and name.lower() not in OF_SYSTEMS
        ]
        images = [name for name in seen if PurePath(name).suffix.lower() in IMAGES]
        yield Path(folder), images, [name for name in seen if name not in images]
