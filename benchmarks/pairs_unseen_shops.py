"""What is the verdict on pairs worth in a shop that it has never seen?

python benchmarks/pairs_unseen_shops.py SHOP SHOP … --work DIR [--products N] [--own N] [-o TABLES.md]

Each SHOP is a folder of photos (products.jsonl and labels, or facts.json). The verdict is fitted without each shop in turn
and judges all pairs of it: the shop's own (variants and other views, by the labels), and copies, recolored photos, shots
from a step aside and tables that are made of the photos of at most N products (--products). DIR keeps what was measured, so
that a second run takes seconds.
"""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path

from wilson import bounds

from agpis_sdk.builtin.duplicates.verdict import VerdictHead
from agpis_sdk.cli.options import backbone as configured_backbone
from agpis_sdk.components import Backbone
from agpis_sdk.synthetic.pairs import labeled_pairs
from agpis_sdk.training.duplicates import MeasuredPair, fit, measured, verdict

Judged = tuple[MeasuredPair, str | None]


def measured_shop(folder: Path, work: Path, backbone: Backbone, products: int, own: int) -> list[MeasuredPair]:
    """Return the measured pairs of a shop; what DIR holds is not computed again."""
    path = work / f"{folder.name}.pkl"
    if not path.is_file():
        pairs = labeled_pairs([folder], products=products, photos=1, own=own)
        path.write_bytes(pickle.dumps(list(measured(pairs, backbone))))
    shop: list[MeasuredPair] = pickle.loads(path.read_bytes())
    return shop


def judged(shops: Sequence[list[MeasuredPair]]) -> Iterator[list[Judged]]:
    """Yield the pairs of each shop with the verdict of a head that was fitted on all other shops."""
    for left in shops:
        head: VerdictHead = fit([pair for shop in shops if shop is not left for pair in shop])
        yield [(pair, verdict(pair, head)) for pair in left]


def shop_table(names: Sequence[str], shops: Sequence[list[Judged]]) -> str:
    """Return, as Markdown, the shares of each shop's own variants and other views that are called duplicates and variants."""
    lines = [
        "| shop | color variants | called duplicate | called variant | other views | called duplicate | called variant |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, shop in [*zip(names, shops, strict=True), ("*all*", [one for own in shops for one in own])]:
        cells = [
            called([one for one in shop if one[0].kind == kind and not one[0].change], ("duplicate", "variant"))
            for kind in ("variant", "view")
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def change_table(judgments: Sequence[Judged]) -> str:
    """Return, as Markdown, the share of what was made of photos that is called a duplicate, by kind and change."""
    lines = ["| pairs | n | called duplicate |", "|---|---:|---:|"]
    groups = sorted({(pair.kind != "duplicate", pair.kind, pair.change) for pair, _ in judgments if pair.change})
    for _, kind, change in groups:
        own = [one for one in judgments if (one[0].kind, one[0].change) == (kind, change)]
        name = change if kind == "duplicate" else f"{kind}: {change}"
        lines.append(f"| {name} | {called(own, ('duplicate',))} |")
    return "\n".join(lines)


def called(judgments: Sequence[Judged], verdicts: Sequence[str]) -> str:
    """Return cells: how many pairs, and the share of them that gets each verdict with its 95 % interval (Wilson)."""
    of = len(judgments)
    counts = [sum(name == verdict for _, name in judgments) for verdict in verdicts]
    shares = [f"{count / of:.3f} {bounds(count, of, digits=3)}" if of else "" for count in counts]
    return " | ".join([str(of), *shares])


def main() -> None:
    """Measure, print, and write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shops", nargs="+", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--products", type=int, default=5, help="products a shop whose photos are changed")
    parser.add_argument("--own", type=int, default=6, help="pairs of a product's own photos")
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    backbone = configured_backbone(None, None)
    shops = [measured_shop(folder, options.work, backbone, options.products, options.own) for folder in options.shops]
    judgments = list(judged(shops))
    everything = [one for shop in judgments for one in shop]
    tables = f"{shop_table([folder.name for folder in options.shops], judgments)}\n\n{change_table(everything)}\n"
    print(tables)
    if options.out:
        options.out.write_text(tables, encoding="utf-8")


if __name__ == "__main__":
    main()
