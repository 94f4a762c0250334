"""Printed goods: covers and labels that a head has to learn to leave alone."""

from __future__ import annotations

from typing import get_args

import cv2
import numpy as np
import pytest

from agpis_sdk.synthetic.violations import Split, printed_goods
from agpis_sdk.synthetic.violations.types import Pixels


def photo() -> Pixels:
    """A blue bottle on white."""
    pixels = np.full((280, 320, 3), 255, np.uint8)
    pixels[70:240, 100:200] = (60, 110, 200)
    return pixels


@pytest.mark.parametrize("split", get_args(Split))
@pytest.mark.parametrize("on_product", [False, True])
def test_the_same_seed_gives_the_same_bytes_and_the_photo_stays(split: Split, on_product: bool) -> None:
    pixels = photo()

    first, what = printed_goods(pixels, np.random.default_rng(3), split=split, on_product=on_product)
    second, _ = printed_goods(pixels, np.random.default_rng(3), split=split, on_product=on_product)

    assert what
    assert first.tobytes() == second.tobytes()
    assert np.array_equal(pixels, photo())


def test_a_label_never_leaves_its_product() -> None:
    ground = (photo() == 255).all(axis=2)

    for seed in range(20):
        labeled, _ = printed_goods(photo(), np.random.default_rng(seed), split="train", on_product=True)

        assert cv2.absdiff(labeled, photo())[ground].max() == 0


def test_a_cover_stands_whole_before_a_quiet_ground() -> None:
    for seed in range(20):
        cover, _ = printed_goods(photo(), np.random.default_rng(seed), split="train")

        corners = cover[[0, 0, -1, -1], [0, -1, 0, -1]].astype(int)
        assert cover.shape == (320, 320, 3)
        assert corners.min() > 90
        assert np.ptp(corners, axis=0).max() < 80
