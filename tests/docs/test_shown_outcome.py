"""The outcome that README.md and the getting-started page show is that of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agpis_sdk.media.products import read_products
from agpis_sdk.pipeline.pipeline import Pipeline
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Product

ROOT = Path(__file__).parents[2]
ENDS = "\n}\n"


def shown(page: str) -> dict[str, Any]:
    text = (ROOT / page).read_text(encoding="utf-8")
    start = text.index('{\n "product_id": "backpack-01"')
    outcome: dict[str, Any] = json.loads(text[start : text.index(ENDS, start) + len(ENDS)])
    return outcome


@pytest.fixture(scope="module")
def outcome() -> dict[str, Any]:
    products = [one for one in read_products(ROOT / "examples/catalog/products.jsonl") if isinstance(one, Product)]
    pipeline = Pipeline(host=PluginHost.load(discover=False))
    (found,) = pipeline.run([one for one in products if one.id == "backpack-01"])
    whole: dict[str, Any] = found.model_dump(mode="json")
    return whole


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/getting-started.md"])
def test_a_page_shows_what_a_run_decides(outcome: dict[str, Any], page: str) -> None:
    example = shown(page)

    assert {key: outcome[key] for key in ("product_id", "status", "sequence", "feedback")} == {
        key: example[key] for key in ("product_id", "status", "sequence", "feedback")
    }
    assert outcome["probability"] == pytest.approx(example["probability"], abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/getting-started.md"])
def test_a_page_shows_what_a_run_says_of_images(outcome: dict[str, Any], page: str) -> None:
    found = {image["id"]: image for image in outcome["images"]}

    for image in shown(page)["images"]:
        said = {key: found[image["id"]][key] for key in image}
        assert said == {
            key: pytest.approx(value, abs=0.01) if isinstance(value, float) else value for key, value in image.items()
        }
