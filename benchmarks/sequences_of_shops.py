"""What are the sequences of labeled shops worth? Products that get one, overlays inside, mixed colors and length, by the labels.

python benchmarks/sequences_of_shops.py SHOP SHOP … [--set KEY=VALUE …] [--work DIR] [-o TABLE.md] [--list]

Each SHOP is a folder of labeled photos, as `leave_one_shop_out.py` takes them; its labeled products run as `agpis run` runs
them. "Complete" are those of `sequence.length` images of one color, of the products that have so many clean ones. Where `train_noncompliance.py` and
`leave_one_shop_out.py` have put their heads into DIR, p_nc and view are those of heads that have not seen the shop; the
other models are those that ship. A shop that puts its mark on nearly all photos has no overlay by it. `--list` names each sequence
with an overlay or of mixed colors.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from train_noncompliance import marked
from wilson import bounds

from agpis_sdk.config import load_config
from agpis_sdk.datasets.galleries import products_of
from agpis_sdk.datasets.labels import Look, labeled_galleries, labeled_images, labeled_looks
from agpis_sdk.pipeline.pipeline import Pipeline
from agpis_sdk.records import Outcome, Product


@dataclass(frozen=True)
class Judged:
    """A product by its labels: can it have a sequence, does it, is it submitted, and what is wrong with it."""

    product: str
    usable: bool
    sequence: tuple[str, ...]
    submitted: bool
    overlay: bool
    several_colors: bool
    mixed: bool
    can_be_complete: bool
    complete: bool
    has_best_first: bool
    best_first: bool


@dataclass(frozen=True)
class Rates:
    """Of some products: a share with its numerator and denominator for each column of the table."""

    sequence: tuple[int, int]
    submitted: tuple[int, int]
    overlay_inside: tuple[int, int]
    mixed_colors: tuple[int, int]
    complete: tuple[int, int]
    best_first: tuple[int, int]

    @classmethod
    def of(cls, judged: Sequence[Judged]) -> Rates:
        """Count; overlays and colors are those of sequences that are submitted, in any order of images."""
        usable = [one for one in judged if one.usable]
        submitted = [one for one in judged if one.submitted]
        colored = [one for one in submitted if one.several_colors]
        long = [one for one in submitted if one.can_be_complete]
        chosen = [one for one in judged if one.has_best_first and one.sequence]
        return cls(
            sequence=(sum(bool(one.sequence) for one in usable), len(usable)),
            submitted=(len(submitted), len(judged)),
            overlay_inside=(sum(one.overlay for one in submitted), len(submitted)),
            mixed_colors=(sum(one.mixed for one in colored), len(colored)),
            complete=(sum(one.complete for one in long), len(long)),
            best_first=(sum(one.best_first for one in chosen), len(chosen)),
        )

    def row(self, name: str, *, intervals: bool = False) -> str:
        """Return a line of the table."""
        cells = (share(*getattr(self, field.name), interval=intervals) for field in fields(self))
        return f"| {name} | " + " | ".join(cells) + " |"


def share(count: int, of: int, *, interval: bool) -> str:
    """Return a share with its denominator, and with the 95 % interval (Wilson) where asked for."""
    if not of:
        return ""
    text = f"{count / of:.2f} of {of}"
    return f"{text} {bounds(count, of)}" if interval else text


def judged_shop(folder: Path, settings: Sequence[str]) -> Iterator[Judged]:
    """Run a shop's labeled products and judge each outcome by the labels."""
    labels = list(labeled_images(folder))
    is_marked = marked(labels)
    overlaid = {
        (label.product.id, label.image.id)
        for label in labels
        if set(label.overlays) - ({"watermark"} if is_marked else set())
    }
    looks = labeled_looks(folder)
    best = {gallery.product.id: gallery.best_first for gallery in labeled_galleries(folder)}
    products = {product.id: labeled_only(product, looks) for product in products_of(folder)}
    config = load_config(overrides=tuple(settings)).config
    for outcome in Pipeline(config).run([product for product in products.values() if product.images]):
        product = products[outcome.product_id]
        unfit = frozenset(name for name in images_of(product) if (product.id, name) in overlaid)
        own = {name: looks[product.id, name] for name in images_of(product)}
        yield judged(outcome, own, unfit, best.get(product.id, frozenset()), config.sequence.length)


def labeled_only(product: Product, looks: dict[tuple[str, str], Look]) -> Product:
    """Return a product with those of its images that have labels."""
    return product.model_copy(
        update={"images": tuple(image for image in product.images if (product.id, image.id) in looks)}
    )


def images_of(product: Product) -> list[str]:
    """Return the ids of a product's images."""
    return [image.id for image in product.images]


def judged(
    outcome: Outcome, looks: Mapping[str, Look], overlaid: frozenset[str], best_first: frozenset[str], length: int
) -> Judged:
    """Judge an outcome by the labels of the product's images."""
    clean = [look for name, look in looks.items() if name not in overlaid and not look.foreign]
    of_color = Counter(look.color for look in clean if look.color is not None)
    chosen = {looks[name].color for name in outcome.sequence} - {None}
    return Judged(
        product=outcome.product_id,
        usable=bool(clean),
        sequence=outcome.sequence,
        submitted=outcome.status == "submit",
        overlay=not overlaid.isdisjoint(outcome.sequence),
        several_colors=len({look.color for look in looks.values()} - {None}) > 1,
        mixed=len(chosen) > 1,
        can_be_complete=max(of_color.values(), default=0) >= length,
        complete=len(chosen) == 1 and len(outcome.sequence) == length,
        has_best_first=bool(best_first),
        best_first=bool(outcome.sequence) and outcome.sequence[0] in best_first,
    )


def settings_of(folder: Path, settings: Sequence[str], work: Path | None) -> tuple[str, ...]:
    """Return the settings of a shop's run: p_nc by a head that has not seen it, and view too, where DIR holds such a head."""
    own = ("media.allow_outside=true", *settings)
    if work is None:
        return own
    fold = json.loads((work / "folds.json").read_text())[folder.name]
    heads = {"noncompliance": work / f"noncompliance-{fold}.safetensors"}
    view = work / f"view-{folder.name}.safetensors"
    if view.is_file():
        heads["view"] = view
    return (*own, *(f"components.{name}.weights={path}" for name, path in heads.items()))


def main() -> None:
    """Run the shops, print the table, and write it where asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shops", nargs="+", type=Path)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--work", type=Path)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    names = [field.name.replace("_", " ") for field in fields(Rates)]
    lines = ["| shop | " + " | ".join(names) + " |", "|---" + "|---:" * len(names) + "|"]
    everything: list[Judged] = []
    for folder in options.shops:
        own = list(judged_shop(folder, settings_of(folder, options.settings, options.work)))
        everything += own
        lines.append(Rates.of(own).row(folder.name))
        print(lines[-1], flush=True)
        for one in own:
            if options.list and one.submitted and (one.overlay or (one.several_colors and one.mixed)):
                print(f"  {one.product}: {'overlay' if one.overlay else 'mixed'} {' '.join(one.sequence)}")
    lines.append(Rates.of(everything).row("*all*", intervals=True))
    print(lines[-1])
    if options.out:
        options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
