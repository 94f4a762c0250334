"""Pictures with a chosen fault, and one rule checked on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agpis_sdk.errors import ConfigError, ImageReadError, UnknownNameError
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.testing import FAULTS, check, image_bytes, make_image, make_product
from agpis_sdk.testing.hosts import isolated_host
from tests.testing.odd_checkers import PLUGIN

DETECTOR = {rule.code: next(iter(isolated_host().finders(rule.code)), "engine") for rule in shipped_rules()}
MEASURED = [name for name, fault in FAULTS.items() if DETECTOR.get(fault.rule) == "image-quality"]
# The model knows photos: of the drawn pictures it recognizes these.
RECOGNIZED = ("collage", "price", "watermark")


class TestAPicture:
    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("fault", MEASURED)
    def test_breaks_the_rule_that_its_fault_names_and_the_plain_one_does_not(self, fault: str, seed: int) -> None:
        rule = FAULTS[fault].rule

        assert check(rule, make_image(fault, seed=seed)).verdict == "fail"
        assert check(rule, make_image("plain", seed=seed)).verdict == "pass"

    @pytest.mark.slow
    @pytest.mark.parametrize("fault", RECOGNIZED)
    def test_breaks_the_rule_of_the_learned_checker(self, fault: str) -> None:
        assert check(FAULTS[fault].rule, make_image(fault)).verdict == "fail"
        assert check(FAULTS[fault].rule, make_image("plain")).verdict == "pass"

    @pytest.mark.parametrize("fault", FAULTS)
    def test_is_the_same_whenever_it_is_drawn(self, fault: str) -> None:
        assert image_bytes(fault) == image_bytes(fault)

    def test_shows_another_product_under_another_seed(self) -> None:
        assert image_bytes(seed=1) != image_bytes(seed=0)

    def test_has_the_size_that_is_asked_for(self) -> None:
        image = make_image("plain", size=(300, 200))

        assert (image.original_width, image.original_height) == (300, 200)

    def test_of_an_unknown_fault_suggests_the_nearest(self) -> None:
        with pytest.raises(UnknownNameError, match=r'blurr: no such fault .did you mean "blur"'):
            make_image("blurr")

    def test_that_is_unreadable_cannot_be_decoded(self) -> None:
        with pytest.raises(ImageReadError):
            make_image("unreadable")


def test_a_product_lists_its_pictures_as_files(tmp_path: Path) -> None:
    product = make_product(tmp_path, "plain", "blur", "plain", title="Bag")

    assert [image.id for image in product.images] == ["plain", "blur", "plain-3"]
    assert all(Path(image.uri).is_file() for image in product.images)
    assert product.title == "Bag"


class TestCheck:
    def test_says_what_was_measured(self) -> None:
        result = check("low-resolution", make_image("tiny"))

        assert (result.verdict, result.rule.code) == ("fail", "AGP101")
        assert result.findings[0].message.startswith("96 x 96 pixels")
        assert str(result) == "AGP101 low-resolution: fail (score 1.00, reported from 0.5)"

    def test_takes_the_settings_of_the_component(self) -> None:
        image = make_image("plain", size=(300, 300))

        assert check("AGP101", image).verdict == "pass"
        assert check("AGP101", image, config={"min_side": 500}).verdict == "fail"
        with pytest.raises(ConfigError, match=r'unknown key .did you mean "min_side"'):
            check("AGP101", image, config={"min_sde": 500})

    def test_takes_a_threshold(self) -> None:
        def judged(**fields: float) -> str:
            return check("ODD101", make_image("dark"), component="faithful", plugins=[PLUGIN], **fields).verdict

        assert judged() == "pass"
        assert judged(threshold=0.01) == "fail"

    def test_takes_pixels_bytes_and_paths_as_well(self, tmp_path: Path) -> None:
        path = tmp_path / "tiny.png"
        path.write_bytes(image_bytes("tiny"))

        for subject in (np.asarray(make_image("tiny").pixels), path.read_bytes(), path):
            assert check("AGP101", subject).verdict == "fail"

    def test_takes_two_pictures_for_a_pair_rule(self) -> None:
        assert check("exact-copy", [make_image(), make_image()]).verdict == "fail"
        assert check("exact-copy", [make_image(), make_image("gray")]).verdict == "pass"

    def test_skips_what_cannot_be_read_and_says_so(self) -> None:
        result = check("AGP101", image_bytes("unreadable"))

        assert (result.verdict, result.findings) == ("skip", ())
        assert result.reason.startswith("unreadable: is damaged")

    def test_refuses_a_wrong_number_of_pictures(self) -> None:
        with pytest.raises(ConfigError, match="AGP202 exact-copy: is about two pictures, got 1"):
            check("AGP202", make_image())

    def test_asks_which_of_several_checkers_is_meant(self) -> None:
        with pytest.raises(ConfigError, match=r"ODD101 odd-picture: is found by .*faithful.* \(say which: component="):
            check("ODD101", make_image(), plugins=[PLUGIN])

    def test_an_unknown_rule_suggests_the_nearest(self) -> None:
        with pytest.raises(UnknownNameError, match='did you mean "banner"'):
            check("baner", make_image())
