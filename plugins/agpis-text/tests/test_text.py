"""The text plugin: what words are about, where a line lies, what is read, and the checker under contract."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, cast

import cv2
import numpy as np
import pytest
from agpis_text import plugin
from agpis_text.checker import TextChecker
from agpis_text.config import TextConfig
from agpis_text.machine_codes import machine_codes
from agpis_text.placement import Cues, cues_of, overlay_logit
from agpis_text.reader import TextReader
from agpis_text.rules import RULES
from agpis_text.wording import Kind, Wording, languages
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from pydantic import ValidationError

from agpis_sdk import Context, DecodedImage, Finding, Product, Rule
from agpis_sdk.learn.photos import as_image
from agpis_sdk.rules import PAGE_HEADINGS
from agpis_sdk.testing import ImageCheckerContract, assert_light_import

Pixels = NDArray[np.uint8]


class KnownImage:
    """A context in which p_nc and the product are given."""

    def __init__(self, p_noncompliant: float, title: str = "", brand: str = "") -> None:
        self._p_noncompliant = p_noncompliant
        self._product = Product.model_validate(
            {"id": "P1", "title": title, "images": [], "attributes": {"brand": brand}}
        )
        self.lines: tuple[Any, ...] | None = None

    def fact(self, image: DecodedImage, name: str) -> float:
        assert name == "p_noncompliant"
        return self._p_noncompliant

    def product(self, product_id: str) -> Product:
        return self._product

    def provide(self, image: DecodedImage, name: str, value: tuple[Any, ...]) -> None:
        assert name == "text.lines"
        self.lines = value


def product_photo() -> Image.Image:
    """A green box with a shaded side on white."""
    picture = Image.new("RGB", (500, 500), "white")
    draw = ImageDraw.Draw(picture)
    for row in range(150, 450):
        draw.line((120, row, 380, row), fill=(40, 120 + row // 10, 70))
    return picture


def with_words(*lines: str, at: tuple[int, int] = (30, 20), size: int = 40) -> Pixels:
    """The photo with level red lines over it."""
    picture = product_photo()
    for number, line in enumerate(lines):
        place = (at[0], at[1] + number * (size + 6))
        ImageDraw.Draw(picture).text(place, line, fill=(190, 20, 30), font=ImageFont.load_default(size))
    return np.array(picture)


def with_printed_words(text: str) -> Pixels:
    """The photo with a dull, tilted, softened line on the box, as a camera sees print."""
    label = Image.new("RGBA", (500, 500))
    ImageDraw.Draw(label).text((150, 280), text, fill=(150, 190, 150, 255), font=ImageFont.load_default(30))
    label = label.rotate(9, resample=Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(1.2))
    picture = product_photo()
    picture.paste(label, (0, 0), label)
    noise = np.random.default_rng(0).normal(0, 9, (500, 500, 3))
    return np.clip(np.array(picture) + noise, 0, 255).astype(np.uint8)


def found(pixels: Pixels, p_noncompliant: float = 0.9, title: str = "", **settings: Any) -> list[Finding]:
    """Return what is found at 0.5 or more."""
    context = KnownImage(p_noncompliant, title)
    image = replace(as_image(pixels), product_id="P1", id="a")
    findings = TextChecker(TextConfig(**settings)).check_images([image], cast("Context", context))
    return [finding for finding in findings if finding.score >= 0.5]


def codes(*arguments: Any, **settings: Any) -> list[str]:
    return [finding.code for finding in found(*arguments, **settings)]


class TestWording:
    @pytest.mark.parametrize(
        ("line", "kind"),
        [
            ("SALE", "promotional"), ("BESTSELLING", "promotional"), ("-20 %", "promotional"), ("Nur heute!", "promotional"),
            ("Livraison gratuite", "promotional"), ("Envío gratis", "promotional"), ("限时特价", "promotional"),
            ("ONLY $34", "price"), ("29,95 €", "price"), ("EUR 12", "price"), ("￥99", "price"),
            ("www.shop.example", "contact"), ("mail@shop.example", "contact"), ("+49 30 1234567", "contact"), ("@ourshop", "contact"),
            ("sold on Amazon", "platform"), ("淘宝", "platform"),
        ],
    )  # fmt: skip
    def test_a_line_is_of_its_kind(self, line: str, kind: Kind) -> None:
        assert kind in Wording(languages()).kinds_of(line)

    @pytest.mark.parametrize("line", ["Milk 1,5%", "Soya drink", "2995", "Machine washable", "Size M", "L'Oréal", ""])
    def test_other_words_are_of_none(self, line: str) -> None:
        assert Wording(languages()).kinds_of(line) == []

    def test_a_language_that_is_not_chosen_is_not_looked_for(self) -> None:
        assert Wording(["en"]).kinds_of("Livraison gratuite") == []

    def test_a_shop_s_own_words_count(self) -> None:
        assert Wording([], {"promotional": ["midsummer deal"]}).kinds_of("Midsummer Deal") == ["promotional"]

    def test_an_unknown_language_is_named_with_those_that_there_are(self) -> None:
        with pytest.raises(ValidationError, match="no phrases for xx; there are de, en"):
            TextConfig(languages=("xx",))

    def test_a_broken_expression_is_named(self) -> None:
        with pytest.raises(ValidationError, match="no regular expression"):
            TextConfig(allowed=("(",))


class TestPlacement:
    def test_level_even_sharp_type_is_likelier_an_overlay_than_dull_tilted_print(self) -> None:
        reader = TextReader(640)
        over, printed = with_words("COLLECTION"), with_printed_words("COLLECTION")
        (laid, *_), (seen, *_) = reader.read(over), reader.read(printed)

        assert overlay_logit(cues_of(over, laid.corners, 0.5)) > 1 + overlay_logit(cues_of(printed, seen.corners, 0.5))

    def test_the_likelihood_rises_with_p_nc(self) -> None:
        low, high = (Cues(1.0, 1.0, 80.0, 0.0, 0.4, 0.3, logit) for logit in (-2.0, 2.0))

        assert overlay_logit(high) > overlay_logit(low)

    def test_a_line_of_one_colour_has_cues_all_the_same(self) -> None:
        corners = np.array([[10, 10], [60, 10], [60, 30], [10, 30]], np.float32)

        assert cues_of(np.full((100, 100, 3), 80, np.uint8), corners, 0.5).contrast == 0


class TestReading:
    def test_lines_are_read_with_their_boxes_from_top_to_bottom(self) -> None:
        first, second = TextReader(640).read(with_words("FREE SHIPPING", "ORDER TODAY"))

        assert (first.text, second.text) == ("FREE SHIPPING", "ORDER TODAY")
        assert first.box == pytest.approx((30, 26, 288, 38), abs=8)

    def test_a_picture_without_text_has_no_lines(self) -> None:
        assert TextReader(640).read(np.array(product_photo())) == ()

    def test_a_qr_code_is_read(self) -> None:
        code = cv2.QRCodeEncoder.create().encode("https://shop.example/x")
        pixels = np.array(product_photo())
        large = np.kron(code, np.ones((5, 5), np.uint8))
        side = len(large)
        pixels[10 : 10 + side, 10 : 10 + side] = large[..., None]

        (seen,) = machine_codes(pixels)

        assert (seen.kind, seen.text) == ("QR code", "https://shop.example/x")
        assert seen.box == pytest.approx((20, 20, side - 20, side - 20), abs=8)


class TestFindings:
    @pytest.mark.parametrize(
        ("line", "code"),
        [("FREE SHIPPING", "ATX101"), ("ONLY $34", "ATX102"), ("www.shop.com", "ATX103"), ("SOLD ON EBAY", "ATX104")],
    )
    def test_words_over_the_picture_are_found_by_what_they_say(self, line: str, code: str) -> None:
        assert code in codes(with_words(line))

    def test_a_finding_quotes_the_text_and_boxes_it(self) -> None:
        (finding,) = found(with_words("BIG SALE", at=(40, 30)))

        assert finding.message == '"BIG SALE", over the picture'
        assert finding.regions[0].box == pytest.approx((40, 36, 190, 40), abs=20)

    def test_lines_of_one_badge_are_read_together(self) -> None:
        assert "ATX103" in codes(with_words("CALL", "US"))

    def test_other_words_over_the_picture_are_a_warning(self) -> None:
        assert codes(with_words("MACHINE WASHABLE")) == ["ATX106"]

    def test_words_of_the_title_count_for_less(self) -> None:
        (plain,) = found(with_words("ALPINE PEAKS"))
        own = found(with_words("ALPINE PEAKS"), title="Alpine Peaks jacket")

        assert not own or own[0].score < plain.score

    def test_allowed_words_may_stand_anywhere(self) -> None:
        assert codes(with_words("BIG SALE"), allowed=("big sale",)) == []

    def test_print_on_the_product_is_no_overlay(self) -> None:
        assert codes(with_printed_words("NEW RECIPE"), 0.1) == []

    def test_a_picture_of_low_p_nc_is_not_read(self) -> None:
        context = KnownImage(0.01)
        image = replace(as_image(with_words("BIG SALE")), product_id="P1", id="a")

        assert list(TextChecker(TextConfig()).check_images([image], cast("Context", context))) == []
        assert context.lines == ()

    def test_reading_from_zero_reads_all(self) -> None:
        context = KnownImage(0.01)
        image = replace(as_image(with_words("BIG SALE")), product_id="P1", id="a")

        list(TextChecker(TextConfig(read_from=0)).check_images([image], cast("Context", context)))

        assert context.lines is not None
        assert [line.text for line in context.lines] == ["BIG SALE"]


class TestTextContract(ImageCheckerContract):
    plugins = (plugin,)
    component = "text"
    settings: ClassVar[Mapping[str, Any]] = {"read_from": 0}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_explains_itself_under_the_usual_headings(rule: Rule) -> None:
    assert all(f"## {heading}" in rule.page() for heading in PAGE_HEADINGS)


def test_the_announcement_loads_no_reader() -> None:
    assert_light_import("agpis_text.plugin")


def test_the_plugin_is_found_by_its_entry_point() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "agpis_sdk.cli", "plugins", "list", "--json"], capture_output=True, text=True, check=True
    )

    assert "agpis-text" in {entry["distribution"] for entry in json.loads(listed.stdout)}
