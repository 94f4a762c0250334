"""Train the non-compliance head on labeled shops, and measure it on shops left out.

python benchmarks/train_noncompliance.py SHOP SHOP … --work DIR [-o FIGURES.json] [--ship FILE]

Each SHOP is a folder of labeled photos (products.jsonl, labels.jsonl). Clean photos teach as they are, with a look-alike
and with two violations drawn into each; photos with real overlays teach what they carry. Five folds of whole shops are
left out in turn. The operating point of a shop left out is set by the other shops: 5 % of a shop's clean photos, on
average over the shops, may reach p_nc 0.5. DIR keeps features and heads; `noncompliance-FOLD.safetensors` in it are read by
`leave_one_shop_out.py`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from leave_one_shop_out import FOLDS, folds
from numpy.typing import NDArray
from scipy.optimize import bisect
from sklearn.metrics import roc_auc_score
from torch import nn
from wilson import bounds

from agpis_sdk.builtin.backbone_maps import MAPS
from agpis_sdk.builtin.backbones.config import EfficientNetLite0Config
from agpis_sdk.builtin.backbones.efficientnet_lite0 import EfficientNetLite0
from agpis_sdk.builtin.noncompliance.head_file import HeadSizes
from agpis_sdk.builtin.noncompliance.kinds import KINDS
from agpis_sdk.builtin.noncompliance.model import NoncomplianceHead, any_kind_logit
from agpis_sdk.components import DecodedImage
from agpis_sdk.datasets.labels import LabeledImage, labeled_images
from agpis_sdk.datasets.photos import load_photo, with_pixels
from agpis_sdk.evaluation.bootstrap import WeightedMetrics
from agpis_sdk.synthetic.corner_marks import without_corner_mark
from agpis_sdk.synthetic.violations import hard_negative, inject

EPOCHS, BATCH_SIZE, DRAWS = 2, 32, 2
FALSE_ALARMS = 0.05
NAMES = list(KINDS)
# Kinds whose rule is an error: what p_nc counts.
COUNTED = [row for row, kind in enumerate(NAMES) if kind != "unnatural-artifact"]
OFTEN = ("watermark", "promotional-text", "collage", "logo-overlay", "promotional-text", "logo-overlay")
LABELED_KINDS = {
    "text": "promotional-text", "badge": "price-badge", "logo": "logo-overlay", "watermark": "watermark",
    "banner": "banner", "border": "border", "collage": "collage", "screenshot": "screenshot",
}  # fmt: skip
# A shop whose every photo bears one and the same mark teaches little more per photo.
MARKED_SHARE, REAL_WEIGHT, MARKED_WEIGHT = 0.9, 1.5, 0.3
Features = dict[str, NDArray[np.float16]]
Figures = dict[str, Any]


def main() -> None:
    """Train, measure, print, and write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shops", nargs="+", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--ship", type=Path)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    names = [folder.name for folder in options.shops]
    fold_of = folds(options.shops, options.work, seed=0)
    tables = {folder.name: ShopTable.of(folder, options.work) for folder in options.shops}
    logits: dict[str, torch.Tensor] = {}
    for fold in range(FOLDS):
        head = trained(
            tables, [name for name in names if fold_of[name] != fold], options.work / f"raw-{fold}.safetensors"
        )
        logits |= {name: photo_logits(head, tables[name]) for name in names if fold_of[name] == fold}
    overlaid = {name: np.array([bool(label.overlays) for label in tables[name].labels]) for name in names}
    figures = {left: measured(left, logits, tables[left], overlaid) for left in names}
    shift = operating_shift(names, logits, overlaid)
    for fold in range(FOLDS):
        shifted(options.work / f"raw-{fold}.safetensors", shift).save(
            options.work / f"noncompliance-{fold}.safetensors"
        )
    print(json.dumps(figures, indent=2))
    if options.out:
        options.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    if options.ship:
        trained(tables, names, options.work / "raw-all.safetensors")
        shifted(options.work / "raw-all.safetensors", shift).save(options.ship)


class ShopTable:
    """A shop's labeled photos as features, and what was drawn into its clean ones: kept on disk, read in batches."""

    def __init__(self, labels: Sequence[LabeledImage], photos: Features, drawn: Features, kinds: Sequence[str]) -> None:
        self.labels, self.photos, self.drawn, self.kinds = labels, photos, drawn, kinds

    @classmethod
    def of(cls, folder: Path, work: Path) -> ShopTable:
        """Return a shop's table; what DIR holds is not drawn again."""
        labels = list(labeled_images(folder))
        path = work / f"drawn-{folder.name}.npz"
        if not path.is_file():
            backbone = EfficientNetLite0(EfficientNetLite0Config())
            photos = _features([load_photo(label.product, label.image) for label in labels], backbone)
            pictures, kinds = [], []
            for kind, picture in _drawn(labels, marked(labels)):
                kinds.append(kind)
                pictures.append(picture)
            drawn = _features(pictures, backbone)
            np.savez(
                path,
                kinds=kinds,
                **{f"photo_{name}": photos[name] for name in MAPS},
                **{f"drawn_{name}": drawn[name] for name in MAPS},
            )
        with np.load(path) as file:
            return cls(
                labels,
                {name: file[f"photo_{name}"] for name in MAPS},
                {name: file[f"drawn_{name}"] for name in MAPS},
                file["kinds"].tolist(),
            )


def marked(labels: Sequence[LabeledImage]) -> bool:
    """Return whether a shop puts its mark on nearly all of its photos."""
    return float(np.mean([bool(label.overlays) for label in labels])) > MARKED_SHARE


def _features(images: Sequence[DecodedImage], backbone: EfficientNetLite0) -> Features:
    rows = [facts for start in range(0, len(images), 64) for facts in backbone.features(images[start : start + 64])]
    return {name: np.stack([facts[name] for facts in rows]).astype(np.float16) for name in MAPS}


def _drawn(labels: Sequence[LabeledImage], is_marked: bool) -> Iterator[tuple[str, DecodedImage]]:
    """Yield each clean photo, a look-alike and `DRAWS` violations; a shop's corner mark is taken off first."""
    neighbors: list[NDArray[np.uint8]] = []
    for number, label in enumerate(labels):
        photo = load_photo(label.product, label.image)
        clean = without_corner_mark(photo.pixels) if is_marked else photo.pixels
        if clean is None or label.view == "text" or (label.overlays and not is_marked):
            continue
        rng = np.random.default_rng([7, number])
        neighbors = [clean, *neighbors[:63]]
        yield "", with_pixels(photo, clean)
        yield "look-alike", with_pixels(photo, hard_negative(_mirrored(clean, rng), rng, split=_pool(rng))[0])
        for _ in range(DRAWS):
            kind = str(rng.choice([*NAMES, *OFTEN]))
            others = [neighbors[int(rng.integers(len(neighbors)))] for _ in range(3)]
            violation = inject(kind, _mirrored(clean, rng), rng, split=_pool(rng), others=others)
            yield kind, with_pixels(photo, violation.pixels)


def _pool(rng: np.random.Generator) -> Literal["train", "test"]:
    """Choose among all fonts, marks and layouts: what is reported is measured on real overlays."""
    return "train" if rng.random() < 0.6 else "test"


def _mirrored(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    return np.ascontiguousarray(pixels[:, ::-1]) if rng.random() < 0.5 else np.array(pixels)


def trained(tables: dict[str, ShopTable], names: Sequence[str], path: Path) -> NoncomplianceHead:
    """Return a head that some shops teach; one that DIR holds is not trained again."""
    if path.is_file():
        return NoncomplianceHead.load(path)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    examples = [example for name in names for example in _examples(tables[name])]
    share = np.array([weight for *_, weight in examples])
    share /= share.sum()
    head = NoncomplianceHead(HeadSizes(320, 112, 40)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(head.parameters(), lr=2e-3, weight_decay=0.05)
    steps = EPOCHS * (len(examples) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    binary, weight = nn.functional.binary_cross_entropy_with_logits, torch.full((len(NAMES),), 2.0)
    for _ in range(steps):
        chosen = [examples[row] for row in rng.choice(len(examples), BATCH_SIZE, replace=False, p=share)]
        facts = [
            torch.from_numpy(np.stack([features[name][row] for features, row, _, _ in chosen])).float() for name in MAPS
        ]
        labels = torch.from_numpy(np.stack([label for _, _, label, _ in chosen]))
        # No autocast: bfloat16 takes ten times as long on a processor that has to emulate it.
        logits, _ = head(*(one.contiguous(memory_format=torch.channels_last) for one in facts))
        any_kind = binary(any_kind_logit(logits[:, COUNTED]), labels[:, COUNTED].amax(1))
        loss = 4 * binary(logits, labels, pos_weight=weight) + any_kind
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    head.eval().save(path)
    return NoncomplianceHead.load(path)


def _examples(table: ShopTable) -> Iterator[tuple[Features, int, NDArray[np.float32], float]]:
    """Yield features, row, labels (kinds,) and weight of all that a shop teaches."""
    for row, kind in enumerate(table.kinds):
        yield table.drawn, row, _one_hot([kind]), 1.0
    weight = MARKED_WEIGHT if marked(table.labels) else REAL_WEIGHT
    for row, label in enumerate(table.labels):
        if label.overlays:
            yield table.photos, row, _one_hot([LABELED_KINDS[one] for one in label.overlays]), weight


def _one_hot(kinds: Sequence[str]) -> NDArray[np.float32]:
    return np.array([kind in kinds for kind in NAMES], np.float32)


@torch.inference_mode()
def photo_logits(head: NoncomplianceHead, table: ShopTable) -> torch.Tensor:
    """Return a head's logits (n, kinds) of a shop's photos as they are."""
    parts = np.array_split(np.arange(len(table.labels)), max(1, len(table.labels) // 64))
    return torch.cat(
        [head(*(torch.from_numpy(table.photos[name][part]).float() for name in MAPS))[0] for part in parts]
    )


def p_nc(logits: torch.Tensor, shift: float) -> NDArray[np.float32]:
    """Return p_nc (n,) from logits (n, kinds), all of them shifted."""
    return np.asarray(torch.sigmoid(any_kind_logit(logits[:, COUNTED] + shift)).numpy())


def operating_shift(
    names: Sequence[str],
    logits: dict[str, torch.Tensor],
    overlaid: dict[str, NDArray[np.bool_]],
    over_shops: Callable[[list[float]], Any] = np.mean,
) -> float:
    """Return the shift of all logits at which `FALSE_ALARMS` of shops' clean photos reach 0.5, on average or by another measure."""
    clean = [name for name in names if (~overlaid[name]).any()]

    def excess(shift: float) -> float:
        rates = [float((p_nc(logits[name], shift)[~overlaid[name]] >= 0.5).mean()) for name in clean]
        return float(over_shops(rates)) - FALSE_ALARMS

    return float(bisect(excess, -12.0, 4.0, xtol=1e-4))


def measured(
    left: str, logits: dict[str, torch.Tensor], table: ShopTable, overlaid: dict[str, NDArray[np.bool_]]
) -> Figures:
    """Return the figures of a shop left out, at the operating point that the others set; strict is that of the worst of them."""
    others = [name for name in logits if name != left]
    shift = operating_shift(others, logits, overlaid)
    scores, real = p_nc(logits[left], shift), overlaid[left]
    strict = p_nc(logits[left], operating_shift(others, logits, overlaid, max))
    calibration = WeightedMetrics.unweighted(real, scores.astype(np.float64)).calibration_error()
    figures: Figures = {"photos": len(real), "overlays": int(real.sum()), "ece": round(float(calibration[0]), 3)}
    if not real.all():
        figures["clean_flagged"] = _share(scores[~real] >= 0.5)
        figures["clean_flagged_strict"] = _share(strict[~real] >= 0.5)
    if real.any():
        figures["caught"] = _share(scores[real] >= 0.5)
        figures["caught_strict"] = _share(strict[real] >= 0.5)
    if real.sum() >= 3:
        figures["kind_of_caught"] = _kinds_right(table, logits[left], real & (scores >= 0.5))
    if real.sum() >= 3 and not real.all():
        figures["auc"] = round(float(roc_auc_score(real, scores)), 3)
    return figures


def _share(cases: NDArray[np.bool_]) -> str:
    return f"{cases.mean():.3f} of {len(cases)} {bounds(int(cases.sum()), len(cases))}"


def _kinds_right(table: ShopTable, logits: torch.Tensor, caught: NDArray[np.bool_]) -> str:
    """Return how often the likeliest kind of caught overlays is one that the labels name."""
    likeliest = [NAMES[COUNTED[place]] for place in logits[:, COUNTED].argmax(1).tolist()]
    right = [
        likeliest[row] in {LABELED_KINDS[one] for one in table.labels[row].overlays}
        for row in np.flatnonzero(caught).tolist()
    ]
    return _share(np.array(right)) if right else "none caught"


def shifted(path: Path, shift: float) -> NoncomplianceHead:
    """Return a saved head with the logits of all kinds shifted."""
    head = NoncomplianceHead.load(path)
    biases = head.state_dict()["to_kinds.bias"]
    biases += shift
    return head


if __name__ == "__main__":
    main()
