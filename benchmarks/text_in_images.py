"""How much text laid over pictures does agpis-text find, and how much of a product's own lettering does it mistake for it?

python benchmarks/text_in_images.py [--data DIR] [--split test] [--overlaid 120] [--clean 100] [--fit]

Text, banners, price badges and contact lines are drawn into clean photos; cartons and plain photos stay as they are. The
even products of a shop are for tuning (--split train), the odd ones for the report, and the two share no font, wording or
layout, either. `--fit` prints the weights of `agpis_text.overlay` as the tuning half gives them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import cv2
import numpy as np
from agpis_text import plugin
from agpis_text.config import TextReaderConfig
from agpis_text.lines import TextLine
from agpis_text.overlay import Cues, cues_of, product_hull
from agpis_text.reader import TextReader
from rich.console import Console
from rich.table import Table

from agpis_sdk import DecodedImage
from agpis_sdk.builtin.foreground.plain_background import estimate_foreground
from agpis_sdk.components import ImageSequence
from agpis_sdk.config import MediaSection
from agpis_sdk.media.decode import decode_image
from agpis_sdk.records import CandidateImage, Finding, Product
from agpis_sdk.synthetic.violations import Split, inject
from agpis_sdk.testing.component import ComponentUnderTest
from agpis_sdk.testing.hosts import isolated_host

DATA = Path(__file__).parents[2] / "shared" / "data"
KINDS: dict[str, tuple[str, ...]] = {  # what names them; a badge holds a price, or words such as "BEST PRICE"
    "promotional-text": (),
    "banner": ("TXT101",),
    "price-badge": ("TXT101", "TXT102"),
    "contact-information": ("TXT103",),
}
REPORTED = 0.5
SMALL = 400  # photos below it are enlarged before something is drawn in, or the lettering would be a few pixels high
SEED = 23
JPEG_QUALITY = 90
INSIDE, PARTLY = 0.7, 0.2  # shares of a line within what was drawn: it is that text, or neither that nor the photo's


@dataclass(frozen=True)
class Photo:
    """A file, and the title of the product that it shows."""

    path: Path
    title: str


@dataclass(frozen=True)
class Sample:
    """A picture, the group it is counted in, its product's title, and the box of what was drawn in, in original pixels."""

    group: str
    image: DecodedImage
    title: str
    box: tuple[int, int, int, int] | None = None


def main() -> None:
    """Measure and print the tables, or fit the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--split", choices=("train", "test"), default="test")
    parser.add_argument("--overlaid", type=int, default=120)
    parser.add_argument("--clean", type=int, default=100)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--show", action="store_true", help="Print what was missed and what was mistaken.")
    arguments = parser.parse_args()
    split: Split = "train" if arguments.fit else arguments.split
    samples = [*overlaid(arguments.data, split, arguments.overlaid), *clean(arguments.data, split, arguments.clean)]
    if arguments.fit:
        fit(samples)
        return
    subject = component(min_marks=TextReaderConfig().min_marks)
    findings = [reported(subject, sample) for sample in samples]
    Console(width=120).print(overlay_table(samples, findings), clean_table(samples, findings), time_table(samples))
    if arguments.show:
        show(samples, findings)


# ── Pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def overlaid(data: Path, split: Split, count: int) -> Iterator[Sample]:
    """Yield photos and cartons with something drawn in, the kinds in turn."""
    hand = np.random.default_rng((SEED, split == "train"))
    photos = [
        *_photos(data, "sportswear", split, 2),
        *_photos(data, "groceries", split, 2),
        *_clothes(data, split, 300),
    ]
    order = hand.permutation(len(photos))
    for number in range(count):
        photo, kind = photos[order[number % len(photos)]], list(KINDS)[number % len(KINDS)]
        pixels = _load(photo.path)
        if max(pixels.shape) < SMALL:
            pixels = cv2.resize(pixels, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        drawn = inject(kind, pixels, hand, split=split)
        yield Sample(kind, _decoded(drawn.pixels, f"{kind}-{number}-{photo.path.stem}"), photo.title, drawn.box)


def clean(data: Path, split: Split, count: int) -> Iterator[Sample]:
    """Yield cartons on catalog pictures and in stores, and photos of sportswear and clothes, all as they are."""
    cartons = _photos(data, "groceries", split, 7)
    catalog = [photo for photo in cartons if photo.path.stem.endswith("_Iconic")]
    store = [photo for photo in cartons if photo not in catalog]
    photos = [*_photos(data, "sportswear", split, 1)[: count // 2], *_clothes(data, split, 100)[: count // 2]]
    for group, chosen in (("catalog", catalog), ("store", store[: count - len(catalog)]), ("photos", photos)):
        for photo in chosen:
            yield Sample(group, _decoded(_load(photo.path), photo.path.stem), photo.title)


def _photos(data: Path, shop: str, split: Split, first: int) -> list[Photo]:
    lines = (data / shop / "products.jsonl").read_text(encoding="utf-8").splitlines()
    chosen = [json.loads(line) for line in lines][(split == "test") :: 2]
    return [
        Photo(data / shop / (image["uri"] if isinstance(image, dict) else image), product["title"])
        for product in chosen
        for image in product["images"][:first]
    ]


def _clothes(data: Path, split: Split, step: int) -> list[Photo]:
    return [Photo(path, "") for path in sorted((data / "clothing").rglob("*.jpg"))[(split == "test") :: step]]


def _load(path: Path) -> np.ndarray:
    return np.asarray(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), np.uint8)


def _decoded(pixels: np.ndarray, image_id: str) -> DecodedImage:
    """Save as JPEG and decode as a run does: what is drawn is not sharper than in a shop's file."""
    coded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return decode_image(bytes(coded), product_id="P1", image_id=image_id, position=0, limits=MediaSection())


# ── Tables ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def component(*, min_marks: int) -> ComponentUnderTest:
    """Return the checker with what it requires, the reader with a setting of its own."""
    subject = ComponentUnderTest.named(isolated_host(plugin), "text")
    subject.tables["text-reader"] = {"min_marks": min_marks}
    return subject


def reported(subject: ComponentUnderTest, sample: Sample) -> list[Finding]:
    """Return what the checker finds in a picture and a run would report."""
    candidate = CandidateImage(id=sample.image.id, uri=f"{sample.image.id}.jpg")
    product = Product(id=sample.image.product_id, title=sample.title, images=(candidate,))
    context = subject.sequence_context([ImageSequence(product=product, images=(sample.image,))])
    return [one for one in subject.instance.check_images([sample.image], context) if one.score >= REPORTED]


def overlay_table(samples: Sequence[Sample], findings: Sequence[Sequence[Finding]]) -> Table:
    """Return how much of what was drawn in was found, by any rule and by the rule that names it."""
    every = component(min_marks=0)
    table = Table(title="drawn in: found by a rule, in its place")
    for heading in ("kind", "pictures", "found", "found, every picture read", "by its own rule"):
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    rows: dict[str, list[tuple[bool, bool, bool]]] = {kind: [] for kind in KINDS}
    for sample, found in zip(samples, findings, strict=True):
        if sample.box is None:
            continue
        named = any(one.code in KINDS[sample.group] for one in _placed(found, sample))
        ungated = _placed(reported(every, sample), sample)
        rows[sample.group].append((bool(_placed(found, sample)), bool(ungated), named))
    rows["all"] = [hit for hits in rows.values() for hit in hits]
    for kind, hits in rows.items():
        shares = [f"{share:.2f}" for share in np.mean(hits, axis=0)]
        table.add_row(kind, str(len(hits)), *shares[:2], shares[2] if KINDS.get(kind) else "-")
    return table


def clean_table(samples: Sequence[Sample], findings: Sequence[Sequence[Finding]]) -> Table:
    """Return in how many clean pictures something was reported."""
    table = Table(title="clean: pictures with a finding")
    for heading in ("group", "pictures", "TXT101-104", "TXT105", "TXT106", "any"):
        table.add_column(heading, justify="left" if heading == "group" else "right")
    groups = {
        "catalog": ("catalog",),
        "store": ("store",),
        "all cartons": ("catalog", "store"),
        "photos": ("photos",),
    }
    for name, members in groups.items():
        codes = [
            {one.code for one in found}
            for sample, found in zip(samples, findings, strict=True)
            if sample.group in members
        ]
        named = [bool(one - {"TXT105", "TXT106"}) for one in codes]
        others = [["TXT105" in one, "TXT106" in one, bool(one)] for one in codes]
        table.add_row(name, str(len(codes)), *(f"{share:.2f}" for share in (np.mean(named), *np.mean(others, axis=0))))
    return table


def time_table(samples: Sequence[Sample]) -> Table:
    """Return milliseconds a picture of reading, with the cheap look first and without."""
    gated, every = TextReader(TextReaderConfig()), TextReader(TextReaderConfig(min_marks=0))
    table = Table(title="milliseconds a picture, one thread")
    for heading in ("group", "pictures", "every one read", "with the look first", "read at all"):
        table.add_column(heading, justify="left" if heading == "group" else "right")
    for name in (*KINDS, "catalog", "store", "photos"):
        images = [sample.image for sample in samples if sample.group == name]
        seconds, passed = [0.0, 0.0], 0
        for image in images:
            for turn, reader in enumerate((every, gated)):
                started = time.perf_counter()
                reader.lines(image)
                seconds[turn] += time.perf_counter() - started
            passed += gated.is_read(image)
        milliseconds = [f"{1000 * value / len(images):.0f}" for value in seconds]
        table.add_row(name, str(len(images)), *milliseconds, f"{passed / len(images):.2f}")
    return table


def show(samples: Sequence[Sample], findings: Sequence[Sequence[Finding]]) -> None:
    """Print what was missed among what was drawn in, and what was reported on clean pictures."""
    for sample, found in zip(samples, findings, strict=True):
        if sample.box is not None and not _placed(found, sample):
            print("missed  ", sample.image.id)
        if sample.box is None and found:
            print(
                "mistaken", sample.image.id, *(f"{one.code} {one.score:.2f} {one.message}" for one in found), sep=" | "
            )


def _placed(findings: Sequence[Finding], sample: Sample) -> list[Finding]:
    """Return the findings with a box that lies mostly within what was drawn in."""
    return [one for one in findings if any(_share(region.box, sample.box) >= 0.5 for region in one.regions)]


def _share(box: Sequence[float], drawn: Sequence[float] | None) -> float:
    """Return how much of a box lies within another, 0..1."""
    if drawn is None:
        return 0.0
    across = min(box[0] + box[2], drawn[0] + drawn[2]) - max(box[0], drawn[0])
    down = min(box[1] + box[3], drawn[1] + drawn[3]) - max(box[1], drawn[1])
    return max(across, 0) * max(down, 0) / max(box[2] * box[3], 1)


# ── The weights ──────────────────────────────────────────────────────────────────────────────────────────────────────


def fit(samples: Sequence[Sample]) -> None:
    """Print the weights of a logistic regression that tells drawn-in lines from the photos' own, both counted alike."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    reader = TextReader(TextReaderConfig(min_marks=0))
    table = [
        (astuple(cues), drawn) for sample in samples for cues, drawn in _labeled(sample, reader.lines(sample.image))
    ]
    cues, drawn = np.array([row for row, _ in table]), np.array([label for _, label in table])
    model = LogisticRegression(class_weight="balanced", max_iter=5000).fit(cues, drawn)
    weights = {field.name: round(float(weight), 1) for field, weight in zip(fields(Cues), model.coef_[0], strict=True)}
    area = roc_auc_score(drawn, model.decision_function(cues))
    print(f"{len(drawn)} lines, {drawn.sum()} of them drawn in; area under the curve {area:.3f}")
    print(f"WEIGHTS = {weights}\nBIAS = {model.intercept_[0]:.1f}")


def _labeled(sample: Sample, lines: Sequence[TextLine]) -> Iterator[tuple[Cues, bool]]:
    pixels = sample.image.pixels
    hull = product_hull(estimate_foreground(pixels)[1], lines, (pixels.shape[1], pixels.shape[0]))
    for line in lines:
        share = _share(sample.image.original_box(*line.box), sample.box)
        if not PARTLY < share < INSIDE:
            yield cues_of(pixels, line, hull), share >= INSIDE


if __name__ == "__main__":
    main()
