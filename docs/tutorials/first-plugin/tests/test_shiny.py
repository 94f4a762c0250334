"""What the shiny-spot checker promises."""

from pathlib import Path

import numpy as np
from agpis_shiny.checker import ShinyChecker
from agpis_shiny.plugin import ShinyConfig
from PIL import Image

from agpis_sdk.config import MediaSection
from agpis_sdk.media.decode import decode_image


def decoded(tmp_path: Path, *, highlight: bool):
    pixels = np.full((90, 90, 3), 120, np.uint8)
    if highlight:
        pixels[30:60, 30:60] = 255
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    data = (tmp_path / "photo.png").read_bytes()
    return decode_image(data, product_id="p", image_id="photo", position=0, limits=MediaSection())


def test_a_highlight_in_the_middle_scores_one(tmp_path: Path) -> None:
    image = decoded(tmp_path, highlight=True)

    findings = list(ShinyChecker(ShinyConfig()).check_images([image], context=None))

    assert [(finding.code, finding.score) for finding in findings] == [("SHY101", 1.0)]


def test_an_even_picture_raises_nothing(tmp_path: Path) -> None:
    image = decoded(tmp_path, highlight=False)

    assert list(ShinyChecker(ShinyConfig()).check_images([image], context=None)) == []
