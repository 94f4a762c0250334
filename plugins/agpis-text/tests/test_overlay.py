"""Drawn text against printed text: the score, its cues, and where the product is."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from agpis_text.lines import TextLine
from agpis_text.overlay import Cues, cues_of, from_log_odds, log_odds, overlay_score, product_hull
from numpy.typing import NDArray

from agpis_sdk.builtin.foreground.plain_background import estimate_foreground

MIDDLING = Cues(contrast=0.0, steepness=-0.5, one_color=0.4, tilt=0.3, beside=0.0, inset=0.4, confidence=0.9)
SIZE = (300, 300)


def written(
    pixels: NDArray[np.uint8], y: int, ink: tuple[int, int, int] = (10, 10, 10)
) -> tuple[NDArray[np.uint8], TextLine]:
    """Return a copy with a word on it, its base line at y, and the line as the reader gives it."""
    copy = cv2.putText(pixels.copy(), "WORDS", (90, y), cv2.FONT_HERSHEY_DUPLEX, 1.0, ink, 2, cv2.LINE_AA)
    line = TextLine("WORDS", 1.0, ((87, y - 26), (205, y - 26), (205, y + 4), (87, y + 4)))
    return np.asarray(copy, np.uint8), line


def carton() -> NDArray[np.uint8]:
    pixels = np.full((*SIZE, 3), 255, np.uint8)
    pixels[70:230, 60:240] = (180, 150, 90)
    return pixels


def cues(pixels: NDArray[np.uint8], line: TextLine) -> Cues:
    return cues_of(pixels, line, product_hull(estimate_foreground(pixels)[1], [line], SIZE))


class TestScore:
    @pytest.mark.parametrize("name", ["contrast", "steepness", "one_color", "beside", "confidence"])
    def test_it_rises_with_what_drawn_text_has(self, name: str) -> None:
        more = replace(MIDDLING, **{name: getattr(MIDDLING, name) + 0.1})

        assert overlay_score(more) > overlay_score(MIDDLING)

    @pytest.mark.parametrize("name", ["tilt", "inset"])
    def test_it_falls_with_what_printed_text_has(self, name: str) -> None:
        more = replace(MIDDLING, **{name: getattr(MIDDLING, name) + 0.1})

        assert overlay_score(more) < overlay_score(MIDDLING)

    @pytest.mark.parametrize("score", [0.01, 0.5, 0.93])
    def test_log_odds_and_back_is_the_same(self, score: float) -> None:
        assert from_log_odds(log_odds(score)) == pytest.approx(score)

    @pytest.mark.parametrize("score", [0.0, 1.0])
    def test_certainty_has_finite_log_odds(self, score: float) -> None:
        assert np.isfinite(log_odds(score))


class TestCues:
    def test_words_beside_the_product_are_beside_it(self) -> None:
        pixels, line = written(carton(), 40)

        assert cues(pixels, line).beside == 1.0

    def test_words_on_the_product_are_not(self) -> None:
        pixels, line = written(carton(), 150)

        assert cues(pixels, line).beside == 0.0

    def test_a_background_that_hides_the_product_says_nothing(self) -> None:
        busy = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
        pixels, line = written(busy, 40)

        assert product_hull(estimate_foreground(pixels)[1], [line], SIZE) is None
        assert cues(pixels, line).beside == 0.0

    def test_print_that_was_photographed_is_softer_and_less_even_than_drawn_words(self) -> None:
        drawn, line = written(carton(), 150)
        soft = cv2.GaussianBlur(drawn, (0, 0), 2.0).astype(np.float32)
        light = np.linspace(0.6, 1.0, SIZE[0])[None, :, None]
        photographed = (soft * light + np.random.default_rng(1).normal(0, 4, soft.shape)).clip(0, 255).astype(np.uint8)

        first, second = cues(drawn, line), cues(photographed, line)

        assert first.steepness > second.steepness
        assert first.one_color > second.one_color
        assert overlay_score(first) > overlay_score(second)

    def test_a_line_at_the_edge_stands_at_the_edge(self) -> None:
        pixels, line = written(carton(), 27)

        assert cues(pixels, line).inset < 0.02

    def test_a_patch_of_one_color_is_no_lettering(self) -> None:
        _, line = written(carton(), 40)

        assert overlay_score(cues(np.full((*SIZE, 3), 128, np.uint8), line)) < 0.05


def test_tilt_is_counted_from_level_and_upright_alike() -> None:
    level = TextLine("a", 1.0, ((0, 0), (100, 0), (100, 20), (0, 20)))
    upright = TextLine("a", 1.0, ((0, 100), (0, 0), (20, 0), (20, 100)))
    askew = TextLine("a", 1.0, ((0, 10), (100, 0), (102, 20), (2, 30)))

    assert (level.tilt, upright.tilt) == (0.0, 0.0)
    assert askew.tilt == pytest.approx(5.7, abs=0.1)
    assert (level.height, level.box) == (20.0, (0, 0, 100, 20))
