"""One change of exposure is told from a dye."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from agpis_sdk.builtin.duplicates.tone import common_tone

Picture = NDArray[np.float32]
EVERYWHERE = np.ones((60, 60), bool)


def product() -> Picture:
    """A textured product on white."""
    pixels = np.full((60, 60, 3), 250, np.float32)
    pixels[10:50, 10:50] = np.random.default_rng(0).uniform(40, 180, (40, 40, 3))
    return pixels


def difference_left(first: Picture, second: Picture) -> float:
    one, other = common_tone(first, second, EVERYWHERE).applied(first, second)
    return float(np.abs(one - other).mean())


@given(st.floats(0.5, 0.95))
def test_a_darker_copy_follows_one_curve_whatever_its_order(gain: float) -> None:
    assert difference_left(product(), product() * gain) < 1
    assert difference_left(product() * gain, product()) < 1


@given(st.floats(0.6, 0.95))
def test_a_flatter_copy_follows_one_curve(contrast: float) -> None:
    assert difference_left(product(), 120 + contrast * (product() - 120)) < 1


def test_the_same_picture_keeps_its_tones() -> None:
    tone = common_tone(product(), product(), EVERYWHERE)
    assert (tone.gain, tone.offset, tone.clipped) == (1, 0, 0)


@pytest.mark.parametrize("factors", [(1.0, 0.5, 0.5), (0.4, 0.7, 1.0)])
def test_a_dye_follows_no_curve(factors: tuple[float, float, float]) -> None:
    dyed = product()
    dyed[10:50, 10:50] *= np.array(factors, np.float32)
    assert difference_left(product(), dyed) > 5


def test_a_darker_dye_of_a_gray_product_before_white_is_no_change_of_contrast() -> None:
    gray = np.repeat(product().mean(axis=2, keepdims=True), 3, axis=2)
    gray[:10] = gray[50:] = gray[:, :10] = gray[:, 50:] = 255
    dyed = gray.copy()
    dyed[10:50, 10:50] *= 0.5
    assert difference_left(gray, dyed) > 5


def test_a_much_darker_product_before_the_same_white_is_no_exposure() -> None:
    darker = product()
    darker[10:50, 10:50] *= 0.5
    assert difference_left(product(), darker) > 5
