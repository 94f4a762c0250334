"""Injected violations: what each kind promises about its pixels, its box and its splits."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args

import cv2
import numpy as np
import pytest

from agpis_sdk.errors import ConfigError, UnknownNameError
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.synthetic import pairs
from agpis_sdk.synthetic.violations import KINDS, Split, Violation, fonts, hard_negative, inject
from agpis_sdk.synthetic.violations.logos_and_barcodes import barcode_modules
from agpis_sdk.synthetic.violations.photometric import jpeg
from agpis_sdk.synthetic.violations.registry import POOLS
from agpis_sdk.synthetic.violations.types import Pixels

SPLITS: tuple[Split, ...] = get_args(Split)
BOXED = ("banner", "promotional-text", "logo-overlay", "qr-or-barcode", "price-badge", "contact-information")
RESIZING = ("low-resolution", "extreme-aspect", "cropped")


def photo(width: int = 320, height: int = 280) -> Pixels:
    """A blue bottle with a shaded side on white, slightly left of the middle."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    left, right = int(width * 0.32), int(width * 0.62)
    shade = np.linspace(0.6, 1.0, right - left)[None, :, None]
    pixels[int(height * 0.25) : int(height * 0.85), left:right] = (np.array((60, 110, 200)) * shade).astype(np.uint8)
    cv2.circle(pixels, ((left + right) // 2, height // 2), height // 12, (240, 200, 40), -1)
    return pixels


def drawn(kind: str, seed: int = 0, split: Split = "train", severity: float | None = None) -> Violation:
    return inject(kind, photo(), np.random.default_rng(seed), split=split, severity=severity)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_bytes(kind: str, split: Split) -> None:
    first, second = drawn(kind, 7, split), drawn(kind, 7, split)

    assert first.pixels.tobytes() == second.pixels.tobytes()
    assert (first.box, first.place, first.thing) == (second.box, second.place, second.thing)


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_gives_another_picture(kind: str) -> None:
    pictures = {drawn(kind, seed).pixels.tobytes() for seed in range(6)}

    assert len(pictures) > 1


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_photo_given_is_not_changed(kind: str, split: Split) -> None:
    pixels = photo()
    before = pixels.copy()

    for seed in range(4):
        inject(kind, pixels, np.random.default_rng(seed), split=split)

    assert np.array_equal(pixels, before)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_result_is_an_rgb_picture_that_differs_from_the_photo(kind: str, split: Split) -> None:
    for seed in range(8):
        found = drawn(kind, seed, split)

        assert found.pixels.dtype == np.uint8
        assert found.pixels.ndim == 3
        assert found.pixels.shape[2] == 3
        assert found.pixels.shape != photo().shape or not np.array_equal(found.pixels, photo())


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_box_lies_inside_the_new_picture(kind: str, split: Split) -> None:
    for seed in range(12):
        found = drawn(kind, seed, split)
        if found.box is None:
            continue
        x, y, width, height = found.box

        assert 0 <= x < x + width <= found.pixels.shape[1]
        assert 0 <= y < y + height <= found.pixels.shape[0]


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("kind", BOXED)
def test_an_overlay_is_plain_to_see_inside_its_box_even_when_mild(kind: str, split: Split) -> None:
    for seed in range(12):
        found = drawn(kind, seed, split, severity=0.0)
        assert found.box is not None
        x, y, width, height = found.box
        change = cv2.absdiff(found.pixels, photo())[y : y + height, x : x + width].max(axis=2)

        assert (change > 40).mean() > 0.02
        assert width * height > 0.002 * photo().shape[0] * photo().shape[1]


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("kind", BOXED)
def test_an_overlay_leaves_the_picture_around_its_box_alone(kind: str, split: Split) -> None:
    for seed in range(12):
        found = drawn(kind, seed, split)
        assert found.box is not None
        x, y, width, height = found.box
        change = cv2.absdiff(found.pixels, photo())
        change[max(0, y - 24) : y + height + 24, max(0, x - 24) : x + width + 24] = 0  # faint ends of shadows

        assert change.max() == 0


@pytest.mark.parametrize("split", SPLITS)
def test_a_watermark_shows_the_picture_through(split: Split) -> None:
    for seed in range(20):
        found = drawn("watermark", seed, split)
        change = cv2.absdiff(found.pixels, photo()).max(axis=2)

        assert 8 <= change.max() <= 0.86 * 255
        assert (change > 6).any()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in RESIZING])
def test_a_kind_draws_into_small_and_into_long_pictures(kind: str) -> None:
    for width, height in ((48, 48), (400, 90), (90, 400)):
        found = inject(kind, photo(width, height), np.random.default_rng(1), split="train")

        assert min(found.pixels.shape[:2]) >= 40


@pytest.mark.parametrize("name", POOLS)
def test_train_and_test_share_no_material(name: str) -> None:
    pool = POOLS[name]

    assert set(pool["train"])
    assert set(pool["test"])
    assert not set(pool["train"]) & set(pool["test"])


def test_train_and_test_share_no_font_family() -> None:
    train, test = ({name.split("/")[0] for name in fonts.FONTS[split]} for split in SPLITS)

    assert not train & test


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_carries_the_code_of_a_rule(kind: str) -> None:
    assert drawn(kind).code in {rule.code for rule in shipped_rules()}


def test_a_banner_at_the_bottom_is_said_to_be_at_the_bottom() -> None:
    places = {}
    for seed in range(40):
        found = drawn("banner", seed)
        assert found.box is not None
        if found.box[1] > 0.7 * found.pixels.shape[0]:
            places[seed] = found.place

    assert places
    assert all("bottom" in place for place in places.values())


def test_low_resolution_has_fewer_than_200_pixels_a_side() -> None:
    assert max(drawn("low-resolution", severity=0.0).pixels.shape[:2]) < 200


def test_extreme_aspect_is_at_least_about_three_to_one() -> None:
    for seed in range(10):
        height, width = drawn("extreme-aspect", seed, severity=0.2).pixels.shape[:2]

        assert max(height / width, width / height) > 2.8


def test_too_small_leaves_the_product_at_most_about_a_third_of_the_frame() -> None:
    found = drawn("too-small", severity=0.0)

    assert found.box is not None
    assert max(found.box[2] / found.pixels.shape[1], found.box[3] / found.pixels.shape[0]) < 0.37


def test_a_blurred_picture_has_softer_edges_at_224_pixels() -> None:
    def sharpness(pixels: Pixels) -> float:
        return float(cv2.Laplacian(cv2.cvtColor(cv2.resize(pixels, (224, 224)), cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())

    for seed in range(8):
        assert sharpness(drawn("blur", seed, severity=0.0).pixels) < 0.5 * sharpness(photo())


def test_a_collage_shows_the_other_photo() -> None:
    other = np.full((100, 100, 3), (10, 250, 10), np.uint8)

    found = inject("collage", photo(), np.random.default_rng(0), split="train", others=[other])

    assert (np.abs(found.pixels.astype(int) - (10, 250, 10)).max(axis=2) < 12).mean() > 0.02


def test_a_qr_code_can_be_read() -> None:
    texts = [
        cv2.QRCodeDetector().detectAndDecode(drawn("qr-or-barcode", seed, severity=1.0).pixels)[0] for seed in range(12)
    ]

    assert any(text.startswith("https://") for text in texts)


@pytest.mark.parametrize(
    ("digits", "ean", "modules"),
    [
        (
            "400638133393",
            True,
            "10100011010100111010111101111010001001011001101010100001010000101000010111010010000101100110101",
        ),
        ("12", False, "100010111011101011101000101011101011100010101110100010111011101"),
    ],
)
def test_a_barcode_is_that_of_its_digits(digits: str, ean: bool, modules: str) -> None:
    found = "".join("1" if bar else "0" for bar in barcode_modules(digits, ean=ean))

    assert found == modules


@pytest.mark.parametrize("split", SPLITS)
def test_a_hard_negative_is_seeded_and_leaves_the_photo_alone(split: Split) -> None:
    pixels = photo()
    before = pixels.copy()

    for seed in range(20):
        first, why = hard_negative(pixels, np.random.default_rng(seed), split=split)
        second, _ = hard_negative(pixels, np.random.default_rng(seed), split=split)

        assert why
        assert first.tobytes() == second.tobytes()
    assert np.array_equal(pixels, before)


def test_lettering_of_a_hard_negative_stays_on_the_product() -> None:
    printed = 0
    for seed in range(40):
        pixels, why = hard_negative(photo(), np.random.default_rng(seed), split="train")
        if "printed" in why:
            printed += 1
            ground = (photo() == 255).all(axis=2)
            assert cv2.absdiff(pixels, photo())[ground].max() == 0

    assert printed


def test_an_unknown_kind_is_refused_by_name() -> None:
    with pytest.raises(UnknownNameError, match="sticker"):
        inject("sticker", photo(), np.random.default_rng(0), split="train")


@pytest.mark.parametrize(
    "pixels", [np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3), np.float32), np.zeros((8, 64, 3), np.uint8)]
)
def test_what_is_no_rgb_picture_of_a_fair_size_is_refused(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="pixels must be"):
        inject("banner", pixels, np.random.default_rng(0), split="train")


def test_a_missing_font_package_names_the_extra() -> None:
    with pytest.raises(ConfigError, match=r"agpis-sdk\[synthetic\]"):
        fonts.load_font("font_that_is_nowhere/None.ttf", 20)


def test_importing_the_package_loads_no_torch() -> None:
    code = "import sys, agpis_sdk.synthetic.violations; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_jpeg_round_trip_keeps_the_channels_in_their_order() -> None:
    red = np.full((16, 16, 3), (200, 30, 30), np.uint8)

    saved = jpeg(red, 90)

    expected = cv2.cvtColor(
        cv2.imdecode(
            cv2.imencode(".jpg", cv2.cvtColor(red, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])[1],
            cv2.IMREAD_COLOR,
        ),
        cv2.COLOR_BGR2RGB,
    )
    assert np.array_equal(saved, expected)


@pytest.mark.parametrize("way", [pairs.CHANGES["JPEG quality 30"]])
def test_pairs_are_saved_again_as_a_real_jpeg_is(way) -> None:
    pixels = photo()

    assert np.array_equal(way(pixels, None), jpeg(pixels, 30))
