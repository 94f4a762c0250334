"""Does a module import anything heavy? Asked in a process of its own, where nothing is imported yet."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable

HEAVY = (
    "PIL", "cv2", "faiss", "numpy", "onnxruntime", "pandas", "scipy", "sklearn", "tensorflow", "timm", "torch",
    "transformers",
)  # fmt: skip


def assert_light_import(module: str, *, heavy: Iterable[str] = HEAVY) -> None:
    """Fail where importing a module imports one of the heavy packages; `agpis --help` imports every plugin."""
    code = f"import sys, {module}; print(*[name for name in {sorted(heavy)!r} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{module} cannot be imported:\n{done.stderr}"  # noqa: S101
    found = done.stdout.split()
    assert not found, (  # noqa: S101
        f"{module} imports {', '.join(found)}: every agpis command would load it; import it in the module that the "
        "spec's factory names"
    )
