"""Facts for training are those that a run computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agpis_sdk.config import Config
from agpis_sdk.errors import ConfigError
from agpis_sdk.pipeline.image_facts import image_facts
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import CandidateImage, Product

HOST = PluginHost.load(discover=False)


def a_product(tmp_path: Path, *names: str) -> Product:
    for name in names:
        pixels = np.full((60, 80, 3), 255, np.uint8)
        pixels[15:45, 20:60] = (30, 80, 160)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    return Product(id="p", images=[CandidateImage(id=name, uri=str(tmp_path / f"{name}.png")) for name in names])


def test_only_the_facts_that_were_asked_for_are_given(tmp_path: Path) -> None:
    (known,) = image_facts([a_product(tmp_path, "a", "b")], frozenset({"background"}), host=HOST, config=Config())

    assert list(known.images) == ["a", "b"]
    assert known.images["a"].keys() == {"background"}
    assert known.images["a"]["background"].whiteness == 1


def test_an_unreadable_image_is_left_out(tmp_path: Path) -> None:
    product = a_product(tmp_path, "a", "b")
    (tmp_path / "a.png").write_bytes(b"")

    (known,) = image_facts([product], frozenset({"plain_foreground"}), host=HOST, config=Config())

    assert list(known.images) == ["b"]


def test_a_fact_that_nothing_provides_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"backgruond: is a fact that nothing provides.*background"):
        list(image_facts([a_product(tmp_path, "a")], frozenset({"backgruond"}), host=HOST, config=Config()))
