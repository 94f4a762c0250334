"""The one way in: a uri of any kind, and its bytes out."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError
from agpis_sdk.held_images import HeldImage
from agpis_sdk.media.sources.files import read_file
from agpis_sdk.media.sources.masking import masked
from agpis_sdk.media.sources.policy import SourcePolicy
from agpis_sdk.media.sources.uris import LOCAL


def read_image_bytes(uri: str, limits: MediaSection) -> bytes:
    """Return the bytes that a uri names; one that `resolve` has made is held to the folder of its record.

    Raises `ImageReadError` when there is nothing to read or the policy refuses it, `ImageTooLargeError` beyond
    `limits.max_bytes`.
    """
    if not uri:
        raise ImageReadError(
            "names no file", item='the entry of "images"', remedy="write a path or a URL, or remove it"
        )
    policy = SourcePolicy.of(uri, limits)
    if isinstance(uri, HeldImage):
        policy.check_size(len(uri.data), uri)
        return uri.data
    scheme = policy.admit(uri)
    if scheme == LOCAL:
        return read_file(str(uri), policy)
    if scheme == "file":
        return read_file(_path_of(uri, policy), policy)
    if scheme in ("http", "https"):
        from agpis_sdk.media.sources.web import fetch  # httpx2 takes a while to import, and most catalogs need none

        return fetch(uri, policy)
    from agpis_sdk.media.sources.stores import read_data_uri, read_store

    return read_data_uri(uri, policy) if scheme == "data" else read_store(uri, scheme, policy)


def _path_of(uri: str, policy: SourcePolicy) -> str:
    """Return the path that a file: uri names; a relative one is resolved against the root."""
    try:
        parts = urlsplit(uri.strip())
    except ValueError as error:
        raise ImageReadError(f"is no uri: {error}", item=masked(uri)) from None
    if parts.netloc not in ("", "localhost"):
        raise ImageReadError(
            f'names a file of another machine, "{parts.netloc}"', item=masked(uri), remedy="write file:///path"
        )
    path = unquote(parts.path)
    return path if policy.root is None else str(Path(policy.root) / path)
