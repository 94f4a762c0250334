"""`agpis run` in a process of its own, as a person starts it, in the folder of a shop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "agpis_sdk.cli", "run", *arguments, "--quiet"]


def agpis(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=300
    )


def outcomes(path: Path) -> list[dict[str, Any]]:
    parts = sorted(path.glob("part-*.jsonl")) if path.is_dir() else [path]
    return [json.loads(line) for part in parts for line in part.read_text().splitlines()]
