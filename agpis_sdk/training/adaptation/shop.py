"""Learns a shop from its galleries as they are listed, part by part, and keeps what is better in a folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from agpis_sdk.config import SHOP_FILE, Config, merge
from agpis_sdk.errors import InputFileError
from agpis_sdk.media.products import CheckedProducts
from agpis_sdk.pipeline.image_facts import RunFacts, image_facts
from agpis_sdk.plugins import OwnedSpec, PluginHost, imported
from agpis_sdk.records import Review
from agpis_sdk.training.adaptation.request import Adaptation, AdaptationRequest, Adapter

CARD, FIGURES = "README.md", "adaptation.json"


@dataclass(frozen=True)
class AdaptedShop:
    """How many products, images and reviews taught a shop, and what became of each part."""

    products: int
    images: int
    reviews: int
    parts: tuple[Adaptation, ...]


def adapt_shop(
    products: CheckedProducts,
    out: Path,
    *,
    host: PluginHost,
    config: Config,
    false_alarms: float,
    reviews: Sequence[Review] = (),
    quick: bool = False,
    seed: int = 0,
) -> AdaptedShop:
    """Run the adapter of every component that has one, and write settings, weights, figures and a card to `out`.

    With `quick` those that take minutes are left out. Raises `InputFileError` where no product has a readable image.
    """
    adapters = [(owned, adapter) for owned, adapter in _adapters(host) if adapter.quick or not quick]
    names = frozenset().union(*(adapter.facts for _, adapter in adapters))
    known = [one for one in image_facts(products, names, host=host, config=config) if one.images]
    if not known:
        raise InputFileError("holds no product with a readable image", item="the catalog", remedy="see: agpis audit")
    out.mkdir(parents=True, exist_ok=True)
    request = AdaptationRequest(
        products=known,
        out=out,
        config=config,
        rules=host.rules,
        run_facts=partial(RunFacts, host=host, config=config),
        false_alarms=false_alarms,
        reviews=reviews,
        seed=seed,
    )
    shop = AdaptedShop(
        len(known),
        sum(len(one.images) for one in known),
        len(reviews),
        tuple(adapter.adapt(request) for _, adapter in adapters),
    )
    _write(shop, out)
    return shop


def _adapters(host: PluginHost) -> list[tuple[OwnedSpec, Adapter]]:
    return [(owned, imported(owned, owned.spec.adapter)()) for _, owned in host.all_specs() if owned.spec.adapter]


def _write(shop: AdaptedShop, out: Path) -> None:
    settings: dict[str, Any] = {}
    for part in shop.parts:
        merge(settings, part.settings, {}, part.part)
    (out / SHOP_FILE).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    (out / FIGURES).write_text(json.dumps(asdict(shop), indent=2) + "\n", encoding="utf-8")
    (out / CARD).write_text(card(shop), encoding="utf-8")


def card(shop: AdaptedShop) -> str:
    """Return the shop's card in Markdown: what was learned from what, and what it is worth."""
    lines = [
        "# A shop, learned from its own galleries",
        "",
        f"{shop.products} products with {shop.images} readable images taught it, in the order in which the shop lists them,",
        f"and {shop.reviews} reviews. Each part was taken only where cross-validation on these products says that it is better. Use it with",
        "`agpis run PRODUCTS --shop` and this folder.",
        "",
        "| Part | Measured | Examples | Before | After | Taken | Why |",
        "|---|---|---:|---:|---:|---|---|",
        *(
            f"| {row.part} | {row.measure} | {row.examples} | {percent(row.before)} | {percent(row.after)} | "
            f"{'yes' if row.adopted else 'no'} | {row.reason} |"
            for row in shop.parts
        ),
        "",
        "Before and after are measured on products that did not teach the part. An order that means nothing cannot be",
        "learned: such a part stays as it was.",
    ]
    return "\n".join(lines) + "\n"


def percent(value: float | None) -> str:
    """Return a share in words, "-" where it is unknown."""
    return "-" if value is None else f"{value:.0%}"
