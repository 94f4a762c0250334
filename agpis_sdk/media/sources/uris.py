"""The uris of records: which scheme one has, and beyond which folder it may not lead."""

from __future__ import annotations

import os
import re
from pathlib import Path

from agpis_sdk.held_images import HeldImage

LOCAL = ""
NOWHERE = Path(os.devnull)  # no file is below it
PROTOCOL_RELATIVE = "//"

# Schemes that browsers also read without "//" behind the colon.
_WITHOUT_SLASHES = re.compile(r"(https?|file|data|blob|javascript|about|mailto):", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.:-]+", re.IGNORECASE)


class ConfinedUri(str):
    """A resolved uri with the folder of the record that it stands in, beyond which it may not lead."""

    root: Path

    def __new__(cls, text: str, root: Path) -> ConfinedUri:
        """Return `text` with its root."""
        uri = super().__new__(cls, text)
        uri.root = root
        return uri

    def __reduce__(self) -> tuple[type[ConfinedUri], tuple[str, Path]]:
        return ConfinedUri, (str(self), self.root)


def resolve(uri: str, base: Path | str | None) -> str:
    """Return a uri with a relative path resolved against the folder of the file that it stands in.

    The result is a `ConfinedUri`: where it names a file, that file must be below the folder; below that of a store, a text
    such as "s3://bucket/folder", there is none. Without a folder the uri is the caller's own, and stays as it is.
    """
    if base is None or isinstance(uri, HeldImage):
        return uri
    if isinstance(base, str):
        return ConfinedUri(uri if scheme_of(uri) else f"{base}/{uri.strip().lstrip('/')}", NOWHERE)
    return ConfinedUri(uri if scheme_of(uri) else str(base / uri), base)


def scheme_of(uri: str) -> str:
    r"""Return the scheme in lower case, `LOCAL` for a path, `PROTOCOL_RELATIVE` for `//host/path`.

    >>> [scheme_of(uri) for uri in (" HTTP://shop.example/a.jpg", "img/a.jpg", "C:\\a.jpg", "//shop.example/a.jpg")]
    ['http', '', '', '//']
    >>> scheme_of("zip://a.jpg::https://shop.example/a.zip"), scheme_of("simplecache::https://shop.example/a.jpg")
    ('zip', 'simplecache::https')
    """
    text = uri.strip()
    head, slashes, _ = text.partition("://")
    if slashes and _SCHEME.fullmatch(head):
        return head.lower()
    without_slashes = _WITHOUT_SLASHES.match(text)
    if without_slashes:
        return without_slashes[1].lower()
    return PROTOCOL_RELATIVE if text.startswith("//") and not text.startswith("///") else LOCAL
