"""What runs in a worker process on this machine: it takes shard after shard over a connection, until the run is gone."""

from __future__ import annotations

import os
from contextlib import suppress
from multiprocessing.connection import Connection

import cv2

from agpis_sdk.engines.shard_worker import ShardWorker


def serve(connection: Connection) -> None:
    """Load a pipeline as the first message says, then answer every shard."""
    threads = os.environ["OMP_NUM_THREADS"]
    cv2.setNumThreads(int(threads) if threads.isdecimal() else 1)  # it has threads of its own kind
    with suppress(EOFError, OSError):
        worker = ShardWorker(connection.recv())
        connection.send(worker.start())
        while True:
            connection.send(worker.work(*connection.recv()))
