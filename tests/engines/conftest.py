"""A shop whose plugins are fakes that every process can load."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from tests.engines.command import agpis

FAKES = """
    import os, time
    from pathlib import Path
    from tests.pipeline.fakes import Stand, always

    def steady(sequences, context):
        Path(f"{__file__}.{os.getpid()}").touch()
        for sequence in sequences:
            time.sleep(float(os.environ.get("PAUSE_OF_THE_FAKES", "0.05")))
            if sequence.product.title == "deadly":
                os._exit(9)
        return always(0.8)(sequences, context)

    stand = Stand().scorer(steady)
    stand.host()
    agpis_primary_selectors = stand.agpis_primary_selectors
    agpis_sequence_checkers = stand.agpis_sequence_checkers
    agpis_backbones = stand.agpis_backbones
"""
PRODUCTS = 60


@pytest.fixture
def shop(gallery: Path, tmp_path: Path) -> Path:
    """Return a folder with products, a config that names fakes alone, and what the local engine makes of them."""
    from agpis_sdk.plugins import PluginHost
    from tests.cli.conftest import KEPT, SETTINGS

    for image in gallery.iterdir():
        (tmp_path / image.name).write_bytes(image.read_bytes())
    (tmp_path / "fakes_for_the_command_line.py").write_text(textwrap.dedent(FAKES))
    builtin = [status.name for status in PluginHost.load(discover=False).statuses if status.name not in KEPT]
    block = ", ".join(json.dumps(name) for name in builtin)
    (tmp_path / "agpis.toml").write_text(textwrap.dedent(SETTINGS).format(block=block))
    lines = [
        json.dumps({"id": f"P{number}", "images": [f"{letter}.png" for letter in "abcdefgh"[number % 4 :][:4]]})
        for number in range(PRODUCTS)
    ]
    # A broken line, an id that stands twice in another shard, no images, an image that is none.
    lines[7:7] = ['{"id": "P7', lines[3]]
    lines += [lines[0], '{"id": "empty", "images": []}', '{"id": "bad", "images": ["broken.png", "a.png", "b.png"]}']
    (tmp_path / "products.jsonl").write_text("\n".join(lines) + "\n")
    assert agpis(tmp_path, "products.jsonl", "-o", "local.jsonl").returncode == 1
    return tmp_path


@pytest.fixture
def deadly(shop: Path) -> str:
    """Return the name of a file with six products of the shop, and among them one that ends every process that scores it."""
    lines = (shop / "products.jsonl").read_text().splitlines()[:6]
    deadly = json.dumps({"id": "deadly", "title": "deadly", "images": ["a.png", "b.png", "c.png"]})
    (shop / "deadly.jsonl").write_text("\n".join([*lines[:3], deadly, *lines[3:]]) + "\n")
    return "deadly.jsonl"
