"""What do the single-image measures flag on clean photos, and which faults do they find?

python benchmarks/image_quality.py FOLDER … [--photos N]

Prints two tables: the share of each folder's photos that a rule flags as they are, and the share in which it finds a
fault made on purpose. Lengths of a blur are for a picture of 512 pixels. Faulty pictures are saved as JPEG of quality 92,
as a shop would. Where the product is moved, cut or shrunk, only photos count whose product can be told from a plain
background and touches no side.
"""

from __future__ import annotations

import argparse
import io
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageFilter
from rich.console import Console
from rich.table import Table

from agpis_sdk.builtin.foreground.plain_background import estimate_foreground
from agpis_sdk.builtin.image_quality.checker import ImageQualityChecker
from agpis_sdk.builtin.image_quality.config import ImageQualityConfig
from agpis_sdk.components import DecodedImage
from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError
from agpis_sdk.media.decode import decode_image

ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}
WAYS = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
Picture = Image.Image
Box = tuple[float, float, float, float]


class Backgrounds:
    """A context that knows what color alone says of a background."""

    def fact(self, image: DecodedImage, name: str) -> object:
        """Return "background" or "plain_foreground"."""
        return estimate_foreground(image.pixels)[name == "plain_foreground"]


def out_of_focus(picture: Picture, sigma: float) -> Picture:
    """Blur by a Gaussian."""
    return picture.filter(ImageFilter.GaussianBlur(sigma * max(picture.size) / 512))


def shaken(picture: Picture, length: float, degrees: float) -> Picture:
    """Blur along a line."""
    side = round(length * max(picture.size) / 512) | 1
    line = np.zeros((side, side), np.float32)
    line[side // 2] = 1
    turned = cv2.warpAffine(line, cv2.getRotationMatrix2D((side // 2, side // 2), degrees, 1), (side, side))
    return Image.fromarray(
        cv2.filter2D(np.asarray(picture), -1, turned / turned.sum(), borderType=cv2.BORDER_REPLICATE)
    )


def enlarged(picture: Picture, factor: float, way: str) -> Picture:
    """Shrink and enlarge again."""
    width, height = picture.size
    small = picture.resize((max(1, round(width / factor)), max(1, round(height / factor))), Image.Resampling.LANCZOS)
    return small.resize((width, height), WAYS[way])


def saved(picture: Picture, quality: int) -> bytes:
    """Return a picture's bytes as JPEG."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def saved_twice(picture: Picture, quality: int) -> Picture:
    """Save as JPEG once more often than the file tells."""
    return Image.open(io.BytesIO(saved(picture, quality))).convert("RGB")


def cut_by(picture: Picture, box: Box, side: str) -> Picture:
    """Cut away a third of the product."""
    x, y, width, height = box
    edges = {
        "left": (x + width / 3, 0, 1, 1),
        "top": (0, y + height / 3, 1, 1),
        "right": (0, 0, x + width * 2 / 3, 1),
        "bottom": (0, 0, 1, y + height * 2 / 3),
    }[side]
    columns, rows = picture.size
    left, top, right, bottom = edges
    return picture.crop((round(left * columns), round(top * rows), round(right * columns), round(bottom * rows)))


def moved(picture: Picture, scale: float, across: float) -> Picture:
    """Shrink the picture and move it to one side; its outermost pixels fill the rest."""
    width, height = picture.size
    matrix = np.array([[scale, 0, (0.5 - scale / 2 + across) * width], [0, scale, (0.5 - scale / 2) * height]])
    pixels = cv2.warpAffine(
        np.asarray(picture), matrix, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    return Image.fromarray(pixels)


# name → (rule, fault); those on the product take its box.
FAULTS: dict[str, tuple[str, Callable[[Picture], Picture | bytes]]] = {
    **{f"out of focus, sigma {s}": ("blurry-image", lambda p, s=s: out_of_focus(p, s)) for s in (1, 2, 3, 4)},
    **{f"shaken, {n} pixels": ("blurry-image", lambda p, n=n: shaken(p, n, 0)) for n in (7, 11, 17)},
    "shaken, 11 pixels, slanting": ("blurry-image", lambda p: shaken(p, 11, 45)),
    **{
        f"enlarged x{k}, {way}": ("upscaled-image", lambda p, k=k, way=way: enlarged(p, k, way))
        for k, way in (
            (1.5, "bicubic"),
            (2, "bicubic"),
            (3, "bicubic"),
            (4, "bicubic"),
            (4, "bilinear"),
            (4, "nearest"),
        )
    },
    **{f"JPEG quality {q}": ("compression-artifacts", lambda p, q=q: saved(p, q)) for q in (50, 30, 20, 10)},
    **{f"JPEG quality {q}, then 92": ("compression-artifacts", lambda p, q=q: saved_twice(p, q)) for q in (30, 20, 10)},
}
PRODUCT_FAULTS: dict[str, tuple[str, Callable[[Picture, Box], Picture]]] = {
    **{
        f"a third cut off, {side}": ("product-cropped", lambda p, box, side=side: cut_by(p, box, side))
        for side in ("left", "right", "top", "bottom")
    },
    "moved aside": (
        "product-off-center",
        lambda p, box: moved(p, 0.5, 0.5 - 0.25 * box[2] - 0.03 - 0.5 * (box[0] + box[2] / 2 - 0.5)),
    ),
    "shrunk to 8 % of the picture": (
        "product-too-small",
        lambda p, box: moved(p, (0.08 / (box[2] * box[3])) ** 0.5, 0),
    ),
}


def photos_of(folder: Path, count: int) -> list[bytes]:
    """Return up to `count` files of a folder, drawn by a fixed seed."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
    random.Random(0).shuffle(paths)
    return [path.read_bytes() for path in paths[:count]]


def flagged(data: bytes, checker: ImageQualityChecker) -> set[str]:
    """Return the names of the rules that speak on an image's bytes."""
    image = decode_image(data, product_id="p", image_id="i", position=0, limits=MediaSection())
    findings = checker.check_images([image], Backgrounds())  # type: ignore[arg-type]
    return {finding.name for finding in findings if finding.score >= 0.5}


def faulty(data: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Yield each fault's name, its rule and the picture's bytes with the fault."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    made = {name: (rule, fault(picture)) for name, (rule, fault) in FAULTS.items()}
    _, foreground = estimate_foreground(np.asarray(picture))
    if foreground is not None and foreground.touching == 0:
        made.update({name: (rule, fault(picture, foreground.box)) for name, (rule, fault) in PRODUCT_FAULTS.items()})
    for name, (rule, picture_or_bytes) in made.items():
        yield name, rule, picture_or_bytes if isinstance(picture_or_bytes, bytes) else saved(picture_or_bytes, 92)


def main() -> None:
    """Measure all folders and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--photos", type=int, default=100, help="how many of each folder")
    arguments = parser.parse_args()
    checker = ImageQualityChecker(ImageQualityConfig())
    clean: dict[str, Counter[str]] = {}
    found: dict[str, Counter[str]] = {}
    tried: dict[str, Counter[str]] = {}
    for folder in arguments.folders:
        name = folder.name
        clean[name], found[name], tried[name] = Counter(), Counter(), Counter()
        for data in photos_of(folder, arguments.photos):
            try:
                clean[name].update(flagged(data, checker))
            except ImageReadError:
                continue
            clean[name]["photos"] += 1
            for fault, rule, faulty_data in faulty(data):
                tried[name][fault] += 1
                found[name][fault] += rule in flagged(faulty_data, checker)
    rules = sorted({rule for counts in clean.values() for rule in counts} - {"photos"})
    print_table("clean photos flagged", [("any photo", rule) for rule in rules], clean, dict.fromkeys(clean, None))
    every = [(rule, fault) for fault, (rule, _) in {**FAULTS, **PRODUCT_FAULTS}.items()]
    print_table("faults found", every, found, tried)


def print_table(
    title: str, rows: list[tuple[str, str]], counts: dict[str, Counter[str]], totals: dict[str, Counter[str] | None]
) -> None:
    """Print the share of each row by folder, and of how many."""
    table = Table(title=title)
    for heading in ("rule" if title == "faults found" else "", title, *counts):
        table.add_column(heading)
    for first, row in rows:
        shares = []
        for folder, counted in counts.items():
            total = (totals[folder] or Counter({row: counted["photos"]}))[row]
            shares.append(f"{counted[row] / total:.0%} of {total}" if total else "-")
        table.add_row(first, row, *shares)
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
