"""A fixed copy is mended by crops and white alone, upright, in sRGB, and of a format that every shop takes."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from agpis_sdk.builtin.fixers.config import CropToProductConfig
from agpis_sdk.builtin.fixers.fixers import CropBorder, CropToProduct, PadToSquare
from agpis_sdk.components import ComponentConfig, FixablePicture, Fixer
from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ComponentError, ImageReadError
from agpis_sdk.records import Box, Finding, Region
from agpis_sdk.remedies.fixing import FixedCopy, FixOptions, NamedFixer, fixed_copy

NONE = ComponentConfig()
PINK, GRAY = (240, 60, 130), (120, 120, 120)


def picture(width: int, height: int, color: tuple[int, int, int] = GRAY) -> Image.Image:
    return Image.new("RGB", (width, height), color)


def file_of(image: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def found(code: str, box: Box | None = None) -> Finding:
    regions = (Region(image="a", box=box),) if box else ()
    return Finding(code=code, images=("a",), score=1, message="", regions=regions)


def fixed(
    data: bytes,
    *findings: Finding,
    uri: str = "a.png",
    fixers: Sequence[NamedFixer] = (),
    options: FixOptions | None = None,
) -> FixedCopy | None:
    return fixed_copy(data, uri, findings, fixers, MediaSection(), options or FixOptions())


def opened(copy: FixedCopy | None) -> Image.Image:
    assert copy is not None
    return Image.open(io.BytesIO(copy.data))


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sound_file_without_findings_is_left_alone() -> None:
    assert fixed(file_of(picture(300, 200))) is None


def test_a_photo_that_lies_on_its_side_is_turned() -> None:
    exif = Image.Exif()
    exif[274] = 6
    copy = fixed(file_of(picture(300, 200), "JPEG", exif=exif), uri="a.jpg")
    assert opened(copy).size == (200, 300)
    assert not opened(copy).getexif()


def test_a_print_file_becomes_srgb() -> None:
    copy = fixed(file_of(picture(300, 200).convert("CMYK"), "JPEG"), uri="a.jpg")
    assert opened(copy).mode == "RGB"
    assert copy is not None
    assert copy.changes == ("converted from CMYK to sRGB",)


def test_a_profile_of_its_own_is_converted_and_left_behind() -> None:
    linear = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    copy = fixed(file_of(picture(300, 200), "TIFF", icc_profile=linear), uri="a.tif")
    assert "icc_profile" not in opened(copy).info


@pytest.mark.parametrize("file_format", ["TIFF", "BMP", "GIF"])
def test_a_format_that_not_every_shop_takes_becomes_jpeg(file_format: str) -> None:
    copy = fixed(file_of(picture(300, 200), file_format), uri="")
    assert (opened(copy).format, copy.suffix if copy else "") == ("JPEG", ".jpg")


def test_a_file_of_another_format_than_its_name_says_is_named_rightly() -> None:
    copy = fixed(file_of(picture(300, 200)), uri="a.jpg")
    assert copy is not None
    assert (copy.suffix, copy.changes) == (".png", ("named .png, which it is",))


def test_every_image_can_be_had_in_one_format() -> None:
    assert opened(fixed(file_of(picture(300, 200)), options=FixOptions("WEBP"))).format == "WEBP"


@pytest.mark.parametrize(("limit", "size"), [(150, (150, 100)), (None, None), (300, None), (4000, None)])
def test_an_image_is_scaled_down_and_never_up(limit: int | None, size: tuple[int, int] | None) -> None:
    copy = fixed(file_of(picture(300, 200)), options=FixOptions(longest_side=limit))
    assert (opened(copy).size if copy else None) == size


def test_a_damaged_file_is_refused() -> None:
    with pytest.raises(ImageReadError):
        fixed(file_of(picture(300, 200), "JPEG")[:300], uri="a.jpg")


# ── Fixers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def named(fixer: Fixer, *codes: str) -> tuple[NamedFixer, ...]:
    return (NamedFixer("mender", codes, fixer),)


def test_a_border_is_cropped_to_its_last_row() -> None:
    framed = picture(400, 300, PINK)
    framed.paste(picture(350, 250), (25, 25))
    roughly = (23, 23, 354, 254)  # as a measure on a small copy would find it
    copy = fixed(file_of(framed), found("AGP111", roughly), fixers=named(CropBorder(NONE), "AGP111"))
    assert opened(copy).size == (350, 250)
    assert (np.asarray(opened(copy)) == GRAY).all()


def test_what_is_most_of_the_picture_is_no_border() -> None:
    assert (
        CropBorder(NONE).fix(FixablePicture(np.asarray(picture(400, 300))), found("AGP111", (150, 100, 100, 100)))
        is None
    )


def test_the_product_is_in_the_middle_of_a_closer_crop_of_the_same_shape() -> None:
    around = FixablePicture(np.asarray(picture(2000, 2000)))
    mended = CropToProduct(CropToProductConfig(fill=0.8)).fix(around, found("AGP116", (900, 300, 400, 400)))
    assert mended is not None
    assert (mended.width, mended.height) == (500, 500)
    assert (mended.left + 250, mended.top + 250) == (1100, 500)


def test_no_crop_becomes_too_small() -> None:
    around = FixablePicture(np.asarray(picture(2000, 2000)))
    assert CropToProduct(CropToProductConfig(min_side=600)).fix(around, found("AGP116", (900, 300, 400, 400))) is None


@given(
    size=st.tuples(st.integers(600, 2000), st.integers(600, 2000)),
    share=st.tuples(*[st.floats(0.05, 0.9)] * 2),
    corner=st.tuples(*[st.floats(0, 1)] * 2),
)
def test_a_crop_holds_the_whole_product_wherever_it_is(
    size: tuple[int, int], share: tuple[float, float], corner: tuple[float, float]
) -> None:
    width, height = round(size[0] * share[0]), round(size[1] * share[1])
    left, top = round((size[0] - width) * corner[0]), round((size[1] - height) * corner[1])
    whole = FixablePicture(np.zeros((size[1], size[0], 3), np.uint8))
    mended = CropToProduct(CropToProductConfig()).fix(whole, found("AGP118", (left, top, width, height)))
    if mended is not None:
        assert mended.left <= left + 1
        assert mended.top <= top + 1
        assert mended.left + mended.width >= left + width - 1
        assert mended.top + mended.height >= top + height - 1


def test_padding_is_white_and_keeps_every_pixel() -> None:
    copy = fixed(file_of(picture(400, 100)), found("AGP102"), fixers=named(PadToSquare(NONE), "AGP102"))
    square = np.asarray(opened(copy))
    assert square.shape == (400, 400, 3)
    assert (square[150:250] == GRAY).all()
    assert (square[:150] == 255).all()
    assert (square[250:] == 255).all()


def test_a_box_still_fits_after_another_crop() -> None:
    whole = FixablePicture(np.arange(10 * 10 * 3, dtype=np.uint8).reshape(10, 10, 3))
    twice = whole.cropped((2, 2, 8, 8)).cropped((4, 4, 3, 3))
    assert (twice.pixels == whole.pixels[4:7, 4:7]).all()


def test_a_fixer_is_asked_about_its_own_rules_alone() -> None:
    assert fixed(file_of(picture(400, 100)), found("AGP116"), fixers=named(PadToSquare(NONE), "AGP102")) is None


def test_a_fixer_that_fails_is_named() -> None:
    class Broken:
        def fix(self, picture: FixablePicture, finding: Finding) -> FixablePicture | None:
            raise RuntimeError("no")

    with pytest.raises(ComponentError, match="mender"):
        fixed(file_of(picture(400, 100)), found("AGP102"), fixers=named(Broken(), "AGP102"))
