"""What runs in a worker process on this machine: it takes shard after shard over a connection, until the run is gone."""

from __future__ import annotations

from contextlib import suppress
from multiprocessing.connection import Connection

from agpis_sdk.engines.shard_worker import ShardWorker


def serve(connection: Connection) -> None:
    """Load a pipeline as the first message says, then answer every shard."""
    with suppress(EOFError, OSError):
        worker = ShardWorker(connection.recv())
        connection.send(worker.start())
        while True:
            connection.send(worker.work(*connection.recv()))
