"""Threads of libraries, where they would take cores from those of a run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import cv2
from threadpoolctl import ThreadpoolController


@contextlib.contextmanager
def one_thread_each() -> Iterator[None]:
    """Have NumPy multiply matrices, and OpenCV compute, on the calling thread alone, until the end of the block.

    Pictures and matrices of a run are small: the other threads of OpenBLAS and OpenCV mostly wait for the next one, in a loop.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with ThreadpoolController().select(internal_api="openblas").limit(limits=1):
            yield
    finally:
        cv2.setNumThreads(threads)
