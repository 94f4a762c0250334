"""Trains the non-compliance head: clean photos against the same photos with violations drawn in, and what reviewers marked.

Fonts, marks, wordings and layouts of the test split are never drawn in training (`bench.violations`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from agpis_sdk.builtin.backbone_maps import MAPS
from agpis_sdk.builtin.noncompliance.config import NoncomplianceTrainingConfig
from agpis_sdk.builtin.noncompliance.head_file import HeadSizes
from agpis_sdk.builtin.noncompliance.kinds import KINDS
from agpis_sdk.builtin.noncompliance.location import peak_box
from agpis_sdk.builtin.noncompliance.model import NoncomplianceHead, any_kind_logit
from agpis_sdk.components import Backbone, DecodedImage
from agpis_sdk.datasets.photos import load_photo, with_pixels
from agpis_sdk.datasets.splits import Split, split_of
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.media.letterbox import letterbox_geometry
from agpis_sdk.records import Review
from agpis_sdk.synthetic.violations import hard_negative, inject
from agpis_sdk.training.components import weights_file, write_head
from agpis_sdk.training.request import Evaluation, EvaluationRequest, JudgedExamples, TrainingRequest, one_split

WEIGHTS = "noncompliance.safetensors"

LOOK_ALIKE = "look-alike"
FINE = ("", LOOK_ALIKE)
FALSE_ALARMS = 0.03
"""Share of the validation split's clean photos and look-alikes whose p_nc may reach 0.5."""
HARD = ("watermark", "promotional-text", "collage", "unnatural-artifact")
"""Kinds that are faint or look like what is fine: they are drawn twice as often."""
NEIGHBORS = 64
BATCH_SIZE = 64
LEARNING_RATE, ADAPTING_RATE = 2e-3, 2e-4


@dataclass(frozen=True, eq=False)
class DrawnPhoto:
    """A photo as it came, with a look-alike, or with a violation; `box` is (x, y, w, h) in 0..1 of the square."""

    split: Split
    kind: str
    image: DecodedImage
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """The backbone's facts of many photos, each (n, …) float16, with their labels (n, kinds)."""

    facts: dict[str, torch.Tensor]
    labels: torch.Tensor
    photos: list[DrawnPhoto]


def train_noncompliance(
    reviews: Iterable[Review],
    out: Path,
    backbone: Backbone,
    *,
    seed: int = 0,
    epochs: int = 10,
    draws: int = 8,
    single_photos: int = 1000,
    begin: NoncomplianceHead | None = None,
) -> dict[str, Any]:
    """Train on what accepted reviews show, measure on unseen products with unseen marks, write both to `out`.

    A head to `begin` from learns on; without one, a new head learns. `draws` violations are drawn into each photo of a product with several, two into each of at most `single_photos`
    products that have but one. Raises `TrainingDataError` when there is no clean photo.
    """
    table = feature_table(draw(reviews, seed=seed, draws=draws, single_photos=single_photos), backbone)
    head = fit(table, seed=seed, epochs=epochs, begin=begin)
    metrics = {"seed": seed, "epochs": epochs, "train_photos": len(_rows(table, "train")), **measure(table, head)}
    write_head(head, out, WEIGHTS, metrics)
    return metrics


def draw(reviews: Iterable[Review], *, seed: int, draws: int, single_photos: int) -> Iterator[DrawnPhoto]:
    """Yield each clean photo, a look-alike of it, violations of random kinds drawn into it, and what reviewers have marked."""
    reviews = list(reviews)
    yield from marked(reviews, seed)
    singles = 0
    neighbors: dict[Split, list[NDArray[np.uint8]]] = {"train": [], "validation": [], "test": []}
    for number, review in enumerate(review for review in reviews if review.decision == "accepted"):
        single = len(review.product.images) == 1
        singles += single
        if single and singles > single_photos:
            continue
        split = split_of(review.product, seed=seed)
        for image in (image for image in review.product.images if image.id in review.sequence):
            photo = load_photo(review.product, image)
            rng = np.random.default_rng([seed, number, photo.position])
            # Collages are made of other photos of the same split: a test photo is never seen in training.
            neighbors[split] = [photo.pixels, *neighbors[split][: NEIGHBORS - 1]]
            yield from _drawn(photo, split, rng, neighbors[split], 2 if single else draws)


def marked(reviews: Iterable[Review], seed: int) -> Iterator[DrawnPhoto]:
    """Yield the images that reviewers have marked with a rule of non-compliance, each once, with the place marked."""
    kinds = {code: kind for kind, (code, _, _) in KINDS.items()}
    for review in reviews:
        marks = {mark.image: mark for mark in reversed(review.marks) if mark.rule in kinds}
        for image in (image for image in review.product.images if image.id in marks):
            mark, photo = marks[image.id], load_photo(review.product, image)
            kind = kinds[mark.rule]
            box = [round(length / photo.scale) for length in mark.box] if mark.box and KINDS[kind][2] else None
            place = _in_square(photo, box) if box is not None else None
            yield DrawnPhoto(split_of(review.product, seed=seed), kind, photo, place)


def _drawn(
    photo: DecodedImage, split: Split, rng: np.random.Generator, neighbors: list[NDArray[np.uint8]], draws: int
) -> Iterator[DrawnPhoto]:
    pool: Literal["train", "test"] = "test" if split == "test" else "train"
    yield DrawnPhoto(split, "", photo)
    alike, _ = hard_negative(_maybe_mirrored(photo.pixels, rng), rng, split=pool)
    yield DrawnPhoto(split, LOOK_ALIKE, with_pixels(photo, alike))
    kinds = [*KINDS, *HARD]
    for _ in range(draws):
        kind = kinds[int(rng.integers(len(kinds)))]
        others = [neighbors[int(rng.integers(len(neighbors)))] for _ in range(3)]
        violation = inject(kind, _maybe_mirrored(photo.pixels, rng), rng, split=pool, others=others)
        image = with_pixels(photo, violation.pixels)
        box = _in_square(image, violation.box) if violation.box and KINDS[kind][2] else None
        yield DrawnPhoto(split, kind, image, box)


def train(request: TrainingRequest) -> dict[str, Any]:
    """Train the non-compliance head as `agpis train noncompliance` asks."""
    settings = cast("NoncomplianceTrainingConfig", request.settings)
    begin = NoncomplianceHead.load(weights_file(str(settings.adapt), WEIGHTS)) if settings.adapt is not None else None
    return train_noncompliance(
        request.examples(), request.out, request.backbone(), seed=request.seed, epochs=settings.epochs, begin=begin
    )


def evaluate(request: EvaluationRequest) -> Evaluation:
    """Measure a non-compliance head on a split: AUC by kind, average precision, pointing game."""
    head = NoncomplianceHead.load(weights_file(request.model, WEIGHTS))
    split = one_split(request)
    photos = draw(request.examples(), seed=request.seed, draws=8, single_photos=1000)
    table = feature_table(photos, request.backbone())
    return Evaluation(measure(table, head, split), examples=judged_examples(table, head, split))


def judged_examples(table: FeatureTable, head: NoncomplianceHead, split: Split) -> JudgedExamples:
    """Return p_nc of each photo of a split, and whether it holds a violation."""
    rows = _rows(table, split)
    photos = [table.photos[row] for row in rows]
    return JudgedExamples(
        np.array([photo.image.product_id for photo in photos]),
        _judged(table, head, rows)[2].astype(np.float64),
        ~np.array([photo.kind in FINE for photo in photos], dtype=bool),
    )


@torch.inference_mode()
def _judged(
    table: FeatureTable, head: NoncomplianceHead, rows: NDArray[np.int64]
) -> tuple[torch.Tensor, NDArray[np.float32], NDArray[np.float32]]:
    """Return the logits (n, kinds), the maps and p_nc (n,) of some photos."""
    parts = torch.from_numpy(rows).split(256)
    judged = [head(*(table.facts[name][part].float() for name in MAPS)) for part in parts]
    logits, maps = torch.cat([logit for logit, _ in judged]), torch.cat([kind_map for _, kind_map in judged]).numpy()
    return logits, maps, torch.sigmoid(any_kind_logit(logits)).numpy()


def feature_table(photos: Iterable[DrawnPhoto], backbone: Backbone, chunk: int = 32) -> FeatureTable:
    """Run the backbone over photos and keep its facts, but not the pixels."""
    rows: dict[str, list[NDArray[np.float16]]] = {name: [] for name in MAPS}
    kept: list[DrawnPhoto] = []
    waiting: list[DrawnPhoto] = []

    def flush() -> None:
        for photo, facts in zip(waiting, backbone.features([photo.image for photo in waiting]), strict=True):
            for name in MAPS:
                rows[name].append(facts[name].astype(np.float16))
            blank = with_pixels(photo.image, np.zeros((1, 1, 3), np.uint8))
            kept.append(DrawnPhoto(photo.split, photo.kind, blank, photo.box))
        waiting.clear()

    for photo in photos:
        waiting.append(photo)
        if len(waiting) == chunk:
            flush()
    flush()
    if not kept:
        raise TrainingDataError("no accepted review shows a photo", item="noncompliance")
    kinds = list(KINDS)
    labels = torch.tensor([[float(photo.kind == kind) for kind in kinds] for photo in kept])
    return FeatureTable({name: torch.from_numpy(np.stack(rows.pop(name))) for name in MAPS}, labels, kept)


def fit(table: FeatureTable, *, seed: int, epochs: int, begin: NoncomplianceHead | None = None) -> NoncomplianceHead:
    """Train a head with AdamW on the train split: binary cross-entropy per kind and on "any kind at all".

    A head to `begin` from learns on, at a lower rate; it is not changed itself.
    """
    rows = _rows(table, "train")
    if not len(rows) or table.labels[rows].amax(1).unique().numel() < 2:
        raise TrainingDataError(
            "the train split holds one class only", item="noncompliance", remedy="give more products"
        )
    torch.manual_seed(seed)
    order = torch.Generator().manual_seed(seed)
    if begin is None:
        head = NoncomplianceHead(HeadSizes.of({name: tuple(table.facts[name].shape[1:]) for name in MAPS}))
    else:
        head = deepcopy(begin).requires_grad_(True)
    rate = LEARNING_RATE if begin is None else ADAPTING_RATE
    optimizer = torch.optim.AdamW(head.parameters(), lr=rate, weight_decay=0.05)
    steps = epochs * -(-len(rows) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=rate, total_steps=steps)
    binary = nn.functional.binary_cross_entropy_with_logits
    # A kind is rare among the kinds: without a weight the head would rather name none.
    weight = torch.full((len(KINDS),), 2.0)
    for _ in range(epochs):
        head.train()
        shuffled = torch.from_numpy(rows)[torch.randperm(len(rows), generator=order)]
        for batch in shuffled.split(BATCH_SIZE):
            logits, _ = head(*(table.facts[name][batch].float() for name in MAPS))
            labels = table.labels[batch]
            loss = 4 * binary(logits, labels, pos_weight=weight) + binary(any_kind_logit(logits), labels.amax(1))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    head = head.eval().requires_grad_(False)
    set_operating_point(head, table)
    return head


@torch.inference_mode()
def set_operating_point(head: NoncomplianceHead, table: FeatureTable, rate: float = FALSE_ALARMS) -> None:
    """Shift the logits of all kinds so that p_nc reaches 0.5 on `rate` of the validation split's fine photos."""
    fine = [row for row in _rows(table, "validation").tolist() if table.photos[row].kind in FINE]
    if not fine:
        return
    logits = torch.cat(
        [head(*(table.facts[name][part].float() for name in MAPS))[0] for part in torch.tensor(fine).split(256)]
    )
    low, high = -10.0, 10.0
    for _ in range(40):  # bisection: the share falls as the shift does
        shift = (low + high) / 2
        too_many = float((any_kind_logit(logits + shift) >= 0).float().mean()) > rate
        low, high = (low, shift) if too_many else (shift, high)
    biases = head.state_dict()["to_kinds.bias"]
    biases += low


@torch.inference_mode()
def measure(table: FeatureTable, head: NoncomplianceHead, split: Split = "test") -> dict[str, Any]:
    """Measure a head on a split; the test split holds unseen products, fonts, marks, wordings and layouts."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    rows = _rows(table, split)
    if not len(rows):
        return {f"{split}_photos": 0}
    logits, maps, p_nc = _judged(table, head, rows)
    kinds = np.array([table.photos[row].kind for row in rows])
    fine = np.isin(kinds, FINE)
    names = list(KINDS)
    named = np.array([names[index] for index in logits.argmax(1).tolist()])
    hits = [
        _peak_inside(maps[i, names.index(photo.kind)], photo.box)
        for i, photo in enumerate(table.photos[row] for row in rows)
        if photo.box is not None
    ]
    return {
        f"{split}_photos": len(rows),
        "auc": _rounded(roc_auc_score(~fine, p_nc)),
        "average_precision": _rounded(average_precision_score(~fine, p_nc)),
        "auc_against_look_alikes": _rounded(roc_auc_score(~fine[kinds != ""], p_nc[kinds != ""])),
        "auc_by_kind": {
            kind: _rounded(roc_auc_score(kinds[fine | (kinds == kind)] == kind, p_nc[fine | (kinds == kind)]))
            for kind in names
            if (kinds == kind).any()
        },
        "false_alarms_clean": _rounded((p_nc[kinds == ""] >= 0.5).mean()),
        "false_alarms_look_alikes": _rounded((p_nc[kinds == LOOK_ALIKE] >= 0.5).mean()),
        "recall": _rounded((p_nc[~fine] >= 0.5).mean()),
        "kind_named_rightly": _rounded((named[~fine] == kinds[~fine]).mean()),
        "peak_inside_box": _rounded(np.mean(hits)) if hits else None,
    }


def _rows(table: FeatureTable, split: Split) -> NDArray[np.int64]:
    return np.array([row for row, photo in enumerate(table.photos) if photo.split == split], dtype=np.int64)


def _peak_inside(kind_map: NDArray[np.float32], box: tuple[float, float, float, float]) -> bool:
    """Return whether the middle of the peak's cell is inside a box: the pointing game."""
    x, y, width, height = peak_box(kind_map, drop=1e-6)
    column, row = x + width / 2, y + height / 2
    slack = 0.5 / kind_map.shape[0]
    inside_x = box[0] - slack <= column <= box[0] + box[2] + slack
    inside_y = box[1] - slack <= row <= box[1] + box[3] + slack
    return bool(inside_x and inside_y)


def _in_square(image: DecodedImage, box: Sequence[int]) -> tuple[float, float, float, float]:
    """Turn a box in pixels of an image into 0..1 of the letterboxed square."""
    height, width = image.pixels.shape[:2]
    side = 1000
    scale, x, y = letterbox_geometry(width, height, side)
    return ((box[0] * scale + x) / side, (box[1] * scale + y) / side, box[2] * scale / side, box[3] * scale / side)


def _maybe_mirrored(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    return np.ascontiguousarray(pixels[:, ::-1]) if rng.random() < 0.5 else np.array(pixels)


def _rounded(value: Any) -> float:
    return round(float(value), 4)
