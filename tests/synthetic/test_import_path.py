"""The drawing library is no part of a run: what draws violations is loaded by training and the bench alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CATALOG = Path(__file__).parents[2] / "examples" / "catalog" / "products.jsonl"
RUN = """
import atexit, sys
sys.argv = ["agpis", "run", sys.argv[1], "--limit", "1", "-o", sys.argv[2], "--quiet"]
atexit.register(lambda: print(sorted(name for name in sys.modules if name.startswith("agpis_sdk.synthetic"))))
from agpis_sdk.cli.app import main
main()
"""


@pytest.mark.slow
def test_a_run_never_imports_the_synthetic_package(tmp_path: Path) -> None:
    outcomes = tmp_path / "outcomes.jsonl"

    done = subprocess.run(
        [sys.executable, "-c", RUN, str(CATALOG), str(outcomes)], capture_output=True, text=True, check=False
    )

    assert len(outcomes.read_text().splitlines()) == 1, done.stderr
    assert done.stdout.strip() == "[]"
