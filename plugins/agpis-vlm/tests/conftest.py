"""What the tests share: an endpoint that measures colors, pictures of known colors, and runs that ask it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agpis_vlm import plugin
from agpis_vlm.spending import SPENDING
from numpy.typing import NDArray
from PIL import Image

from agpis_sdk import DecodedImage, Pipeline
from agpis_sdk.config import Config
from agpis_sdk.media.decode import as_image
from agpis_sdk.records import Outcome
from agpis_sdk.testing import isolated_host

sys.path.insert(0, str(Path(__file__).parent))
from endpoint import EndpointServer, running

GRAY, RED, GREEN, BLUE, YELLOW = (128, 128, 128), (200, 20, 20), (20, 200, 20), (20, 20, 200), (255, 255, 0)
COLORS = {"gray": GRAY, "red": RED, "green": GREEN, "blue": BLUE}
NO_RED = {"name": "no-red", "text": "No red products."}
NO_GREEN = {"name": "no-green", "text": "No green products."}
NO_BLUE = {"name": "no-blue", "text": "No blue products."}
ENGINE_NEEDS = ("backbones", "builders", "primary")


@pytest.fixture
def endpoint() -> Iterator[EndpointServer]:
    """A server that answers by color."""
    with running() as server:
        yield server


@pytest.fixture(autouse=True)
def _books() -> None:
    """Begin every test with nothing spent."""
    SPENDING.begin()


def settings_of(endpoint: EndpointServer, **settings: Any) -> dict[str, Any]:
    """Return a table [components.vlm] that asks a server; nothing is kept unless a cache is named."""
    return {"endpoint": endpoint.url, "model": "colors", "cache": "", "rules": {"VLM101": NO_RED}, **settings}


def picture(color: tuple[int, int, int], share: float = 1.0, size: tuple[int, int] = (80, 60)) -> NDArray[np.uint8]:
    """Return a gray picture (height, width, 3) of which the left share is of a color."""
    pixels = np.array(Image.new("RGB", size, GRAY))
    pixels[:, : round(share * size[0])] = color
    return pixels


def image(color: tuple[int, int, int], share: float = 1.0, image_id: str = "a") -> DecodedImage:
    """Return such a picture as checkers see it."""
    decoded = as_image(picture(color, share))
    fields = {name: getattr(decoded, name) for name in decoded.__dataclass_fields__}
    return DecodedImage(**{**fields, "id": image_id, "sha256": f"{color}{share}"})


def product(folder: Path, product_id: str, *pictures: str, **fields: Any) -> dict[str, Any]:
    """Write pictures such as "red" or "red-30", of which 30 % is red, and return their product record."""
    names = []
    for position, name in enumerate(pictures):
        color, _, share = name.partition("-")
        size = (80 + position, 60)  # no two are the same
        path = folder / f"{product_id}-{position}-{name}.png"
        Image.fromarray(picture(COLORS[color], int(share or 100) / 100, size)).save(path)
        names.append({"id": f"{position}-{name}", "uri": str(path)})
    return {"id": product_id, "images": names, **fields}


@pytest.fixture
def run() -> Callable[..., list[Outcome]]:
    """Run products with the settings of the plugin and as few other components as there can be."""

    def run_products(
        products: Sequence[Mapping[str, Any]], settings: Mapping[str, Any], **sections: Mapping[str, Any]
    ) -> list[Outcome]:
        return list(pipeline_of(settings, **sections).run([dict(one) for one in products]))

    return run_products


def pipeline_of(settings: Mapping[str, Any], **sections: Mapping[str, Any]) -> Pipeline:
    """Return a pipeline of the plugin, the first listed image as the primary one, and no scorer."""
    host = isolated_host(plugin)
    others = [one.name for one in host.statuses if one.distribution == "agpis-sdk" and one.name not in ENGINE_NEEDS]
    host = isolated_host(plugin, block=others)
    usual: dict[str, dict[str, Any]] = {
        "primary": {"selector": "first", "threshold": 0.0},
        "sequence": {"builder": "listed", "scorer": "none", "length": 3},
        "media": {"allow_outside": True},
    }
    config = Config.model_validate({**usual, **sections, "components": {"vlm": dict(settings)}})
    host.add_rules_from(config.components)
    return Pipeline(config, host=host)


def of_rule(outcome: Outcome, code: str = "VLM101") -> dict[tuple[str, ...], float]:
    """Return the scores of a rule's findings by their images."""
    return {finding.images: finding.score for finding in outcome.findings if finding.code == code}


def faults(outcome: Outcome) -> list[str]:
    """Return why something was not judged."""
    return [finding.message for finding in outcome.findings if finding.code == "AGP902"]


def write_lines(path: Path, records: Sequence[Mapping[str, Any]]) -> Path:
    """Write records as JSON lines."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path
