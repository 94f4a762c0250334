"""Makes the example catalog anew: views rendered with Mitsuba, problems planted in known places.

Mitsuba and pyoidn are development dependencies only (`make example-catalog`); Mitsuba's LLVM backend needs LLVM 17 or
newer, named by DRJIT_LIBLLVM_PATH where the system has an older one. Deterministic up to the renderer's version.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from problems import PLANTERS, Pixels, described, jpeg

HERE = Path(__file__).parent
SIZE = 512
SAMPLES = 8
# yaw, elevation, fill, aim: as a studio would go round a product
VIEWS: dict[str, dict[str, object]] = {
    "front": {"yaw": 0.0, "elevation": 12.0},
    "angle": {"yaw": 38.0, "elevation": 20.0},
    "side": {"yaw": 90.0, "elevation": 12.0},
    "back": {"yaw": 180.0, "elevation": 14.0},
    "top": {"yaw": 20.0, "elevation": 62.0},
    "detail": {"yaw": 30.0, "elevation": 22.0, "fill": 1.9, "aim": (0.0, 0.25)},
    "face": {"tip": 82.0, "elevation": 6.0},
    "room": {"yaw": 30.0, "elevation": 14.0, "fill": 0.6, "backdrop": "home:#8fa3a8"},
}


@dataclass(frozen=True)
class Entry:
    """A product of the catalog: its clean views, the problems among its candidates, and the listed order."""

    id: str
    builder: str
    title: str
    category: str
    description: str
    views: tuple[str, ...]
    # name of the candidate → (problem, the view it was made of)
    planted: dict[str, tuple[str, str]] = field(default_factory=dict)
    # which candidates are listed first: the shop's order is not always good
    first: tuple[str, ...] = ()
    # views that the pages of rules show, and that are no candidates
    unlisted: tuple[str, ...] = ()


CATALOG = (
    Entry("mug-01", "mug", "Stoneware mug, blue, 350 ml", "Kitchen/Mugs", "Glazed stoneware with a raw clay foot.",
          ("front", "angle", "top", "back"), {"offer": ("banner", "angle")}, ("offer",)),
    Entry("kettle-01", "kettle", "Gooseneck kettle, brushed steel, 1 l", "Kitchen/Kettles", "For pour-over coffee.",
          ("front", "angle", "side", "back", "detail"), {"stock": ("watermark", "front")}, ("stock", "detail")),
    Entry("vase-01", "vase", "Vase with ribs", "Home/Decoration", "Hand-thrown, each a little different.",
          ("front", "top", "detail", "room"), {"closer": ("crop", "front")}, ("front", "closer")),
    Entry("lamp-01", "lamp", "Desk lamp, jointed, mustard", "Home/Lighting", "Turns and tilts.",
          ("front", "angle", "detail", "room"), {"sale": ("price-badge", "front")}, ("detail", "sale")),
    Entry("chair-01", "chair", "Shell chair, teal, wooden legs", "Furniture/Chairs", "Molded shell on turned legs.",
          ("front", "angle", "side", "back"), {"flipped": ("mirrored-copy", "angle")}, ("back",)),
    Entry("stool-01", "stool", "Counter stool, three legs", "Furniture/Stools", "With a steel foot ring.",
          ("front", "angle", "top"), {"framed": ("border", "front"), "dark": ("under-exposed", "angle")}, ("framed",)),
    Entry("shelf-01", "bookshelf", "Open bookshelf with back panel", "Furniture/Shelves", "Books are not part of the offer.",
          ("front", "angle", "side", "room"), {"all-in-one": ("collage", "front")}, ("all-in-one",)),
    Entry("backpack-01", "backpack", "Day backpack, 18 l", "Bags/Backpacks", "Padded back, two pockets.",
          ("front", "angle", "side", "back"), {"code": ("qr-or-barcode", "front")}, ("side", "code")),
    Entry("bottle-01", "bottle", "Water bottle, steel, 750 ml", "Sports/Bottles", "Keeps cold for a day.",
          ("front", "angle", "top", "detail"), {"again": ("exact-copy", "front")}, ("front", "again")),
    Entry("headphones-01", "headphones", "Over-ear headphones", "Electronics/Audio", "40 hours of battery.",
          ("front", "angle", "side", "back"), {"branded": ("logo-overlay", "angle")}, ("branded",)),
    Entry("car-01", "car", "Toy car, wooden wheels", "Toys/Cars", "From two years.",
          ("front", "angle", "side", "back", "top"), {"other-color": ("color-variant", "angle")}, ("angle",), ("back",)),
    Entry("fan-01", "fan", "Desk fan, 30 cm", "Home/Climate", "Three speeds.",
          ("front", "angle", "side", "back"), {"shaken": ("blur", "front")}, ("shaken",)),
    Entry("bowls-01", "bowls", "Set of three bowls", "Kitchen/Bowls", "Stackable.",
          ("front", "angle", "top", "detail"), {"claim": ("promotional-text", "angle"), "broken": ("truncated-file", "top")},
          ("claim", "broken")),
    Entry("clock-01", "clock", "Wall clock, 28 cm", "Home/Clocks", "Silent movement.",
          ("face", "angle", "side"), {"smaller": ("recompressed-copy", "face"), "icon": ("tiny", "face")},
          ("icon", "smaller")),
    # These two are meant to end without a sequence: too few images, and nearly all of them unfit.
    Entry("flashlight-01", "flashlight", "Flashlight, aluminium", "Outdoor/Light", "IP67.", ("front", "angle")),
    Entry("helmet-01", "helmet", "Skate helmet, blue", "Sports/Helmets", "Size M.", ("front", "angle"), {
        "stock": ("watermark", "angle"), "deal": ("banner", "front"), "badge": ("price-badge", "angle"),
    }),
)  # fmt: skip


def rendered(entry: Entry, cache: Path | None) -> dict[str, Pixels]:
    """Return the clean views of a product; finished ones are taken from `cache`, if given."""
    views: dict[str, Pixels] = {}
    for number, name in enumerate(entry.views):
        kept = cache / f"{entry.id}_{name}.png" if cache else None
        if kept is not None and kept.is_file():
            views[name] = np.asarray(Image.open(kept).convert("RGB"))
            continue
        from studio import View, photograph  # the renderer is only needed where a view is missing

        views[name] = photograph(entry.builder, View(**VIEWS[name]), SAMPLES, seed=number + 1, size=SIZE)  # type: ignore[arg-type]
        if kept is not None:
            Image.fromarray(views[name]).save(kept)
    return views


def write(entry: Entry, views: dict[str, Pixels], seed: int) -> tuple[dict[str, object], dict[str, object]]:
    """Write a product's files; return its line of products.jsonl and what is planted in it."""
    files = {name: jpeg(pixels) for name, pixels in views.items()}
    planted: dict[str, object] = {}
    for number, (name, (problem, of)) in enumerate(entry.planted.items()):
        made = PLANTERS[problem](views, of, seed + number)
        files[name] = made.data
        planted[f"{entry.id}_{name}"] = described(made)
    for name, data in files.items():
        (HERE / "images" / f"{entry.id}_{name}.jpg").write_bytes(data)
    order = [*entry.first, *(name for name in files if name not in (*entry.first, *entry.unlisted))]
    line = {
        "id": entry.id,
        "title": entry.title,
        "category": entry.category,
        "description": entry.description,
        "images": [f"images/{entry.id}_{name}.jpg" for name in order],
    }
    best = [f"{entry.id}_{name}" for name in ("face", "front", "angle") if name in entry.views]
    return line, {"planted": planted, "best_primary": best}


def main() -> None:
    """Make images/, products.jsonl and planted.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, help="Folder that keeps the clean views, so that a second run is quick.")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    (HERE / "images").mkdir(exist_ok=True)
    lines, facts = [], {}
    for number, entry in enumerate(CATALOG):
        line, known = write(entry, rendered(entry, arguments.cache), arguments.seed + 10 * number)
        lines.append(json.dumps(line, ensure_ascii=False))
        facts[entry.id] = known
    (HERE / "products.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (HERE / "planted.json").write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
