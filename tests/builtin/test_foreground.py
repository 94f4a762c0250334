"""The facts "background" and "plain_foreground": what the product is, in front of which ground."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from agpis_sdk.builtin.foreground.background_estimator import BackgroundEstimator
from agpis_sdk.builtin.foreground.plain_background import estimate_foreground
from agpis_sdk.components import ComponentConfig, Context
from agpis_sdk.facts import Background, Foreground
from tests.builtin.pictures import Facts, bag, decoded, on_a_table_of_things, studio


def facts(picture: Image.Image) -> tuple[Background, Foreground | None]:
    """Return what the estimator provides about a picture."""
    context = Facts()
    list(BackgroundEstimator(ComponentConfig()).check_images([decoded(picture)], cast("Context", context)))
    return context.known["a", "background"], context.known["a", "plain_foreground"]


def sweep(top: int, jump: bool = False) -> NDArray[np.uint8]:
    """A dark product before a ground that runs from white below to a gray of `top` above, at once or bit by bit."""
    gray = np.full(400, 255.0)
    gray[:160] = top if jump else np.linspace(top, 255, 160)
    pixels = np.repeat(np.repeat(gray[:, None, None], 400, axis=1), 3, axis=2).astype(np.uint8)
    pixels[150:330, 120:280] = (40, 60, 110)
    return pixels


class TestTheForeground:
    @pytest.mark.parametrize(
        "picture",
        [
            bag(box=(0.3, 0.3, 0.7, 0.7)),
            bag(box=(0.3, 0.3, 0.7, 0.7), background=(90, 96, 100)),
            studio(),
            studio("shadow"),
        ],
        ids=["on white", "on dark gray", "before a gradient", "with a soft shadow"],
    )
    def test_is_the_product_alone(self, picture: Image.Image) -> None:
        background, foreground = facts(picture)

        assert background.plainness == 1
        assert foreground is not None
        assert foreground.box == pytest.approx((0.3, 0.3, 0.4, 0.4), abs=0.02)
        assert foreground.fill == pytest.approx(0.16, abs=0.02)
        assert foreground.offset == pytest.approx(0, abs=0.01)
        assert foreground.touching == 0

    def test_is_unknown_where_the_surroundings_are_busy(self) -> None:
        background, foreground = facts(on_a_table_of_things())

        assert background.plainness < 0.5
        assert foreground is None

    def test_is_unknown_where_nothing_stands_out(self) -> None:
        background, foreground = facts(Image.new("RGB", (400, 300), "white"))

        assert (background.plainness, background.whiteness, foreground) == (1, 1, None)

    def test_tells_the_sides_that_the_product_runs_out_at(self) -> None:
        _, foreground = facts(bag(box=(0.2, 0.2, 1.1, 0.7)))

        assert foreground is not None
        assert foreground.sides == pytest.approx((0, 0, 0.5, 0), abs=0.02)
        assert foreground.touching == pytest.approx(0.5, abs=0.02)

    def test_keeps_every_large_part(self) -> None:
        pair = bag(box=(0.1, 0.3, 0.4, 0.7))
        pair.paste(bag(box=(0, 0, 1, 1), size=(180, 240)), (360, 180))

        _, foreground = facts(pair)

        assert foreground is not None
        assert foreground.box == pytest.approx((0.1, 0.3, 0.8, 0.4), abs=0.02)

    def test_whiteness_is_the_white_share_of_the_ring(self) -> None:
        half = bag()
        half.paste((200, 200, 200), (300, 0, 600, 600))

        assert facts(bag())[0].whiteness == 1
        assert facts(half)[0].whiteness == pytest.approx(0.5, abs=0.05)
        assert facts(bag(background=(235, 235, 235)))[0].whiteness == 0

    @pytest.mark.parametrize("size", [(1, 1), (1, 300), (3, 5)])
    def test_facts_are_provided_for_a_picture_of_any_size(self, size: tuple[int, int]) -> None:
        assert 0 <= facts(Image.new("RGB", size))[0].plainness <= 1


def test_a_studio_s_sweep_is_no_part_of_the_product() -> None:
    background, foreground = estimate_foreground(sweep(150))

    assert foreground is not None
    assert foreground.box == pytest.approx((0.3, 0.375, 0.4, 0.45), abs=0.02)
    assert foreground.touching == 0
    assert background.plainness == 1


def test_where_the_ground_ends_at_a_line_nobody_can_tell_the_product() -> None:
    background, foreground = estimate_foreground(sweep(150, jump=True))

    assert background.plainness == pytest.approx(0.55, abs=0.02)
    assert foreground is None
