"""A run that is killed at any moment and resumed gives the file of an undisturbed run: a few of the benchmark's kills."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_nothing_is_lost_or_doubled() -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/kill_run.py", "--kills", "5"],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 differ from the undisturbed run" in done.stdout
