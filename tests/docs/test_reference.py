"""The generated reference is what the code says, and every hook is documented."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agpis_sdk import hookspecs

ROOT = Path(__file__).parents[2]
HOOKS = [name for name, _ in inspect.getmembers(hookspecs, inspect.isfunction) if name.startswith("agpis_")]


def test_generated_pages_are_fresh() -> None:
    finished = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )

    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_has_a_heading_with_its_exact_signature_and_its_example_below(name: str) -> None:
    page = (ROOT / "docs" / "reference" / "hooks.md").read_text(encoding="utf-8")
    hook = getattr(hookspecs, name)
    signature = str(inspect.signature(hook)).replace("'", "")

    _, _, below = page.partition(f"## `{name}{signature}`\n")

    assert below, f"no heading has the signature of {name}: {signature}"
    section = below.partition("\n## ")[0]
    assert re.search(rf"```python\n.*def {name}\(.*```", section, re.DOTALL)


@pytest.mark.parametrize("name", HOOKS)
def test_a_hooks_example_runs_and_implements_it(name: str) -> None:
    doc = inspect.getdoc(getattr(hookspecs, name)) or ""
    example = re.search(r"```python\n(.*?)```", doc, re.DOTALL)
    assert example is not None
    namespace: dict[str, object] = {}

    exec(inspect.cleandoc(example[1]), namespace)

    implementation = namespace[name]
    assert callable(implementation)
    if not inspect.signature(implementation).parameters:
        assert list(implementation())
