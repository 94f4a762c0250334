"""Stores that fsspec reads (s3, gs, az …) and data: uris; both are read only where `media.schemes` lists them."""

from __future__ import annotations

import urllib.request
from typing import IO

from agpis_sdk.errors import ImageReadError
from agpis_sdk.media.sources.deadline import Deadline, DeadlineError, too_late
from agpis_sdk.media.sources.masking import masked
from agpis_sdk.media.sources.policy import SourcePolicy

PIECE = 1 << 20


def read_store(uri: str, scheme: str, policy: SourcePolicy) -> bytes:
    """Return the bytes of an object, read whole within the time limit; raise `ImageReadError`, `ImageTooLargeError`."""
    item = masked(uri.strip())
    try:
        return Deadline.after(policy.timeout).run(lambda: _read_object(uri.strip(), scheme, item, policy))
    except (ImageReadError, MemoryError):
        raise
    except DeadlineError:
        raise too_late(policy.timeout, item) from None
    except FileNotFoundError:
        raise ImageReadError("no such object", item=item, remedy="check the address") from None
    except ImportError as error:
        raise ImageReadError(f"{scheme}: cannot be read here: {error}", item=item, remedy="install that") from None
    except Exception as error:
        raise ImageReadError(
            f"cannot be fetched: {masked(f'{type(error).__name__}: {error}')}", item=item, remedy="try again later"
        ) from None


def _read_object(uri: str, scheme: str, item: str, policy: SourcePolicy) -> bytes:
    import fsspec

    # The file system of the scheme itself, and not `fsspec.open`: that would follow chains like "zip://…::https://…".
    with fsspec.filesystem(scheme).open(uri, "rb") as stream:
        return _whole(stream, item, policy)


def _whole(stream: IO[bytes], item: str, policy: SourcePolicy) -> bytes:
    pieces, total = [], 0
    while piece := stream.read(min(PIECE, policy.max_bytes + 1 - total)):
        pieces.append(piece)
        total += len(piece)
        policy.check_size(total, item)
    return b"".join(pieces)


def read_data_uri(uri: str, policy: SourcePolicy) -> bytes:
    """Return the bytes that stand in a data: uri itself; raise `ImageReadError`, `ImageTooLargeError`."""
    text = uri.strip()
    policy.check_size(len(text) * 3 // 4 - 64, masked(text))
    try:
        request = urllib.request.Request(text)  # noqa: S310 - opened by the handler of data: alone
        with urllib.request.DataHandler().data_open(request) as stream:
            return _whole(stream, masked(text), policy)
    except ValueError as error:
        raise ImageReadError(
            f"is no data: uri: {error}", item=masked(text), remedy="write data:image/png;base64,…"
        ) from None
