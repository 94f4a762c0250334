"""Threads of libraries, where they would take cores from those of a run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from threadpoolctl import ThreadpoolController


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Have NumPy multiply matrices on the calling thread alone, until the end of the block.

    Those of a run are small. OpenBLAS's other threads wait for the next one in a loop: they would double the CPU time of a run.
    """
    with ThreadpoolController().select(internal_api="openblas").limit(limits=1):
        yield
