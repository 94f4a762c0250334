"""Runs the main job on two products with no plugin of others, with each plugin of this folder alone, and with all.

python plugins/run_each_alone.py

Each run is strict: a plugin that fails to load ends it. What takes part is asked of `agpis plugins list --json`, too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
OWN = "agpis-sdk"
PLUGINS = tuple(sorted(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml")))
DONE = (0, 1)  # 1: done, but a record failed, which no product of the example does without saying so


def agpis(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line and return what it said."""
    return subprocess.run(
        [sys.executable, "-m", "agpis_sdk.cli", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def active(settings: Sequence[str]) -> list[str]:
    """Return the distributions of active plugins that are not the SDK's own."""
    listed = json.loads(agpis("plugins", "list", "--json", *settings).stdout)
    return sorted({entry["distribution"] for entry in listed if entry["state"] == "active"} - {OWN})


def only(kept: Sequence[str]) -> list[str]:
    """Return the settings that leave out all plugins but some."""
    blocked = [name for name in PLUGINS if name not in kept]
    return ["--set", f"plugins.block={json.dumps(blocked)}"]


def main() -> int:
    """Print a line for each job; return 1 when one failed."""
    failed = False
    for kept in [(), *((name,) for name in PLUGINS), PLUGINS]:
        took_part = active(only(kept))
        finished = agpis(
            "run",
            "examples/catalog/products.jsonl",
            "--limit",
            "2",
            "--quiet",
            "--set",
            "plugins.strict=true",
            *only(kept),
        )
        well = finished.returncode in DONE and took_part == sorted(kept)
        failed |= not well
        print(f"{'ok' if well else 'FAILED'}  with {', '.join(kept) or 'no plugin'}", flush=True)
        if not well:
            print(f"active: {took_part}, exit code {finished.returncode}\n{finished.stderr}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
