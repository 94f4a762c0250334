"""How many cores there are (agpis_sdk/cores.py)."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from agpis_sdk.cores import available_cores

BOUND = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def test_without_a_limit_all_cores_that_the_process_is_bound_to_are_used(tmp_path: Path) -> None:
    assert available_cores(tmp_path) == BOUND


@pytest.mark.parametrize("limit", ["max 100000\n", "-1 100000\n", "100000 0\n", "", "1 2 3\n"])
def test_what_is_no_limit_limits_nothing(tmp_path: Path, limit: str) -> None:
    (tmp_path / "cpu.max").write_text(limit)

    assert available_cores(tmp_path) == BOUND


@pytest.mark.parametrize("cores", [0.25, 1.0, 1.5, 3.0, 1000.0])
def test_a_container_with_a_share_of_time_uses_no_more_cores_than_that(tmp_path: Path, cores: float) -> None:
    (tmp_path / "cpu.max").write_text(f"{int(cores * 100_000)} 100000\n")

    assert available_cores(tmp_path) == min(BOUND, math.ceil(cores))


def test_the_limit_of_an_older_kernel_counts_as_well(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("50000\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")

    assert available_cores(tmp_path) == 1
