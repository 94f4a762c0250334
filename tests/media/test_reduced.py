"""Smaller copies of an image."""

from __future__ import annotations

import gc

import cv2
import numpy as np
import pytest

from agpis_sdk.media import reduced as module
from agpis_sdk.media.decode import as_image
from agpis_sdk.media.reduced import reduced


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(("height", "width", "size"), [(300, 200, (67, 100)), (40, 500, (100, 8)), (500, 1, (1, 100))])
def test_a_copy_is_the_picture_averaged_over_its_new_pixels(height: int, width: int, size: tuple[int, int]) -> None:
    image = as_image(noise(height, width))

    copy = reduced(image, 100)

    assert (copy == cv2.resize(image.pixels, size, interpolation=cv2.INTER_AREA)).all()


def test_a_picture_that_is_small_enough_is_not_copied() -> None:
    image = as_image(noise(60, 100))

    assert reduced(image, 100) is image.pixels


def test_a_copy_is_made_once_and_cannot_be_changed() -> None:
    image = as_image(noise(300, 200))

    copy = reduced(image, 100)

    assert reduced(image, 100) is copy
    assert not copy.flags.writeable


def test_copies_go_with_their_image() -> None:
    image = as_image(noise(300, 200))
    reduced(image, 100)
    kept = len(module._COPIES)

    del image
    gc.collect()

    assert len(module._COPIES) == kept - 1
