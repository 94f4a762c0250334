from __future__ import annotations

from pathlib import Path

import pytest

from tests.index.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A folder for pictures, whose index does not exist yet."""
    return Shop(tmp_path)
