"""Remote images kept on disk between runs, as HTTP allows it: fresh ones are not asked for, others by their ETag."""

from __future__ import annotations

from pathlib import Path

import httpx2


def cached(transport: httpx2.BaseTransport, folder: str, *, allow_private: bool) -> httpx2.BaseTransport:
    """Return a transport that keeps what another one fetches in a folder; raise `ImportError` without hishel.

    What came from a private address is kept apart: it must not answer a run that may not ask there. What was fetched with a
    password is not kept.
    """
    from hishel import SqliteStorage
    from hishel.httpx2 import CacheTransport

    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    storage = SqliteStorage(database_path=path / ("any-address.sqlite" if allow_private else "public.sqlite"))
    return CacheTransport(transport, storage=storage, rfc=True)
