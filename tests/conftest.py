"""What all tests share: pictures made on the spot, and property tests that repeat exactly."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image

# One thread a process: tests are small, and two busy processes on two cores stall each other's thread pools.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile(
    "agpis", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("agpis")


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small pictures a.png … h.png, all different, and broken.png, which is no picture."""
    folder = tmp_path_factory.mktemp("gallery")
    for position, letter in enumerate("abcdefgh"):
        pixels = np.random.default_rng(position).integers(0, 256, (24, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{letter}.png")
    (folder / "broken.png").write_bytes(b"this is no picture")
    return folder
