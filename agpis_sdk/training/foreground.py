"""Trains the foreground head on the masks of a teacher: U²-Net in ONNX, or for another backbone the shipped head itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agpis_sdk.builtin.backbone_maps import MAPS
from agpis_sdk.builtin.backbones.config import EfficientNetLite0Config
from agpis_sdk.builtin.backbones.efficientnet_lite0 import EfficientNetLite0
from agpis_sdk.builtin.foreground.config import ForegroundTrainingConfig
from agpis_sdk.builtin.foreground.head_file import SIDE, HeadSizes
from agpis_sdk.builtin.foreground.model import ForegroundHead
from agpis_sdk.builtin.foreground.segmentation import normalized, picture_batch
from agpis_sdk.components import Backbone, DecodedImage
from agpis_sdk.datasets.photos import chunks, load_photo, mirrored
from agpis_sdk.datasets.splits import split_of
from agpis_sdk.errors import ConfigError, TrainingDataError
from agpis_sdk.media.decode import as_image
from agpis_sdk.media.letterbox import letterbox
from agpis_sdk.records import Product, Review
from agpis_sdk.training.components import write_head
from agpis_sdk.training.request import TrainingRequest

WEIGHTS = "foreground.safetensors"
BATCH_SIZE = 32
LEARNING_RATE = 4e-3
# U²-Net's input: https://github.com/xuebinqin/U-2-Net, data_loader.py.
TEACHER_SIDE = 320
TEACHER_MEAN, TEACHER_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True, eq=False)
class MaskedPhotos:
    """Photos (n) as the head sees them: maps float16 and pictures uint8 (n, SIDE, SIDE, 3), as they are and mirrored.

    `masks` are the teacher's (n, SIDE, SIDE) in 0..255; `products` says of each photo whose it is.
    """

    maps: tuple[Mapping[str, NDArray[np.float16]], Mapping[str, NDArray[np.float16]]]
    pictures: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    products: tuple[Product, ...]


class Teacher(Protocol):
    """Says where the product is."""

    def mask(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the letterboxed mask (SIDE, SIDE) in 0..255 of an (H, W, 3) picture."""
        ...


class ShippedTeacher:
    """The shipped head on its own backbone: what teaches a head for another one."""

    def __init__(self) -> None:
        self._backbone = EfficientNetLite0(EfficientNetLite0Config(batch_size=1))
        self._head = ForegroundHead.load()

    @torch.inference_mode()
    def mask(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the letterboxed mask (SIDE, SIDE) in 0..255 of an (H, W, 3) picture."""
        (facts,) = self._backbone.features([as_image(pixels)])
        maps = (torch.from_numpy(facts[name])[None] for name in MAPS)
        logits = self._head(*maps, torch.from_numpy(picture_batch([pixels])))
        return (torch.sigmoid(logits[0]) * 255).byte().numpy()


class OnnxTeacher:
    """A salient-object network in ONNX with U²-Net's input and output."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        if not path.is_file():
            raise ConfigError("no such file", item=str(path), remedy="name the teacher's .onnx file")
        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def mask(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the letterboxed mask (SIDE, SIDE) in 0..255 of an (H, W, 3) picture."""
        squashed = cv2.resize(pixels, (TEACHER_SIDE, TEACHER_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
        normalized = (squashed / max(float(squashed.max()), 1e-6) - TEACHER_MEAN) / TEACHER_DEVIATION
        batch = normalized.transpose(2, 0, 1)[None].astype(np.float32)  # (1, 3, 320, 320)
        output = np.asarray(self._session.run(None, {self._input: batch})[0])[0, 0]
        scaled = (output - output.min()) / (output.max() - output.min() + 1e-9)
        height, width = pixels.shape[:2]
        factor = TEACHER_SIDE / max(height, width)
        upright = cv2.resize(scaled, (max(1, round(width * factor)), max(1, round(height * factor))))
        # `letterbox` fills up with white: the mask is passed as its negative.
        negative = 255 - np.repeat((upright * 255).astype(np.uint8)[..., None], 3, axis=2)
        return (255 - letterbox(negative, SIDE)[..., 0]).astype(np.uint8)


def train(request: TrainingRequest) -> dict[str, Any]:
    """Train the foreground head as `agpis train foreground` asks; measures IoU with the teacher on the test split."""
    settings = cast("ForegroundTrainingConfig", request.settings)
    teacher = OnnxTeacher(settings.teacher) if settings.teacher else ShippedTeacher()
    photos = masked_photos(request.examples(), teacher, request.backbone())
    splits = np.array([split_of(product, seed=request.seed) for product in photos.products])
    head = fit(photos, np.flatnonzero(splits != "test"), seed=request.seed, epochs=settings.epochs)
    test = np.flatnonzero(splits == "test")
    ious = intersection_over_union(head, photos, test)
    figures = {
        "seed": request.seed,
        "epochs": settings.epochs,
        "train_photos": len(photos.masks) - len(test),
        "test_photos": len(test),
        "test_iou": round(float(ious.mean()), 4) if len(test) else None,
    }
    write_head(head, request.out, WEIGHTS, figures)
    return figures


def joined(parts: Sequence[MaskedPhotos]) -> MaskedPhotos:
    """Return the photos of several tables as one."""
    return MaskedPhotos(
        tuple({name: np.concatenate([part.maps[side][name] for part in parts]) for name in MAPS} for side in (0, 1)),  # type: ignore[arg-type]
        np.concatenate([part.pictures for part in parts]),
        np.concatenate([part.masks for part in parts]),
        tuple(product for part in parts for product in part.products),
    )


def masked_photos(reviews: Iterable[Review], teacher: Teacher, backbone: Backbone) -> MaskedPhotos:
    """Return every photo that accepted reviews show, with its maps and the teacher's mask, each file once."""
    rows: tuple[dict[str, list[Any]], dict[str, list[Any]]] = ({}, {})
    pictures: list[NDArray[np.uint8]] = []
    masks: list[NDArray[np.uint8]] = []
    products: list[Product] = []
    for chunk in chunks(_photos(reviews)):
        images = [image for _, image in chunk]
        for side, kept in zip((images, [mirrored(image) for image in images]), rows, strict=True):
            for facts in backbone.features(side):
                for name in MAPS:
                    kept.setdefault(name, []).append(facts[name].astype(np.float16))
        pictures += [letterbox(image.pixels, SIDE) for image in images]
        masks += [teacher.mask(image.pixels) for image in images]
        products += [product for product, _ in chunk]
    if not masks:
        raise TrainingDataError("no accepted review shows a photo", item="foreground")
    maps = tuple({name: np.stack(kept[name]) for name in MAPS} for kept in rows)
    return MaskedPhotos((maps[0], maps[1]), np.stack(pictures), np.stack(masks), tuple(products))


def _photos(reviews: Iterable[Review]) -> Iterator[tuple[Product, DecodedImage]]:
    seen: set[str] = set()
    for review in reviews:
        for image in review.product.images if review.decision == "accepted" else ():
            if image.uri not in seen:
                seen.add(image.uri)
                yield review.product, load_photo(review.product, image)


def fit(photos: MaskedPhotos, rows: NDArray[np.int64], *, seed: int, epochs: int) -> ForegroundHead:
    """Train a head on some rows: binary cross-entropy and Dice loss, mirrored and with changed brightness and contrast."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    head = ForegroundHead(HeadSizes.of({name: photos.maps[0][name].shape[1:] for name in MAPS}))
    head = head.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    steps = max(1, len(rows) // BATCH_SIZE)
    optimizer = torch.optim.AdamW(head.parameters(), lr=LEARNING_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps * epochs)
    for _ in range(epochs):
        for chosen in np.array_split(rng.permutation(rows), steps):
            mirror = int(rng.integers(2))
            maps, pictures, masks = _batch(photos, chosen, mirror)
            pictures = (pictures * float(rng.uniform(0.85, 1.15)) + float(rng.uniform(-0.1, 0.1))).clamp(-1, 1)
            loss = mask_loss(head(*maps, pictures), masks)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return head.eval().requires_grad_(False)


def mask_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Return the sum of binary cross-entropy and Dice loss (Milletari et al., 3DV 2016) of (B, h, w) logits and masks."""
    probability = torch.sigmoid(logits)
    overlap = 2 * (probability * masks).sum((1, 2)) + 1
    dice = 1 - (overlap / (probability.sum((1, 2)) + masks.sum((1, 2)) + 1)).mean()
    return nn.functional.binary_cross_entropy_with_logits(logits, masks) + dice


@torch.inference_mode()
def probabilities(head: ForegroundHead, photos: MaskedPhotos, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return (n, SIDE, SIDE) probabilities of some rows."""
    parts = np.array_split(rows, max(1, -(-len(rows) // 64)))
    found = [
        torch.sigmoid(head(*maps, pictures)).numpy() for maps, pictures, _ in (_batch(photos, p, 0) for p in parts)
    ]
    return np.concatenate(found)


def intersection_over_union(head: ForegroundHead, photos: MaskedPhotos, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the IoU (n,) in 0..1 of the head's masks with the teacher's on some rows."""
    mine, theirs = probabilities(head, photos, rows) >= 0.5, photos.masks[rows] >= 128
    union = (mine | theirs).sum(axis=(1, 2))
    return np.asarray((mine & theirs).sum(axis=(1, 2)) / np.maximum(union, 1))


def _batch(photos: MaskedPhotos, rows: NDArray[np.int64], mirror: int) -> tuple[list[Tensor], Tensor, Tensor]:
    """Return maps, pictures (B, 3, SIDE, SIDE) and masks (B, SIDE, SIDE) in 0..1 of some rows, mirrored or not."""
    maps = [torch.from_numpy(photos.maps[mirror][name][rows].astype(np.float32)) for name in MAPS]
    pictures, masks = photos.pictures[rows], photos.masks[rows]
    if mirror:
        pictures, masks = pictures[:, :, ::-1], masks[:, :, ::-1]
    channels_last = torch.channels_last
    return (
        [one.contiguous(memory_format=channels_last) for one in maps],
        torch.from_numpy(normalized(pictures)).contiguous(memory_format=channels_last),
        torch.from_numpy(np.ascontiguousarray(masks)).float() / 255,
    )
