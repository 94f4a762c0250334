"""The classical measures: for each rule a picture that breaks it and one that does not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from agpis_sdk.builtin.measures.checker import MeasuresChecker, falling, rising
from agpis_sdk.builtin.measures.config import ExactCopiesConfig, MeasuresConfig
from agpis_sdk.builtin.measures.exact_copies import ExactCopiesChecker
from agpis_sdk.builtin.measures.foreground import estimate_foreground
from agpis_sdk.builtin.measures.plugin import agpis_image_checkers, agpis_pair_checkers
from agpis_sdk.components import ImagePair
from agpis_sdk.records import Finding
from agpis_sdk.rules import BUILTIN_RULES
from builtin.pictures import ANY_CONTEXT, bag, blurred, decoded, noise


def found(picture: Image.Image, **settings: float) -> dict[str, Finding]:
    """Return what is at or above 0.5 in a picture, by rule name."""
    checker = MeasuresChecker(MeasuresConfig.model_validate(settings))
    findings = checker.check_images([decoded(picture)], ANY_CONTEXT)
    return {finding.name: finding for finding in findings if finding.score >= 0.5}


def framed(picture: Image.Image, width: int = 24, color: str = "navy") -> Image.Image:
    return ImageOps.expand(picture, width, color)


def on_a_table_of_things() -> Image.Image:
    picture = noise()
    picture.paste(bag((240, 240), box=(0, 0, 1, 1)), (180, 180))
    return picture


def low_contrast() -> Image.Image:
    return Image.fromarray((np.asarray(bag()) * 0.15 + 120).astype(np.uint8))


VIOLATIONS = {
    "low-resolution": bag((120, 120)),
    "extreme-aspect-ratio": bag((1200, 300)),
    "blurry-image": blurred(bag(), 12),
    "over-exposed": bag(color=(254, 254, 254), background=(170, 200, 230)),
    "under-exposed": bag(color=(30, 12, 10), background=(8, 8, 8)),
    "low-contrast": low_contrast(),
    "border-or-frame": framed(bag()),
    "placeholder-image": Image.new("RGB", (600, 600), (200, 200, 200)),
    "cluttered-background": on_a_table_of_things(),
    "product-too-small": bag(box=(0.4, 0.4, 0.6, 0.6)),
    "product-cropped": bag(box=(0.2, 0.2, 1.0, 0.95)),
    "product-off-center": bag(box=(0.05, 0.1, 0.42, 0.6)),
}


@pytest.mark.parametrize("rule", VIOLATIONS)
def test_a_picture_that_breaks_a_rule_is_found(rule: str) -> None:
    assert rule in found(VIOLATIONS[rule])


@pytest.mark.parametrize(
    "picture",
    [
        bag(),
        bag(background=(225, 228, 230)),
        bag((800, 500)),
        bag(color=(60, 90, 160)),
        bag(box=(0.15, 0.13, 0.85, 0.87)),
    ],
    ids=["on white", "on grey", "wide", "blue", "large"],
)
def test_a_good_picture_breaks_no_rule(picture: Image.Image) -> None:
    assert found(picture) == {}


def test_there_is_such_a_picture_for_every_rule_that_the_checker_declares() -> None:
    (spec,) = agpis_image_checkers()

    assert {rule.name for rule in spec.rules} == set(VIOLATIONS)


def test_every_rule_whose_detector_is_measures_is_declared() -> None:
    declared = {rule for spec in (*agpis_image_checkers(), *agpis_pair_checkers()) for rule in spec.rules}

    assert declared == {rule for rule in BUILTIN_RULES if rule.detector == "measures"}


def test_the_box_of_a_finding_is_where_the_product_is_in_original_pixels() -> None:
    finding = found(bag((2000, 2000), box=(0.4, 0.4, 0.6, 0.6)))["product-too-small"]

    (region,) = finding.regions
    assert region.box == pytest.approx((800, 800, 400, 400), abs=20)


def test_the_box_of_a_frame_is_the_picture_inside_it() -> None:
    finding = found(framed(bag((1000, 1000)), 50))["border-or-frame"]

    assert finding.regions[0].box == pytest.approx((50, 50, 1000, 1000), abs=20)


def test_a_frame_may_be_open_on_one_side() -> None:
    picture = bag()
    draw = ImageDraw.Draw(picture)
    for box in ((0, 0, 600, 20), (0, 0, 20, 600), (580, 0, 600, 600)):
        draw.rectangle(box, fill="navy")

    assert "border-or-frame" in found(picture)


def test_the_white_around_a_round_product_is_no_frame() -> None:
    picture = Image.new("RGB", (600, 600), "white")
    ImageDraw.Draw(picture).ellipse((12, 12, 588, 588), fill=(170, 60, 50), outline=(80, 30, 20), width=9)

    assert "border-or-frame" not in found(picture)


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"min_side": 700}, "low-resolution"),
        ({"min_fill": 0.9}, "product-too-small"),
        ({"min_brightness": 0.99}, "under-exposed"),
    ],
)
def test_the_limits_are_settings(settings: dict[str, float], rule: str) -> None:
    assert found(bag()) == {}
    assert rule in found(bag(), **settings)


@pytest.mark.parametrize(
    ("rule", "just", "beyond"),
    [
        ("low-resolution", (200, 250), (199, 250)),
        ("low-resolution", (300, 200), (300, 199)),
        ("extreme-aspect-ratio", (900, 300), (920, 300)),
        ("extreme-aspect-ratio", (300, 900), (300, 920)),
    ],
)
def test_an_image_of_exactly_the_limit_complies(rule: str, just: tuple[int, int], beyond: tuple[int, int]) -> None:
    assert rule not in found(bag(just))
    assert rule in found(bag(beyond))


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (15, 15), (16, 16), (31, 33), (3000, 2)])
def test_a_picture_of_any_size_can_be_measured(size: tuple[int, int]) -> None:
    assert "low-resolution" in found(Image.new("RGB", size))


def test_a_picture_s_scores_do_not_depend_on_its_batch() -> None:
    checker = MeasuresChecker(MeasuresConfig())
    images = [decoded(picture, f"i{position}", position) for position, picture in enumerate(VIOLATIONS.values())]

    together = list(checker.check_images(images, ANY_CONTEXT))
    alone = [finding for image in images for finding in checker.check_images([image], ANY_CONTEXT)]

    assert together == alone


def test_a_measure_is_a_half_at_its_limit_and_goes_the_right_way() -> None:
    assert rising(3.0, 3.0, 0.1) == falling(3.0, 3.0, 0.1) == 0.5
    assert rising(3.1, 3.0, 0.1) > 0.5 > falling(3.1, 3.0, 0.1)
    assert 0 <= rising(-1e9, 3.0, 0.1) < rising(1e9, 3.0, 0.1) <= 1


class TestExactCopies:
    def findings(self, first: Image.Image, second: Image.Image) -> list[Finding]:
        pair = ImagePair(decoded(first, "a"), decoded(second, "b", 1))
        return list(ExactCopiesChecker(ExactCopiesConfig()).check_pairs([pair], ANY_CONTEXT))

    def test_the_same_file_twice_is_found(self) -> None:
        (finding,) = self.findings(bag(), bag())

        assert (finding.code, finding.images, finding.score) == ("AGP202", ("a", "b"), 1.0)
        assert finding.message == '"b" is the same file as "a"'
        assert [region.box for region in finding.regions] == [(0, 0, 600, 600), (0, 0, 600, 600)]

    def test_the_same_pixels_in_another_file_are_found(self) -> None:
        (finding,) = self.findings(bag(), bag().convert("RGBA"))

        assert "is pixel for pixel the same as" in finding.message

    def test_one_pixel_that_differs_is_no_copy(self) -> None:
        other = np.asarray(bag((300, 300))).copy()
        other[0, 0] = 0

        assert self.findings(bag((300, 300)), Image.fromarray(other)) == []

    def test_another_size_is_no_copy(self) -> None:
        assert self.findings(bag((300, 300)), bag((200, 300))) == []


def sweep(top: int, jump: bool = False) -> NDArray[np.uint8]:
    """A dark product before a ground that runs from white below to a grey of `top` above, at once or bit by bit."""
    grey = np.full(400, 255.0)
    grey[:160] = top if jump else np.linspace(top, 255, 160)
    pixels = np.repeat(np.repeat(grey[:, None, None], 400, axis=1), 3, axis=2).astype(np.uint8)
    pixels[150:330, 120:280] = (40, 60, 110)
    return pixels


def test_a_studio_s_sweep_is_no_part_of_the_product() -> None:
    foreground = estimate_foreground(sweep(150))

    assert foreground.box == pytest.approx((0.3, 0.375, 0.4, 0.45), abs=0.02)
    assert foreground.touching == foreground.busy_ring == 0


def test_a_ground_that_ends_at_a_line_is_two_grounds() -> None:
    assert estimate_foreground(sweep(150, jump=True)).touching == 1
