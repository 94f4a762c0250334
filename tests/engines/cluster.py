"""A Ray cluster of small nodes on this machine: a head that works on nothing, and nodes of one CPU each."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

MEMORY = 100 * 2**20  # bytes of shared memory a node


class SmallCluster:
    """The nodes of a cluster; `address` is what a run is given."""

    def __init__(self, cluster: Any, nodes: int) -> None:
        self._cluster = cluster
        # An address each: of nodes with one address, a run may belong to any; so it belongs to the one added last.
        self._nodes = [
            cluster.add_node(num_cpus=1, object_store_memory=MEMORY, node_ip_address=f"127.0.0.{number + 2}")
            for number in range(nodes)
        ]
        self.address: str = cluster.address

    def kill_one(self) -> None:
        """Kill the processes of a node without a word to the others; not of the one to which runs belong."""
        self._cluster.remove_node(self._nodes.pop(0), allow_graceful=False)


@contextlib.contextmanager
def small_cluster(nodes: int) -> Iterator[SmallCluster]:
    """Start a cluster, and end it with everything that belongs to it."""
    from ray.cluster_utils import Cluster

    os.environ.setdefault("RAY_worker_niceness", "0")  # or workers get nothing where tests run beside each other
    head = {"num_cpus": 0, "object_store_memory": MEMORY, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        yield SmallCluster(cluster, nodes)
    finally:
        cluster.shutdown()
