"""During a run, libraries compute on the thread that calls them; afterwards they have the threads that they had."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import pytest
from threadpoolctl import ThreadpoolController

from agpis_sdk.pipeline.threads import one_thread_each


def blas_threads() -> list[int]:
    return [library.num_threads for library in ThreadpoolController().select(internal_api="openblas").lib_controllers]


@pytest.fixture
def several_threads() -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    with ThreadpoolController().select(internal_api="openblas").limit(limits=2):
        yield
    cv2.setNumThreads(before)


def test_numpy_and_opencv_have_one_thread_during_a_run(several_threads: None) -> None:
    with one_thread_each():
        during = (cv2.getNumThreads(), set(blas_threads()))

    assert during == (1, {1} if blas_threads() else set())


def test_they_get_their_threads_back_even_where_a_run_fails(several_threads: None) -> None:
    before = (cv2.getNumThreads(), blas_threads())

    with pytest.raises(ValueError, match="broken off"), one_thread_each():
        raise ValueError("broken off")

    assert (cv2.getNumThreads(), blas_threads()) == before
