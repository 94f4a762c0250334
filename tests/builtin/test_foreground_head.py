"""The foreground of any picture: the head's mask, and the facts that are read off it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agpis_sdk.builtin.foreground.composition import NAMES, describe, hull_area
from agpis_sdk.builtin.foreground.foreground_estimator import masked_mean
from agpis_sdk.builtin.foreground.head_file import SIDE, HeadSizes
from agpis_sdk.builtin.foreground.model import ForegroundHead
from agpis_sdk.builtin.foreground.segmentation import foreground_of, without_letterbox

SIZES = HeadSizes(stride32=320, stride16=112, stride8=40)


def maps(count: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = ((320, 7, 7), (112, 14, 14), (40, 28, 28), (3, SIDE, SIDE))
    return [torch.randn(count, *shape, generator=generator) for shape in shapes]


def test_the_shipped_head_is_of_the_default_backbone_s_sizes() -> None:
    assert ForegroundHead.load().sizes == SIZES


def test_a_mask_does_not_depend_on_the_rest_of_the_batch() -> None:
    head, batch = ForegroundHead.load(), maps(8)
    turned = [torch.cat([one[:1], one[1:].flip(0)]) for one in batch]

    assert torch.equal(head(*batch)[0], head(*turned)[0])


def test_a_picture_s_part_of_the_square_keeps_its_shape() -> None:
    square = np.zeros((SIDE, SIDE), np.float32)

    assert without_letterbox(square, 400, 200).shape == (SIDE // 2, SIDE)
    assert without_letterbox(square, 100, 400).shape == (SIDE, SIDE // 4)


def test_specks_are_no_part_of_the_product() -> None:
    probability = np.zeros((100, 100), np.float32)
    probability[20:80, 30:70] = 0.9
    probability[2:5, 2:5] = 0.9

    foreground = foreground_of(probability)

    assert foreground is not None
    assert foreground.box == pytest.approx((0.3, 0.2, 0.4, 0.6))
    assert foreground.fill == pytest.approx(0.24)
    assert foreground.touching == 0


def test_where_nothing_is_there_is_no_foreground() -> None:
    assert foreground_of(np.full((50, 40), 0.2, np.float32)) is None


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 30), st.just(3))),
    st.integers(0, 2**32 - 1),
)
def test_every_picture_and_mask_has_a_finite_composition(pixels: np.ndarray, seed: int) -> None:
    probability = np.random.default_rng(seed).random(pixels.shape[:2], dtype=np.float32)

    numbers = describe(pixels, probability, (0.5, 0.5, 5.0))

    assert numbers.shape == (len(NAMES),)
    assert np.isfinite(numbers).all()


@given(mask=arrays(np.bool_, st.tuples(st.integers(2, 9), st.integers(2, 9))))
def test_the_hull_of_a_mask_is_that_of_all_its_pixels(mask: np.ndarray) -> None:
    mask[0, 0] = True
    everything = cv2.convexHull(np.argwhere(mask)[:, ::-1].astype(np.float32))

    assert hull_area(mask) == cv2.contourArea(everything)


def test_the_composition_says_how_much_of_the_picture_the_product_takes_and_where_it_is_cut() -> None:
    pixels = np.full((100, 100, 3), 255, np.uint8)
    probability = np.zeros((100, 100), np.float32)
    pixels[50:, 25:75], probability[50:, 25:75] = 40, 1.0

    numbers = dict(zip(NAMES, describe(pixels, probability, (1.0, 1.0, 0.0)).tolist(), strict=True))

    assert numbers["area"] == pytest.approx(0.25)
    assert numbers["bottom cut"] == pytest.approx(0.5)
    assert numbers["top cut"] == 0
    assert numbers["off-center down"] == pytest.approx(0.25)
    assert numbers["mask symmetry"] == 1
    assert numbers["outside whiteness"] == 1


def test_the_product_s_embedding_is_the_mean_over_the_product_alone() -> None:
    features = np.zeros((2, 4, 4), np.float32)
    features[0, :2], features[1, 2:] = 1.0, 1.0
    square = np.zeros((8, 8), np.float32)
    square[:4] = 1.0

    assert masked_mean(features, square) == pytest.approx([1, 0], abs=0.01)
