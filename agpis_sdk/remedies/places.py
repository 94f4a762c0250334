"""Where fixed copies go: into a folder, or beside the originals. Nothing that is there is ever replaced."""

from __future__ import annotations

import os
import re
from pathlib import Path

from agpis_sdk.errors import OutputError
from agpis_sdk.media.sources.uris import LOCAL, scheme_of

LONGEST_NAME = 100
_UNSAFE = re.compile(r"[^\w.-]+")


def safe_name(text: str) -> str:
    """Return an id as the name of a file or folder on any system: no separator, no leading dot, not endless.

    >>> safe_name("../MH01/front"), safe_name("café 2"), safe_name("")
    ('MH01_front', 'café_2', '_')
    """
    return _UNSAFE.sub("_", text).strip("._ ")[:LONGEST_NAME] or "_"


def copy_place(product_id: str, image_id: str, uri: str, suffix: str, folder: Path | None) -> Path:
    """Return where the fixed copy of an image goes: FOLDER/PRODUCT/IMAGE.jpg, or FILE.fixed.jpg beside the original.

    Raises `OutputError` where the original is no local file and there is no folder.
    """
    if folder is not None:
        return folder / safe_name(product_id) / f"{safe_name(image_id)}{suffix}"
    if scheme_of(uri) != LOCAL:
        raise OutputError("has no folder of its own", item=f"{product_id} {image_id}", remedy="name a folder with -o")
    original = Path(uri)
    return original.with_name(f"{original.stem}.fixed{suffix}")


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, whole or not at all; raises `OutputError` where it is there, or cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            unfinished.write_bytes(data)
            os.link(unfinished, path)  # unlike a rename, it never replaces what another process has written meanwhile
        finally:
            unfinished.unlink(missing_ok=True)
    except FileExistsError:
        raise OutputError("is there already and was left as it is", item=str(path), remedy="remove it first") from None
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}", item=str(path)) from None
