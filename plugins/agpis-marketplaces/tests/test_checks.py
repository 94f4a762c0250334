"""The checks: an image of a known fault, and the rule and sentence that come of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from agpis_marketplaces.checker import GalleryRequirementsChecker, ImageRequirementsChecker
from agpis_marketplaces.config import MarketplacesConfig
from agpis_marketplaces.measures import product_fill, white_background_share
from numpy.typing import NDArray
from pydantic import ValidationError

from agpis_sdk import DecodedImage, Finding, ImageSequence, Product
from agpis_sdk.builtin.foreground.plain_background import estimate_foreground
from agpis_sdk.facts import Foreground


def foreground_of(pixels: NDArray[np.uint8]) -> Foreground | None:
    """The fact as the SDK's own component provides it."""
    return estimate_foreground(pixels)[1]


def picture(fill: float = 0.88, background: int = 255, size: int = 200) -> NDArray[np.uint8]:
    """A blue square that fills so much of a plain picture, in its middle."""
    pixels = np.full((size, size, 3), background, np.uint8)
    edge = round(size * (1 - fill) / 2)
    pixels[edge : size - edge, edge : size - edge] = (40, 60, 160)
    return pixels


def decoded(image_id: str = "a", position: int = 0, **changes: Any) -> DecodedImage:
    """An image that no marketplace refuses, but for the changes."""
    fields: dict[str, Any] = {
        "product_id": "P1",
        "id": image_id,
        "position": position,
        "pixels": picture(),
        "original_width": 2500,
        "original_height": 2500,
        "scale": 12.5,
        "byte_count": 900_000,
        "sha256": "",
        "format": "JPEG",
    }
    return DecodedImage(**{**fields, **changes})


class FakeContext:
    """A context that knows one product, and the foreground of its images."""

    def __init__(self, product: Product) -> None:
        self._product = product

    def product(self, product_id: str) -> Product:
        return self._product

    def fact(self, image: DecodedImage, name: str) -> Foreground | None:
        assert name == "foreground"
        return foreground_of(image.pixels)


def found(
    profile: str,
    *images: DecodedImage,
    category: str = "",
    uris: Mapping[str, str] | None = None,
    attributes: Mapping[str, Any] | None = None,
    **settings: Any,
) -> list[Finding]:
    """Return what both checkers say about a gallery, sorted by code."""
    listed = [{"id": image.id, "uri": (uris or {}).get(image.id, f"{image.id}.jpg")} for image in images]
    product = Product.model_validate(
        {"id": "P1", "category": category, "images": listed, "attributes": attributes or {}}
    )
    config = MarketplacesConfig(profile=profile, **settings)
    context: Any = FakeContext(product)
    sequence = ImageSequence(product=product, images=images)
    (verdict,) = GalleryRequirementsChecker(config).check_sequences([sequence], context)
    findings = [*ImageRequirementsChecker(config).check_images(images, context), *verdict.findings]
    return sorted(findings, key=lambda finding: (finding.code, finding.images))


def codes(*arguments: Any, **keywords: Any) -> list[str]:
    return [finding.code for finding in found(*arguments, **keywords)]


def test_without_a_profile_nothing_is_said() -> None:
    assert codes("", decoded(format="GIF", frame_count=9, original_width=1)) == []


def test_an_unknown_profile_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match='did you mean "walmart"'):
        MarketplacesConfig(profile="wallmart")


def test_a_finding_names_the_number_the_measure_the_source_and_the_grade() -> None:
    (finding,) = found("amazon-main", decoded(original_width=480, original_height=300))

    assert (finding.code, finding.images) == ("AMP151", ("a",))
    assert finding.message == (
        "480 px on the longer side; Amazon main asks for at least 500 px "
        "(restated by help.e-tailize.com and mercatuslab, read 2026-11, grade B)"
    )


def test_official_text_blocks() -> None:
    (finding,) = found("ebay", decoded(original_width=480, original_height=480))

    assert finding.code == "AMP101"
    assert (
        "eBay asks for at least 500 px (official text, eBay picture policy, read 2026-11, grade A)" in finding.message
    )


@pytest.mark.parametrize(
    ("side", "number"), [(499, "500"), (500, "1,000"), (999, "1,000"), (1000, "1,600"), (1599, "1,600")]
)
def test_of_several_numbers_the_first_that_is_missed_speaks(side: int, number: str) -> None:
    (finding,) = found("amazon-main", decoded(original_width=side, original_height=side))

    assert f"at least {number} px" in finding.message


def test_an_image_exactly_at_a_limit_complies() -> None:
    assert codes("amazon-main", decoded(original_width=1600, original_height=1600)) == []


class TestFiles:
    @pytest.mark.parametrize(
        ("profile", "changes", "expected"),
        [
            ("tiktok-shop", {"original_width": 6001, "original_height": 6001}, "AMP152"),
            ("vtex", {"original_width": 5001, "original_height": 5001}, "AMP102"),
            ("google", {"original_width": 8001, "original_height": 8001}, "AMP152"),
            ("walmart", {"byte_count": 5 * 1_048_576 + 1}, "AMP103"),
            ("shopee", {"byte_count": 2 * 1_048_576 + 1}, "AMP153"),
            ("vtex", {"byte_count": 299_999}, "AMP154"),
            ("walmart", {"format": "GIF"}, "AMP105"),
            ("jd", {"format": "WEBP"}, "AMP155"),
            ("ebay", {"format": "GIF", "frame_count": 3}, "AMP107"),
            ("amazon-main", {"format": "GIF", "frame_count": 3}, "AMP157"),
            ("walmart", {"original_width": 2400, "original_height": 2500}, "AMP110"),
            ("shopee", {"original_width": 2400, "original_height": 2500}, "AMP160"),
        ],
    )
    def test_a_file_beyond_a_limit_is_found(self, profile: str, changes: dict[str, Any], expected: str) -> None:
        others = [decoded(image_id, position) for position, image_id in enumerate("bcdef", start=1)]

        assert codes(profile, decoded(**changes), *others) == [expected]

    @pytest.mark.parametrize("changes", [{"byte_count": 5 * 1_048_576}, {"format": "MPO"}, {"original_width": 2520}])
    def test_a_file_within_them_is_not(self, changes: dict[str, Any]) -> None:
        others = [decoded(image_id, position) for position, image_id in enumerate("bcd", start=1)]

        assert codes("walmart", decoded(**changes), *others) == []

    def test_an_ending_of_another_format_is_found(self) -> None:
        (finding,) = found("google", decoded(format="WEBP"), uris={"a": "https://shop.example/a.JPG?v=2"})

        assert finding.code == "AMP106"
        assert 'a WEBP file that ends in ".jpg"' in finding.message

    @pytest.mark.parametrize(
        "uri", ["a.webp", "https://shop.example/a.webp?w=9", "https://shop.example/image/7", "a.img"]
    )
    def test_an_ending_that_fits_or_says_nothing_is_not(self, uri: str) -> None:
        assert codes("google", decoded(format="WEBP"), uris={"a": uri}) == []


SMALL = {"original_width": 240, "original_height": 240}


class TestDatesAndCategories:
    @pytest.mark.parametrize(
        ("day", "code", "number"), [("2027-01-30", "AMP151", "500"), ("2027-01-31", "AMP101", "500")]
    )
    def test_the_day_decides_which_number_is_in_force(self, day: str, code: str, number: str) -> None:
        (finding,) = found("google", decoded(**SMALL), date=day)

        assert finding.code == code
        assert f"at least {number} px" in finding.message

    def test_a_number_for_a_category_is_for_that_category(self) -> None:
        (apparel,) = found("google", decoded(**SMALL), category="Apparel & Accessories > Shoes", date="2026-01-01")
        (other,) = found("google", decoded(**SMALL), category="Hardware", date="2026-01-01")

        assert "asks for at least 250 px" in apparel.message
        assert "advises at least 1,500 px" in other.message

    def test_a_number_for_a_shape_is_for_that_shape(self) -> None:
        assert codes("jd", decoded(original_width=760, original_height=1013)) == []
        assert codes("jd", decoded(original_width=760, original_height=760)) == ["AMP151"]


class TestBackground:
    def test_a_white_one_is_white(self) -> None:
        assert white_background_share(picture(), None, 250) == 1.0

    @pytest.mark.parametrize("background", [0, 128, 245])
    def test_any_other_is_not(self, background: int) -> None:
        assert white_background_share(picture(background=background), None, 250) == 0.0

    def test_a_product_that_runs_out_of_the_picture_is_not_taken_for_background(self) -> None:
        pixels = picture()
        pixels[100:, 60:140] = (90, 40, 30)

        assert white_background_share(pixels, foreground_of(pixels), 250) == 1.0

    def test_a_picture_full_of_product_has_no_white_background(self) -> None:
        assert white_background_share(np.full((50, 50, 3), 90, np.uint8), None, 250) == 0.0

    def test_a_gray_one_is_found_on_the_main_image_alone(self) -> None:
        gray = picture(background=200)

        (finding,) = found("amazon-main", decoded(pixels=gray), decoded("b", 1, pixels=gray))

        assert (finding.code, finding.images, finding.score) == ("AMP158", ("a",), 1.0)
        assert "0% of the background along the edge is white; Amazon main asks for a white one" in finding.message


class TestFill:
    @pytest.mark.parametrize("fill", [0.3, 0.6, 0.9])
    def test_it_is_measured_along_the_longest_axis(self, fill: float) -> None:
        pixels = picture(fill)
        pixels[:, :80] = 255

        assert product_fill(foreground_of(pixels)) == pytest.approx(fill, abs=0.02)

    def test_a_busy_background_is_not_judged(self) -> None:
        assert (
            product_fill(foreground_of(np.random.default_rng(0).integers(0, 256, (99, 99, 3), dtype=np.uint8))) is None
        )

    def test_an_empty_picture_is_not_judged(self) -> None:
        assert product_fill(foreground_of(np.full((50, 50, 3), 255, np.uint8))) is None

    @pytest.mark.parametrize(("fill", "expected"), [(0.7, ["AMP159"]), (0.8, []), (0.95, ["AMP159"])])
    def test_too_little_and_too_much_are_found(self, fill: float, expected: list[str]) -> None:
        assert codes("google", decoded(pixels=picture(fill))) == expected

    def test_the_score_is_a_half_at_the_limit_and_rises(self) -> None:
        near, far = (found("amazon-main", decoded(pixels=picture(fill)))[0].score for fill in (0.84, 0.2))

        assert 0.5 <= near < 0.52 < far <= 1.0


class TestGalleries:
    @pytest.mark.parametrize(("count", "expected"), [(3, ["AMP351"]), (4, [])])
    def test_too_few_images_are_found(self, count: int, expected: list[str]) -> None:
        assert codes("walmart", *(decoded(str(number), number) for number in range(count))) == expected

    @pytest.mark.parametrize(("count", "expected"), [(9, []), (10, ["AMP352"])])
    def test_too_many_images_are_found(self, count: int, expected: list[str]) -> None:
        assert codes("amazon-main", *(decoded(str(number), number) for number in range(count))) == expected

    def test_secondary_images_are_all_but_the_first(self) -> None:
        small = {"original_width": 400, "original_height": 400}

        findings = found("amazon-secondary", decoded(**small), decoded("b", 1, **small), decoded("c", 2))

        assert [(finding.code, finding.images) for finding in findings] == [("AMP151", ("b",))]

    def test_a_role_that_no_image_has_is_found(self) -> None:
        (finding,) = found("taobao-tmall", decoded(), attributes={"roles": {"a": "white"}})

        assert (finding.code, finding.images) == ("AMP353", ())
        assert "no image has the role transparent" in finding.message

    @pytest.mark.parametrize("attributes", [{}, {"roles": None}, {"roles": {"a": "white", "b": "transparent"}}])
    def test_roles_that_are_unknown_or_all_there_are_not(self, attributes: dict[str, Any]) -> None:
        assert codes("taobao-tmall", decoded(), decoded("b", 1), attributes=attributes) == []
