"""Pictures off the way of requests: made in a process of its own, and before reviewers come to them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from sqlalchemy import select

from agpis_sdk.errors import ImageReadError
from agpis_sdk.media.sources import ConfinedUri
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.queues import root_of
from agpis_sdk.review.store.tables import Assignment, Item
from agpis_sdk.review.web.item_view import is_shown, outcome_of, product_of
from agpis_sdk.review.web.pictures import Pictures

AHEAD = 60
"""Products at the head of a queue whose pictures are ready: claimed ones, and those that are handed out next."""
SECONDS = 2.0
NICENESS = 5


@contextlib.contextmanager
def maker() -> Iterator[Executor]:
    """Yield an executor with one process, which makes pictures and ends with this one; a broken process is replaced."""
    executor = _Maker()
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


class _Maker(Executor):
    """A process pool that starts anew where its process was killed: one picture must not end all others."""

    def __init__(self) -> None:
        self._pool = _pool()
        self._lock = threading.Lock()

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Hand a call to the process."""
        with self._lock:
            try:
                return self._pool.submit(fn, *args, **kwargs)
            except BrokenProcessPool:
                self._pool.shutdown(wait=False)
                self._pool = _pool()
                return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the process."""
        self._pool.shutdown(wait, cancel_futures=cancel_futures)


def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _begin)


def _begin() -> None:
    """Leave interrupts to the server, give way to it, and end where it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    threading.Thread(target=_end_with_the_server, daemon=True).start()


def _end_with_the_server() -> None:
    server = multiprocessing.parent_process()
    if server is not None:
        wait([server.sentinel])
        os._exit(0)


@contextlib.contextmanager
def made_ahead(store: Store, queue_id: int, pictures: Pictures, *, seconds: float = SECONDS) -> Iterator[None]:
    """Keep the pictures at the head of a queue ready, in a thread, until the context ends."""
    ended = threading.Event()
    thread = threading.Thread(target=_keep_ready, args=(store, queue_id, pictures, ended, seconds), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _keep_ready(store: Store, queue_id: int, pictures: Pictures, ended: threading.Event, seconds: float) -> None:
    seen: set[int] = set()
    while not ended.is_set():
        for item_id, uris in head_of(store, queue_id, seen):
            for uri in uris:
                if ended.is_set():
                    return
                with contextlib.suppress(ImageReadError):  # told to whoever opens the product
                    pictures.make(uri)
            seen.add(item_id)
        ended.wait(seconds)


def head_of(store: Store, queue_id: int, without: set[int]) -> list[tuple[int, list[str]]]:
    """Return the next products to review that are not among some, in the order of the queue, and their pictures' uris."""
    with store.reading() as session:
        ids = session.scalars(
            select(Assignment.item_id)
            .where(Assignment.queue_id == queue_id, ~Assignment.decided)
            .order_by(Assignment.rank, Assignment.id)
            .limit(AHEAD)
        )
        wanted = [item_id for item_id in dict.fromkeys(ids) if item_id not in without]
        items = {item.id: item for item in session.scalars(select(Item).where(Item.id.in_(wanted)))} if wanted else {}
    root = root_of(store, queue_id)
    return [(item_id, list(uris_of(items[item_id], root).values())) for item_id in wanted]


def uris_of(item: Item, root: str) -> dict[int, str]:
    """Return the uris of the pictures that reviewers see of a product, by their place in it."""
    product = product_of(item.product)
    states = {image.id: image for image in outcome_of(item.outcome).images}
    return {
        position: ConfinedUri(image.uri, Path(root)) if root else image.uri
        for position, image in enumerate(product.images)
        if is_shown(states.get(image.id))
    }
