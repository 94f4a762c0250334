"""A shop whose rules are easy to see."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty products whose first image is red and whose three others are blue."""
    red_first(tmp_path)
    return tmp_path


def red_first(tmp_path: Path) -> None:
    """Write a shop of forty products, each with a red image and then three blue ones."""
    (tmp_path / "images").mkdir()
    lines = []
    for number in range(40):
        names = []
        for position in range(4):
            color = (200, 40 + number, 30) if position == 0 else (30, 40 + number, 120 + 30 * position)
            name = f"images/{number}-{position}.png"
            pixels = np.full((64, 64, 3), 250, np.uint8)
            pixels[8:56, 8:56] = color
            Image.fromarray(pixels).save(tmp_path / name)
            names.append(name)
        lines.append(
            json.dumps({"id": f"p{number}", "title": f"Thing {number}", "category": str(number % 3), "images": names})
        )
    (tmp_path / "products.jsonl").write_text("\n".join(lines), encoding="utf-8")
