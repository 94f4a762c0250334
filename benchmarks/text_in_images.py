"""Does `agpis-text` find text over the picture, and leave print on the product alone?

python benchmarks/text_in_images.py FOLDER … [--photos N] [--fit]

Needs the plugin. Products of the test split alone are counted, as they come and with an overlay drawn in whose fonts,
words and layouts no weights were trained on. `--fit` fits the weights of `agpis_text.placement` on the other splits.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from agpis_text.checker import TextChecker
from agpis_text.config import TextConfig
from agpis_text.placement import cues_of
from agpis_text.reader import TextReader
from rich.console import Console
from rich.table import Table

from agpis_sdk.bench.violations import inject
from agpis_sdk.cli.options import backbone as configured_backbone
from agpis_sdk.components import Context, DecodedImage
from agpis_sdk.learn.galleries import read_galleries
from agpis_sdk.learn.photos import load_photo, with_pixels
from agpis_sdk.learn.splits import split_of
from agpis_sdk.records import Product

OVERLAYS = ("promotional-text", "banner", "price-badge")
WORDED = {"ATX101", "ATX102", "ATX103", "ATX104"}
Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Picture:
    """A photo as it came, or with an overlay in `box`."""

    product: Product
    kind: str
    image: DecodedImage
    box: Box | None


class Known:
    """A context that knows p_nc of each image, and its product."""

    def __init__(self, product: Product, p_noncompliant: float) -> None:
        self._product, self._p_noncompliant = product, p_noncompliant

    def fact(self, _image: DecodedImage, _name: str) -> float:
        """Return p_nc, which is all that is asked for."""
        return self._p_noncompliant

    def product(self, _product_id: str) -> Product:
        """Return the product."""
        return self._product

    def provide(self, _image: DecodedImage, _name: str, _value: object) -> None:
        """Forget what is provided: nobody asks for it."""


def pictures(folders: Sequence[Path], count: int, *, tested: bool, seed: int = 0) -> Iterator[Picture]:
    """Yield up to `count` photos of each folder, each as it came and with one overlay of each kind in turn."""
    for folder in folders:
        rng, taken = np.random.default_rng([seed, tested]), 0
        for review in read_galleries([folder]):
            if (split_of(review.product) == "test") != tested:
                continue
            for candidate in review.product.images:
                if taken == count:
                    break
                image, kind = load_photo(review.product, candidate), OVERLAYS[taken % len(OVERLAYS)]
                name = "as it came, catalogue image" if "Iconic" in image.id else "as it came"
                yield Picture(review.product, f"{folder.name}: {name}", image, None)
                pixels = np.array(image.pixels)
                drawn = inject(kind, pixels, rng, split="test" if tested else "train", others=[pixels] * 3)
                yield Picture(review.product, kind, with_pixels(image, drawn.pixels), drawn.box)
                taken += 1


def p_noncompliant_of(images: Sequence[DecodedImage]) -> list[float]:
    """Return p_nc of images as the shipped head gives it."""
    from agpis_sdk.builtin.noncompliance.model import NoncomplianceHead, any_kind_logit

    head, backbone = NoncomplianceHead.load(), configured_backbone(None, None)
    import torch

    known: list[float] = []
    for start in range(0, len(images), 16):
        facts = backbone.features(images[start : start + 16])
        maps = [
            torch.from_numpy(np.stack([fact[name] for fact in facts]))
            for name in ("tokens", "feature_map", "detail_map")
        ]
        with torch.inference_mode():
            known += torch.sigmoid(any_kind_logit(head(*maps)[0])).tolist()
    return known


def measure(tested: Sequence[Picture]) -> None:
    """Print which share of each kind of picture is flagged, and how long a picture takes."""
    checker = TextChecker(TextConfig())
    counts: dict[str, list[tuple[bool, bool, bool, bool]]] = defaultdict(list)
    seconds = [0.0, 0.0]
    for picture, p_nc in zip(tested, p_noncompliant_of([one.image for one in tested]), strict=True):
        began = time.perf_counter()
        findings = list(checker.check_images([picture.image], cast("Context", Known(picture.product, p_nc))))
        read = p_nc >= TextConfig().read_from
        seconds[read] += time.perf_counter() - began
        found = {finding.code for finding in findings if finding.score >= 0.5}
        overlaid = bool(found & {*WORDED, "ATX106"})
        counts[picture.kind].append((bool(found & WORDED), overlaid, overlaid or p_nc >= 0.5, read))
    table = Table("pictures", "n", "worded (ATX101-104)", "any overlaid text", "or p_nc ≥ 0.5", "read at all")
    for kind, rows in sorted(counts.items()):
        table.add_row(kind, str(len(rows)), *(f"{share:.3f}" for share in np.mean(rows, axis=0)))
    Console().print(table)
    reads = sum(row[3] for rows in counts.values() for row in rows)
    print(f"{1000 * seconds[1] / max(reads, 1):.0f} ms a picture that is read, {reads} of {len(tested)} are")


def fit(taught: Sequence[Picture]) -> None:
    """Print weights and bias of a logistic regression: lines inside an overlay's box against lines of photos as they came."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    reader = TextReader(TextConfig().side)
    rows: list[tuple[float, ...]] = []
    labels: list[bool] = []
    for picture, p_nc in zip(taught, p_noncompliant_of([one.image for one in taught]), strict=True):
        for line in reader.read(picture.image.pixels):
            x, y = line.corners.mean(axis=0)
            if picture.box is not None and not _inside(picture.box, float(x), float(y)):
                continue
            rows.append(astuple(cues_of(picture.image.pixels, line.corners, p_nc)))
            labels.append(picture.box is not None)
    scaler = StandardScaler().fit(rows)
    model: Any = LogisticRegression(class_weight="balanced").fit(scaler.transform(rows), labels)
    weights = model.coef_[0] / scaler.scale_
    print("weights", weights.round(3).tolist(), "bias", round(float(model.intercept_[0] - weights @ scaler.mean_), 3))


def _inside(box: Box, x: float, y: float) -> bool:
    return box[0] - 5 <= x <= box[0] + box[2] + 5 and box[1] - 5 <= y <= box[1] + box[3] + 5


def main() -> None:
    """Print the table, or with --fit the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--photos", type=int, default=60, help="Most photos of a folder.")
    parser.add_argument("--fit", action="store_true")
    arguments = parser.parse_args()
    chosen = list(pictures(arguments.folders, arguments.photos, tested=not arguments.fit))
    if arguments.fit:
        fit(chosen)
    else:
        measure(chosen)


if __name__ == "__main__":
    main()
