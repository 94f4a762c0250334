"""The classical measures: for each rule a picture that breaks it and one that does not."""

from __future__ import annotations

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps
from PIL.PngImagePlugin import PngInfo

from agpis_sdk.builtin.image_quality.checker import ImageQualityChecker, logistic_above, logistic_below
from agpis_sdk.builtin.image_quality.config import ImageQualityConfig
from agpis_sdk.builtin.image_quality.plugin import agpis_image_checkers, agpis_pair_checkers
from agpis_sdk.builtin.image_quality.rules import RULES
from agpis_sdk.components import DecodedImage
from agpis_sdk.records import Finding
from tests.builtin.pictures import (
    bag,
    blurred,
    decoded,
    encoded,
    from_file,
    noise,
    on_a_table_of_things,
    studio,
    with_background,
)

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def found(picture: Image.Image | DecodedImage, **settings: float) -> dict[str, Finding]:
    """Return what is at or above 0.5 in a picture, by rule name."""
    checker = ImageQualityChecker(ImageQualityConfig.model_validate(settings))
    image = picture if isinstance(picture, DecodedImage) else decoded(picture)
    findings = checker.check_images([image], with_background([image]))
    return {finding.name: finding for finding in findings if finding.score >= 0.5}


def resized(picture: Image.Image, factor: float, way: Image.Resampling = Image.Resampling.BICUBIC) -> Image.Image:
    return picture.resize((round(picture.width * factor), round(picture.height * factor)), way)


def marked(term: str, file_format: str) -> bytes:
    """Return a picture whose XMP names an IPTC digital source type."""
    xmp = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:li>{SOURCE_TYPES}{term}</rdf:li></x:xmpmeta>'.encode()
    if file_format != "PNG":
        return encoded(bag(), file_format, xmp=xmp)
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=True)
    return encoded(bag(), "PNG", pnginfo=text)


def framed(picture: Image.Image, width: int = 24, color: str = "navy") -> Image.Image:
    return ImageOps.expand(picture, width, color)


def low_contrast() -> Image.Image:
    return Image.fromarray((np.asarray(bag()) * 0.15 + 120).astype(np.uint8))


VIOLATIONS: dict[str, Image.Image | DecodedImage] = {
    "low-resolution": bag((120, 120)),
    "extreme-aspect-ratio": bag((1200, 300)),
    "blurry-image": blurred(bag(), 12),
    "over-exposed": bag(color=(254, 254, 254), background=(170, 200, 230)),
    "under-exposed": bag(color=(30, 12, 10), background=(8, 8, 8)),
    "low-contrast": low_contrast(),
    "compression-artifacts": from_file(encoded(noise(), "JPEG", quality=10), "a.jpg"),
    "upscaled-image": resized(noise(size=(300, 300)), 3),
    "format-mismatch": from_file(encoded(bag(), "WEBP"), "a.jpg"),
    "ai-generated-mark": from_file(marked("trainedAlgorithmicMedia", "JPEG"), "a.jpg"),
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
    ids=["on white", "on gray", "wide", "blue", "large"],
)
def test_a_good_picture_breaks_no_rule(picture: Image.Image) -> None:
    assert found(picture) == {}


def test_there_is_such_a_picture_for_every_rule_that_the_checker_declares() -> None:
    (spec,) = agpis_image_checkers()

    assert {rule.name for rule in spec.rules} == set(VIOLATIONS)


def test_every_rule_of_the_room_is_declared_by_one_of_its_components() -> None:
    declared = [rule for spec in (*agpis_image_checkers(), *agpis_pair_checkers()) for rule in spec.rules]

    assert sorted(declared, key=lambda rule: rule.code) == list(RULES)


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
    checker = ImageQualityChecker(ImageQualityConfig())
    pictures = [picture for picture in VIOLATIONS.values() if isinstance(picture, Image.Image)]
    images = [decoded(picture, f"i{position}", position) for position, picture in enumerate(pictures)]
    context = with_background(images)

    together = list(checker.check_images(images, context))
    alone = [finding for image in images for finding in checker.check_images([image], context)]

    assert together == alone


def test_a_measure_is_a_half_at_its_limit_and_goes_the_right_way() -> None:
    assert logistic_above(3.0, 3.0, 0.1) == logistic_below(3.0, 3.0, 0.1) == 0.5
    assert logistic_above(3.1, 3.0, 0.1) > 0.5 > logistic_below(3.1, 3.0, 0.1)
    assert 0 <= logistic_above(-1e9, 3.0, 0.1) < logistic_above(1e9, 3.0, 0.1) <= 1


class TestBlur:
    def test_a_soft_background_is_no_blur(self) -> None:
        picture = blurred(noise(), 20)
        picture.paste(bag(box=(0, 0, 1, 1), size=(240, 240)), (180, 180))

        assert "blurry-image" not in found(picture)

    def test_a_plain_product_on_a_plain_ground_is_no_blur(self) -> None:
        picture = Image.new("RGB", (600, 600), "white")
        ImageDraw.Draw(picture).ellipse((150, 150, 450, 450), fill=(225, 222, 218))

        assert "blurry-image" not in found(picture)

    def test_a_picture_without_edges_is_not_judged(self) -> None:
        slope = np.linspace(100, 130, 600).astype(np.uint8)

        assert "blurry-image" not in found(Image.fromarray(np.tile(slope, (600, 1))).convert("RGB"))

    @pytest.mark.parametrize("shape", [(1, 17), (17, 1)], ids=["sideways", "up and down"])
    def test_a_shaken_camera_is_found_by_the_edges_across_its_way(self, shape: tuple[int, int]) -> None:
        picture = Image.fromarray(cv2.blur(np.asarray(bag()), shape))

        assert "blurry-image" in found(picture)


class TestCompression:
    def test_a_quality_of_exactly_the_limit_complies(self) -> None:
        at, below = (from_file(encoded(bag(), "JPEG", quality=quality), "a.jpg") for quality in (40, 37))

        assert "compression-artifacts" not in found(at)
        assert found(below)["compression-artifacts"].message == "saved at JPEG quality 37"

    def test_blocks_are_seen_where_the_file_was_saved_again(self) -> None:
        first = encoded(blurred(noise(), 3), "JPEG", quality=8)
        again = from_file(encoded(Image.open(io.BytesIO(first)), "PNG"), "a.png")

        assert "blocks" in found(again)["compression-artifacts"].message

    @pytest.mark.parametrize("picture", [noise(), bag(), studio()], ids=["busy", "plain", "gradient"])
    def test_a_good_jpeg_shows_none(self, picture: Image.Image) -> None:
        assert "compression-artifacts" not in found(from_file(encoded(picture, "JPEG", quality=88), "a.jpg"))


class TestEnlargement:
    @pytest.mark.parametrize("factor", [3, 4, 6])
    @pytest.mark.parametrize("way", [Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.NEAREST])
    def test_a_small_picture_made_large_is_found(self, factor: int, way: Image.Resampling) -> None:
        small = resized(noise(), 1 / factor)

        assert "upscaled-image" in found(resized(small, factor, way))

    def test_a_large_picture_made_small_is_not(self) -> None:
        assert "upscaled-image" not in found(resized(noise(size=(1500, 1500)), 0.4))

    def test_a_large_file_with_detail_for_a_zoom_is_none_though_it_was_enlarged(self) -> None:
        assert "upscaled-image" not in found(resized(noise(size=(1200, 1200)), 2))

    def test_nothing_is_said_of_an_image_whose_detail_is_unknown(self) -> None:
        image = replace(decoded(resized(noise(size=(300, 300)), 3)), detail=None)

        assert "upscaled-image" not in found(image)


class TestTheFile:
    @pytest.mark.parametrize(
        ("file_format", "name"),
        [("JPEG", "a.jpg"), ("JPEG", "a.JPEG"), ("PNG", "a.png"), ("WEBP", "a.webp"), ("PNG", "a"), ("PNG", "a.php")],
    )
    def test_a_name_that_fits_or_says_nothing_is_fine(self, file_format: str, name: str) -> None:
        assert "format-mismatch" not in found(from_file(encoded(bag(), file_format), name))

    def test_a_name_that_tells_another_format_is_found(self) -> None:
        finding = found(from_file(encoded(bag(), "PNG"), "a.JPG"))["format-mismatch"]

        assert finding.message == 'the name ends in ".jpg", but the file is PNG'

    @pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
    @pytest.mark.parametrize(
        "term", ["trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia"]
    )
    def test_a_mark_of_generative_ai_is_found(self, term: str, file_format: str) -> None:
        assert term in found(from_file(marked(term, file_format), "a"))["ai-generated-mark"].message

    def test_a_camera_s_mark_is_none(self) -> None:
        assert "ai-generated-mark" not in found(from_file(marked("digitalCapture", "JPEG"), "a"))


class TestClutter:
    def test_a_colorful_product_that_touches_the_edges_is_none(self) -> None:
        picture = Image.new("RGB", (600, 600), "white")
        outline = Image.new("L", (600, 600))
        ImageDraw.Draw(outline).ellipse((0, 0, 600, 600), fill=255)
        picture.paste(noise(), mask=outline)

        assert "cluttered-background" not in found(picture)


class TestACut:
    def test_at_one_side_is_found(self) -> None:
        finding = found(bag(box=(0.3, 0.3, 1.2, 0.7)))["product-cropped"]

        assert finding.regions[0].box == pytest.approx((180, 180, 420, 240), abs=10)

    def test_at_opposite_sides_is_a_close_up_and_meant(self) -> None:
        assert "product-cropped" not in found(bag(box=(-0.1, 0.2, 1.1, 0.8)))

    def test_at_the_bottom_alone_is_how_people_are_shown(self) -> None:
        assert "product-cropped" not in found(bag(box=(0.25, 0.1, 0.75, 1.2)))

    def test_through_most_of_the_bottom_is_found(self) -> None:
        assert "product-cropped" in found(bag(box=(0.1, 0.6, 0.9, 1.2)))

    def test_a_round_product_that_only_touches_the_edge_is_none(self) -> None:
        picture = Image.new("RGB", (600, 600), "white")
        ImageDraw.Draw(picture).ellipse((200, 100, 600, 500), fill=(170, 60, 50))

        assert "product-cropped" not in found(picture)
