"""Pairs and single images: this package beside imagededup and CleanVision, on the same pictures, in one run.

python benchmarks/stage1.py PHOTOS... -o FOLDER [--marked PHOTOS...] [--peers PEERS_PYTHON] [--per-folder N]

PHOTOS hold products.jsonl and facts.json. Only products of the test split are shown; none of them was seen in training.
Pairs are labeled by how they were made (`bench.pairs`), single images by what was drawn into them (`bench.violations`,
fonts and marks of the test split). Photos of --marked folders carry their shop's own mark: they make pairs, and no clean
single images. FOLDER gets the pictures, everybody's verdicts, tables as Markdown, and the
precision-recall curves. The peers run in an environment of their own: benchmarks/stage1_peers.txt.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk import CandidateImage, Pipeline, Product, load_config
from agpis_sdk.builtin.duplicates.verdict import VerdictHead
from agpis_sdk.components import Backbone, DecodedImage
from agpis_sdk.datasets.galleries import products_of
from agpis_sdk.datasets.photos import load_photo
from agpis_sdk.datasets.splits import split_of
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.synthetic.pairs import LabeledPair, labeled_pairs
from agpis_sdk.synthetic.violations import hard_negative, inject
from agpis_sdk.training.duplicates import MeasuredPair, measured

# What CleanVision looks for, and what of it both sides are shown. "" and "look-alike" are fine.
SINGLES = (
    "", "look-alike", "blur", "under-exposed", "over-exposed", "placeholder", "extreme-aspect", "low-contrast", "banner",
    "promotional-text", "watermark", "logo-overlay", "price-badge", "qr-or-barcode", "collage", "border",
)  # fmt: skip
LIMITS: dict[str, Callable[[float], bool]] = {
    "pHash ≤ 10": lambda distance: distance <= 10,
    "dHash ≤ 10": lambda distance: distance <= 10,
    "CNN ≥ 0.9": lambda similarity: similarity >= 0.9,
    "this package ≥ 0.5": lambda probability: probability >= 0.5,
}


@dataclass(frozen=True, eq=False)
class JudgedPair:
    """A labeled pair by its two files, and our probability of a duplicate."""

    name: str
    kind: str
    first: str
    second: str
    probability: float


def judged_pairs(folders: Sequence[Path], pictures: Path, backbone: Backbone) -> tuple[list[JudgedPair], float]:
    """Write the pictures of all test pairs, judge the pairs, and return them with our seconds for it."""
    head, judged, seconds = VerdictHead.load(), [], 0.0
    pairs = [pair for pair in labeled_pairs(folders) if pair.split == "test"]
    files = {image.key: write(image, pictures) for pair in pairs for image in (pair.first, pair.second)}
    started = time.perf_counter()
    found: Iterable[MeasuredPair] = measured(pairs, backbone)
    for pair, result in zip(pairs, found, strict=True):
        probability = head.probabilities(result.comparison)["duplicate"] if result.comparison else 0.0
        judged.append(JudgedPair(name_of(pair), pair.kind, files[pair.first.key], files[pair.second.key], probability))
    seconds = time.perf_counter() - started
    return judged, seconds


def name_of(pair: LabeledPair) -> str:
    """Return the row of the table that a pair belongs to."""
    if pair.kind == "duplicate":
        return pair.change
    made = f" ({pair.change})" if pair.change else " (as the shop shows them)" if pair.kind == "variant" else ""
    return {"variant": "color variant", "view": "other view", "product": "other product"}.get(
        pair.kind, pair.kind
    ) + made


def write(image: DecodedImage, folder: Path) -> str:
    """Write an image as PNG, once, and return its file's name."""
    words = f"{image.product_id}-{image.id}".replace("#", "-").replace("/", "-").replace(" ", "-").replace(",", "")
    name = f"{words}-{image.sha256[:8]}.png"
    if not (folder / name).is_file():
        cv2.imwrite(str(folder / name), cv2.cvtColor(image.pixels, cv2.COLOR_RGB2BGR))
    return name


def single_pictures(folders: Sequence[Path], out: Path, per_folder: int) -> Iterator[dict[str, str]]:
    """Write clean photos of test products, look-alikes and photos with faults drawn in; yield file and kind."""
    for folder in folders:
        products = [product for product in products_of(folder) if split_of(product) == "test"][:per_folder]
        for number, product in enumerate(products):
            photo = load_photo(product, product.images[0])
            for kind in SINGLES:
                rng = np.random.default_rng([number, SINGLES.index(kind)])
                pixels = drawn(kind, np.array(photo.pixels), rng)
                name = f"{folder.name}-{number}-{kind or 'clean'}.png"
                cv2.imwrite(str(out / name), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
                yield {"file": name, "kind": kind or "clean"}


def drawn(kind: str, pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a photo with a fault drawn in, a look-alike of one, or the photo itself."""
    if not kind:
        return pixels
    if kind == "look-alike":
        return hard_negative(pixels, rng, split="test")[0]
    return inject(kind, pixels, rng, split="test", others=[pixels]).pixels


def our_findings(singles: Sequence[dict[str, str]], folder: Path) -> tuple[dict[str, list[list[str]]], float]:
    """Return the names of our findings on each picture, all and those that remove it, and the seconds of the run."""
    config = load_config(overrides=['sequence.scorer="none"', 'sequence.builder="random"']).config
    pipeline = Pipeline(config)
    products = [
        Product(id=single["file"], images=(CandidateImage(id="image", uri=str(folder / single["file"])),))
        for single in singles
    ]
    started = time.perf_counter()
    removing = {rule.code for rule in shipped_rules() if rule.severity == "error"}
    found = [outcome.findings for outcome in pipeline.run(products)]
    seconds = time.perf_counter() - started
    said = [[finding.name for finding in findings] for findings in found]
    removed = [[finding.name for finding in findings if finding.code in removing] for findings in found]
    return {"this package, any finding": said, "this package, removed": removed}, seconds


def pair_table(pairs: Sequence[JudgedPair], scores: dict[str, list[float]]) -> str:
    """Return, as Markdown, the share of each kind of pair that each method calls a duplicate."""
    rows = sorted({(pair.kind != "duplicate", pair.kind, pair.name) for pair in pairs})
    lines = [f"| pairs | n | {' | '.join(scores)} |", "|---|---:|" + "---:|" * len(scores)]
    for _, _, name in rows:
        members = [row for row, pair in enumerate(pairs) if pair.name == name]
        shares = [np.mean([LIMITS[method](values[row]) for row in members]) for method, values in scores.items()]
        lines.append(f"| {name} | {len(members)} | " + " | ".join(f"{share:.3f}" for share in shares) + " |")
    return "\n".join(lines)


def single_table(singles: Sequence[dict[str, str]], found: dict[str, list[list[str]]]) -> str:
    """Return, as Markdown, the share of each kind of picture about which each method says anything."""
    lines = [f"| pictures | n | {' | '.join(found)} |", "|---|---:|" + "---:|" * len(found)]
    for kind in dict.fromkeys(single["kind"] for single in singles):
        members = [row for row, single in enumerate(singles) if single["kind"] == kind]
        shares = [np.mean([bool(names[row]) for row in members]) for names in found.values()]
        lines.append(f"| {kind} | {len(members)} | " + " | ".join(f"{share:.3f}" for share in shares) + " |")
    return "\n".join(lines)


def plot(pairs: Sequence[JudgedPair], scores: dict[str, list[float]], path: Path) -> None:
    """Draw precision over recall of duplicates among all pairs, one curve a method."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt
    from sklearn.metrics import average_precision_score, precision_recall_curve

    labels = [pair.kind == "duplicate" for pair in pairs]
    figure, axes = plt.subplots(figsize=(6, 4.5), layout="constrained")
    for method, values in scores.items():
        likeness = [-value if "Hash" in method else value for value in values]
        precision, recall, _ = precision_recall_curve(labels, likeness)
        name = method.split(" ≤")[0].split(" ≥")[0]
        axes.plot(recall, precision, label=f"{name} (AP {average_precision_score(labels, likeness):.3f})")
    axes.set(xlabel="recall of duplicates", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.01))
    axes.legend(loc="lower left", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Judge everything, let the peers judge it, and print and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--marked", type=Path, nargs="*", default=[])
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--peers", type=Path, help="python of an environment with benchmarks/stage1_peers.txt")
    parser.add_argument("--per-folder", type=int, default=25, help="products per folder for the single images")
    arguments = parser.parse_args()
    out: Path = arguments.out
    for folder in (out / "pictures", out / "singles"):
        folder.mkdir(parents=True, exist_ok=True)
    from agpis_sdk.cli.options import backbone

    pairs, pair_seconds = judged_pairs([*arguments.photos, *arguments.marked], out / "pictures", backbone(None, None))
    singles = list(single_pictures(arguments.photos, out / "singles", arguments.per_folder))
    own, own_seconds = our_findings(singles, out / "singles")
    write_lines(out / "pairs.jsonl", [{"first": pair.first, "second": pair.second} for pair in pairs])
    write_lines(out / "singles.jsonl", singles)
    scores = {"this package ≥ 0.5": [pair.probability for pair in pairs]}
    found = dict(own)
    speeds = {
        "this package, pairs (backbone, regions, verdicts)": len(list((out / "pictures").iterdir())) / pair_seconds,
        "this package, single images (whole stage 1)": len(singles) / own_seconds,
    }
    if arguments.peers:
        script = Path(__file__).with_name("stage1_peers.py")
        subprocess.run([str(arguments.peers), str(script), str(out)], check=True)
        peers = json.loads((out / "peers.json").read_text(encoding="utf-8"))
        scores |= {f"{name} ≤ 10": values for name, values in peers["distances"].items()}
        scores |= {"CNN ≥ 0.9": peers["similarities"]["CNN"]}
        found |= {"CleanVision": peers["issues"]}
        speeds |= peers["images_per_second"]
    plot(pairs, scores, out / "pairs.png")
    rows = [f"| {name} | {speed:.1f} |" for name, speed in speeds.items()]
    speed_table = "\n".join(["| what | images/s |", "|---|---:|", *rows])
    report = "\n\n".join([pair_table(pairs, scores), single_table(singles, found), speed_table])
    (out / "tables.md").write_text(report + "\n", encoding="utf-8")
    print(report)


def write_lines(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Write records as JSON lines."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


if __name__ == "__main__":
    main()
