"""How many cores there are to compute on."""

from __future__ import annotations

import math
import os
from pathlib import Path

CONTROL_GROUP = Path("/sys/fs/cgroup")


def available_cores(control_group: Path = CONTROL_GROUP) -> int:
    """Return how many cores this process may use, at least 1.

    Where it is bound to some, or its container may use only a share of time (`docker run --cpus`, a limit of Kubernetes), they
    are fewer than the machine has. Source: https://docs.kernel.org/admin-guide/cgroup-v2.html, cpu.max.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return math.ceil(min(bound, _share_of_time(control_group)))


def _share_of_time(control_group: Path) -> float:
    """Return how many cores a control group, of version 2 or 1, may keep busy; infinity where it is not limited."""
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            quota, period = map(int, " ".join((control_group / name).read_text() for name in names).split())
        except (OSError, ValueError):  # of another version, or "max"
            continue
        if quota > 0 < period:
            return quota / period
    return math.inf
