"""A folder of the chosen images: a folder a product, the files numbered in their order."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from agpis_sdk.builtin.catalog_formats.config import FolderConfig
from agpis_sdk.components import Export
from agpis_sdk.errors import ImageReadError
from agpis_sdk.media.gallery_order import chosen_images
from agpis_sdk.media.own_folder import written_folder
from agpis_sdk.media.sources.uris import LOCAL, scheme_of
from agpis_sdk.records import Outcome

NOT_IN_NAMES = re.compile(r'[<>:"|?*\\\x00-\x1f]')
LONGEST = 120


class ImageFolderWriter:
    """Copies, or links, the chosen images as PRODUCT/01_front.jpg, PRODUCT/02_back.jpg and so on."""

    def __init__(self, config: FolderConfig) -> None:
        self._link = config.link

    def write(self, outcomes: Iterable[Outcome], export: Export) -> None:
        """Make the folder, or write ours anew; an image that cannot be read is left out with a word."""
        taken: set[str] = set()
        with written_folder(export.path) as unfinished:
            for outcome in outcomes:
                folder = unfinished / _free_name(_folder_name(outcome.product_id), taken)
                self._write_product(outcome, folder, export)

    def _write_product(self, outcome: Outcome, folder: Path, export: Export) -> None:
        images = chosen_images(outcome)
        width = max(2, len(str(len(images))))
        for number, image in enumerate(images, start=1):
            if not image.uri:
                export.skip(
                    f'product "{outcome.product_id}", image "{image.id}"', "the outcomes do not say where it is"
                )
                continue
            folder.mkdir(parents=True, exist_ok=True)
            target = folder / f"{number:0{width}d}_{_file_name(image.id, image.uri)}"
            try:
                self._place(image.uri, target, export)
            except ImageReadError as error:
                export.skip(f'product "{outcome.product_id}", image "{image.id}"', str(error))

    def _place(self, uri: str, target: Path, export: Export) -> None:
        if self._link and scheme_of(uri) == LOCAL:
            os.link(uri, target)
        else:
            target.write_bytes(export.read_image(uri))


def _folder_name(product_id: str) -> str:
    """Return a product's id as the name of a folder; one such as "men/MH01" becomes folders in each other.

    >>> _folder_name("men/MH:01"), _folder_name("../../etc")
    ('men/MH_01', '_/_/etc')
    """
    parts = [_safe(part) for part in product_id.split("/")]
    return "/".join(part for part in parts if part) or "_"


def _free_name(name: str, taken: set[str]) -> str:
    """Return a name that no other product has, on a system that ignores letter case either, and note that it is taken.

    >>> taken: set[str] = set()
    >>> _free_name("x_", taken), _free_name("X_", taken), _free_name("x_", taken)
    ('x_', 'X_ (2)', 'x_ (3)')
    """
    names = itertools.chain([name], (f"{name} ({number})" for number in itertools.count(2)))
    free = next(one for one in names if one.casefold() not in taken)
    taken.add(free.casefold())
    return free


def _safe(name: str) -> str:
    cleaned = NOT_IN_NAMES.sub("_", name).strip()[:LONGEST]
    return "_" if cleaned in (".", "..") else cleaned


def _file_name(image_id: str, uri: str) -> str:
    path = urlsplit(uri).path if "://" in uri else uri
    suffix = PurePosixPath(path).suffix.lower()
    return f"{_safe(image_id.replace('/', '_'))}{suffix if len(suffix) <= 5 else ''}"
