"""Where image bytes come from: files, http(s) and any other store that fsspec knows."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError, ImageTooLargeError


def resolve(uri: str, base: Path | None) -> str:
    """Return a uri with a relative path resolved against the folder of the file that it stands in."""
    if "://" in uri or Path(uri).is_absolute() or base is None:
        return uri
    return str(base / uri)


def read_image_bytes(uri: str, limits: MediaSection) -> bytes:
    """Return the bytes that a uri names.

    Raises `ImageReadError` when there is nothing to read and `ImageTooLargeError` beyond `limits.max_bytes`.
    """
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise ImageReadError(f"is no uri: {error}", item=uri) from None
    if parts.scheme in ("", "file") or len(parts.scheme) == 1:
        return _read_file(Path(unquote(parts.path) if parts.scheme == "file" else uri), limits)
    return _read_remote(uri, parts.scheme, limits)


def _read_file(path: Path, limits: MediaSection) -> bytes:
    try:
        size = path.stat().st_size
        if size > limits.max_bytes:
            raise _too_large(size, str(path), limits)
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageReadError(
            "no such file", item=str(path), remedy="a relative uri is resolved against the file it stands in"
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        raise ImageReadError(f"cannot be read: {getattr(error, 'strerror', None) or error}", item=str(path)) from None


def _read_remote(uri: str, scheme: str, limits: MediaSection) -> bytes:
    import fsspec

    try:
        options = {"client_kwargs": {"timeout": _http_timeout(limits.timeout)}} if scheme in ("http", "https") else {}
        with fsspec.open(uri, "rb", **options) as stream:
            data: bytes = stream.read(limits.max_bytes + 1)
    except ImportError as error:
        raise ImageReadError(
            f'nothing here reads "{scheme}://": {error}', item=uri, remedy="pip install 'agpis-sdk[web]'"
        ) from None
    except Exception as error:
        raise ImageReadError(f"cannot be fetched: {type(error).__name__}: {error}", item=uri) from None
    if len(data) > limits.max_bytes:
        raise _too_large(len(data), uri, limits)
    return data


def _http_timeout(seconds: float) -> object:
    import aiohttp

    return aiohttp.ClientTimeout(total=seconds)


def _too_large(size: int, item: str, limits: MediaSection) -> ImageTooLargeError:
    return ImageTooLargeError(
        f"{size:,} bytes, more than media.max_bytes = {limits.max_bytes:,}", item=item, remedy="shrink it, or raise it"
    )
