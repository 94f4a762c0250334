"""Large arrays in memory that a run hands to a plugin's process, instead of through a connection byte by byte."""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence

ALIGNMENT = 64  # bytes, at which each array begins
LEAST = 65_536  # bytes; fewer cross the connection sooner


def in_shared_memory(arrays: Sequence[memoryview]) -> int | None:
    """Return a file descriptor of memory that holds arrays (flat bytes) one after the other.

    None where they are small, or where the system has no such memory to give.
    """
    if sum(array.nbytes for array in arrays) < LEAST or not hasattr(os, "memfd_create"):
        return None
    try:
        memory = os.memfd_create("agpis-images")
    except OSError:
        return None
    try:
        with open(memory, "wb", closefd=False) as file:
            for array in arrays:
                file.write(array)
                file.write(bytes(_gap(array.nbytes)))
    except OSError:
        os.close(memory)
        return None
    return memory


def arrays_in(memory: int, sizes: Sequence[int]) -> list[memoryview]:
    """Return arrays of some sizes in bytes out of shared memory, and close its file descriptor."""
    try:
        whole = memoryview(mmap.mmap(memory, 0))
    finally:
        os.close(memory)
    arrays, start = [], 0
    for size in sizes:
        arrays.append(whole[start : start + size])
        start += size + _gap(size)
    return arrays


def _gap(size: int) -> int:
    return -size % ALIGNMENT
