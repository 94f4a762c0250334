"""The heads that say where the product is and what an image shows are trained and measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from agpis_sdk.builtin.foreground.config import ForegroundTrainingConfig
from agpis_sdk.builtin.foreground.head_file import SIDE
from agpis_sdk.builtin.foreground.model import ForegroundHead
from agpis_sdk.builtin.view.model import ViewHead
from agpis_sdk.datasets.galleries import read_galleries
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.media.letterbox import letterbox
from agpis_sdk.training import foreground, view
from tests.training.color_shop import ColorBackbone, training_request


class ColorTeacher:
    """Says that the product is whatever is not nearly white."""

    def mask(self, pixels: np.ndarray) -> np.ndarray:
        return np.where(letterbox(pixels, SIDE).min(axis=2) < 200, 255, 0).astype(np.uint8)


def label_colors(folder: Path) -> None:
    """Label the red first image of each product as a front, and the blue ones as backs."""
    lines = []
    for line in (folder / "products.jsonl").read_text(encoding="utf-8").splitlines():
        product = json.loads(line)
        for place, name in enumerate(product["images"]):
            shows = {"view": "back" if place else "front", "whole": place != 3, "background": "white", "overlay": []}
            lines.append(json.dumps({"product": product["id"], "image": Path(name).stem, **shows}))
    (folder / "labels.jsonl").write_text("\n".join(lines), encoding="utf-8")


@pytest.mark.slow
def test_the_foreground_head_learns_the_masks_of_its_teacher(folder: Path) -> None:
    photos = foreground.masked_photos(list(read_galleries([folder]))[:12], ColorTeacher(), ColorBackbone())
    rows = np.arange(len(photos.masks))

    head = foreground.fit(photos, rows, seed=0, epochs=60)

    assert foreground.intersection_over_union(head, photos, rows).mean() > 0.8


def test_a_mask_that_is_right_costs_less_than_one_that_is_wrong() -> None:
    masks = torch.zeros(1, 4, 4)
    masks[:, :2] = 1

    assert foreground.mask_loss(8 * (2 * masks - 1), masks) < foreground.mask_loss(8 * (1 - 2 * masks), masks)


@pytest.mark.slow
def test_the_shipped_head_teaches_one_for_another_backbone(folder: Path, tmp_path: Path) -> None:
    path = folder / "products.jsonl"
    path.write_text("\n".join(path.read_text(encoding="utf-8").splitlines()[:10]), encoding="utf-8")

    figures = foreground.train(
        training_request(tmp_path / "out", photos=(folder,), settings=ForegroundTrainingConfig(epochs=1))
    )

    assert figures["train_photos"] + figures["test_photos"] == 40
    assert ForegroundHead.load(tmp_path / "out" / foreground.WEIGHTS).sizes.stride32 == 320


def test_the_view_head_learns_from_labels(folder: Path, tmp_path: Path) -> None:
    label_colors(folder)

    figures = view.train(training_request(tmp_path / "out", photos=(folder,)))

    assert figures["test"]["view_accuracy"] == 1
    assert figures["test"]["view_majority"] == pytest.approx(0.75)
    assert ViewHead.load(tmp_path / "out" / view.WEIGHTS).embedding_weight.shape[0] == 8


def test_labels_of_photos_that_cannot_be_read_teach_nothing(folder: Path, tmp_path: Path) -> None:
    label_colors(folder)
    (folder / "labels.jsonl").write_text("", encoding="utf-8")

    with pytest.raises(TrainingDataError, match="no labeled photo can be read"):
        view.train(training_request(tmp_path, photos=(folder,)))
