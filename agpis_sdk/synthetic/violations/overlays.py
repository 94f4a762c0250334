"""Things laid over the picture: text (AGP120), logos (AGP122), codes (AGP123), contacts (AGP125)."""

from __future__ import annotations

import cv2
import numpy as np

from agpis_sdk.synthetic.violations.banners import ANCHORS, CORNERS, anchored
from agpis_sdk.synthetic.violations.canvas import (
    BLACK,
    WHITE,
    centered,
    color,
    color_name,
    cut,
    fit_size,
    ground_under,
    ink_on,
    ink_over,
    over,
    paste,
    recolored,
    rotate,
    rounded,
    shadowed,
    shrink_to,
    solid,
    stack,
    text_patch,
)
from agpis_sdk.synthetic.violations.fonts import choose_font
from agpis_sdk.synthetic.violations.logos_and_barcodes import bars_patch, decorated, logo_patch, mark_patch, qr_patch
from agpis_sdk.synthetic.violations.phrases import CONTACT, PRICE, PROMOTION, words
from agpis_sdk.synthetic.violations.types import Box, Drawn, Maker, Patch, Pixels, Pool, Sampler


def _lay_text(pixels: Pixels, sampler: Sampler, text: str, box: Box, *, align: str = "left") -> Drawn:
    """Set a text straight on the picture, in an ink that reads there, about as large as the box in pixels."""
    x, y, wide, high = box
    font = choose_font(sampler, heavy=sampler.chance(0.5))
    size = fit_size(text, font, wide, high)
    ink, _ = ink_over(sampler, pixels, text_patch(text, font, size, BLACK, align=align), x, y)
    style = sampler.choice(("plain", "plain", "plain", "outline", "shadow", "plate"))
    stroke = max(1, size // 14) if style == "outline" else 0
    patch = text_patch(text, font, size, ink, stroke=stroke, edge=ink_on(sampler, ink), align=align)
    if style == "shadow":
        patch = shadowed(patch, max(1, size // 16), sampler.uniform(0, 2), ink_on(sampler, ink), 0.7)
    if style == "plate":
        room = max(4, size // 3)
        plate = solid(patch.shape[1] + 2 * room, patch.shape[0] + room, ink_on(sampler, ink), sampler.uniform(0.4, 0.9))
        patch = centered(plate, patch)
    if sampler.chance(0.12):
        patch = rotate(patch, sampler.uniform(-18, 18))
    height, width = pixels.shape[:2]
    patch = shrink_to(patch, width, height)
    x, y = max(0, min(x, width - patch.shape[1])), max(0, min(y, height - patch.shape[0]))
    out, ink_box = paste(pixels, patch, x, y, 1.0 if sampler.chance(0.85) else sampler.uniform(0.75, 1))
    return Drawn(out, ink_box, f"{color_name(ink)} text '{text.splitlines()[0]}'")


def _spot(pixels: Pixels, sampler: Sampler, wide: float, high: float, spots: tuple[str, ...] = ANCHORS) -> Box:
    """Choose a room of those shares of the picture for a text: a box in pixels."""
    size = (max(8, int(pixels.shape[1] * wide)), max(8, int(pixels.shape[0] * high)))
    room = np.zeros((size[1], size[0], 4), np.uint8)
    return (*anchored(sampler, pixels, room, spots, 0.08), *size)


def _slogan(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Set one line of words."""
    box = _spot(pixels, sampler, sampler.by_severity(0.3, 0.85), sampler.by_severity(0.05, 0.14))
    return _lay_text(pixels, sampler, words(sampler, PROMOTION), box)


def _paragraph(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Set a few lines of words, sometimes as a list."""
    point = sampler.choice(("", "", "• ", "- ", "+ "))
    lines = [point + words(sampler, PROMOTION) for _ in range(sampler.integer(2, 5))]
    box = _spot(pixels, sampler, sampler.by_severity(0.28, 0.6), sampler.by_severity(0.14, 0.4))
    return _lay_text(pixels, sampler, "\n".join(lines), box, align=sampler.choice(("left", "center", "right")))


def _headline(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Set a few large words over the middle."""
    text = words(sampler, PROMOTION).replace(" ", "\n", sampler.integer(0, 2))
    box = _spot(
        pixels, sampler, sampler.by_severity(0.4, 0.9), sampler.by_severity(0.15, 0.4), ("center", "top", "bottom")
    )
    return _lay_text(pixels, sampler, text, box, align="center")


def _number_and_words(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Set a large figure over a small line."""
    box = _spot(pixels, sampler, sampler.by_severity(0.25, 0.5), sampler.by_severity(0.1, 0.2))
    first = _lay_text(pixels, sampler, str(sampler.integer(1, 99)) + sampler.choice(("%", "x", " h", "+")), box)
    x, y, wide, high = first.box or box
    below = (x, min(y + high + 4, pixels.shape[0] - 14), max(wide, pixels.shape[1] // 4), max(14, high // 3))
    second = _lay_text(first.pixels, sampler, words(sampler, PROMOTION), below)
    return Drawn(second.pixels, _union((x, y, wide, high), second.box), second.thing)


def _upright(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Set a line that runs up or down a side."""
    turned = np.ascontiguousarray(np.rot90(pixels))
    box = _spot(turned, sampler, sampler.by_severity(0.4, 0.85), sampler.by_severity(0.06, 0.13), ("top", "bottom"))
    drawn = _lay_text(turned, sampler, words(sampler, PROMOTION), box)
    x, y, wide, high = drawn.box or box
    width = pixels.shape[1]
    return Drawn(np.ascontiguousarray(np.rot90(drawn.pixels, -1)), (width - y - high, x, high, wide), drawn.thing)


def _callouts(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Point at the product with two or three lines of words."""
    height, width = pixels.shape[:2]
    out, union = pixels, None
    for spot in sampler.rng.permutation(["left", "right", *CORNERS])[: sampler.integer(2, 3)]:
        box = _spot(out, sampler, sampler.by_severity(0.3, 0.45), sampler.by_severity(0.06, 0.11), (str(spot),))
        drawn = _lay_text(out, sampler, words(sampler, PROMOTION), box)
        x, y, wide, high = drawn.box or box
        start = (x + wide if x < width / 2 else x, y + high // 2)
        end = (int(width * sampler.uniform(0.35, 0.65)), int(height * sampler.uniform(0.35, 0.65)))
        ink = ink_on(sampler, ground_under(out, *end, 20, 20))
        out = drawn.pixels.copy()
        cv2.line(out, start, end, ink, max(1, width // 250), cv2.LINE_AA)
        cv2.circle(out, end, max(2, width // 120), ink, -1, cv2.LINE_AA)
        union = _union(_union((x, y, wide, high), union), (min(start[0], end[0]), min(start[1], end[1]),
                       abs(start[0] - end[0]), abs(start[1] - end[1])))  # fmt: skip
    return Drawn(out, union, "callout texts with lines")


def _union(first: Box, second: Box | None) -> Box:
    if second is None:
        return first
    left, top = min(first[0], second[0]), min(first[1], second[1])
    right, bottom = max(first[0] + first[2], second[0] + second[2]), max(first[1] + first[3], second[1] + second[3])
    return left, top, right - left, bottom - top


TEXT_LAYOUTS: Pool[Maker] = {
    "train": (_slogan, _paragraph, _headline),
    "test": (_number_and_words, _upright, _callouts),
}


def promotional_text(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Lay words straight over the picture; severity sets their size."""
    return sampler.from_pool(TEXT_LAYOUTS)(pixels, sampler)


def _bare_logo(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Lay a logo straight on the picture."""
    height, width = pixels.shape[:2]
    first = ink_on(sampler, ground_under(pixels, 0, 0, width, height), gap=60)
    patch = logo_patch(sampler, int(min(height, width) * sampler.by_severity(0.1, 0.24)), first, color(sampler))
    patch = decorated(sampler, shrink_to(patch, int(width * 0.7), int(height * 0.5)))
    x, y = anchored(sampler, pixels, patch, (*CORNERS, *CORNERS, *ANCHORS))
    patch = _readable(sampler, pixels, patch, x, y)
    out, box = paste(pixels, patch, x, y)
    return Drawn(out, box, f"{color_name(first)} logo")


def _readable(sampler: Sampler, pixels: Pixels, patch: Patch, x: int, y: int) -> Patch:
    """Repaint a logo in one ink where its own colors would vanish in the picture."""
    region = pixels[y : y + patch.shape[0], x : x + patch.shape[1]].astype(np.int16)
    part = patch[: region.shape[0], : region.shape[1]]
    ink = part[..., 3] > 128
    apart = np.abs(part[..., :3][ink].astype(np.int16) - region[ink]).mean() if ink.any() else 0
    return patch if apart > 55 else recolored(patch, ink_over(sampler, pixels, patch, x, y)[0])


def _plated_logo(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Lay a logo on a plate of its own color."""
    height, width = pixels.shape[:2]
    ground = color(sampler)
    patch = logo_patch(
        sampler,
        int(min(height, width) * sampler.by_severity(0.08, 0.2)),
        ink_on(sampler, ground),
        ink_on(sampler, ground),
    )
    patch = shrink_to(patch, int(width * 0.6), int(height * 0.5))
    room = max(4, patch.shape[0] // 4)
    wide, high = patch.shape[1] + 2 * room, patch.shape[0] + 2 * room
    plate = cut(solid(wide, high, ground), rounded(wide, high, sampler.choice((0.02, 0.2, 0.5))))
    patch = shrink_to(centered(plate, patch), width, height)
    x, y = anchored(sampler, pixels, patch)
    out, box = paste(pixels, patch, x, y)
    return Drawn(out, box, f"logo on a {color_name(ground)} plate")


LOGO_LAYOUTS: Pool[Maker] = {"train": (_bare_logo,), "test": (_plated_logo,)}


def logo_overlay(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Lay an opaque made-up logo over the picture; severity sets its size."""
    return sampler.from_pool(LOGO_LAYOUTS)(pixels, sampler)


def _plain_code(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Lay a QR code or a Code 39 on white over the picture."""
    short = min(pixels.shape[:2])
    if sampler.chance(0.6):
        patch, thing = qr_patch(sampler, int(short * sampler.by_severity(0.18, 0.4)), BLACK), "QR code"
    else:
        patch, thing = bars_patch(sampler, int(short * sampler.by_severity(0.3, 0.6)), ean=False), "bar code"
    patch = rotate(patch, sampler.uniform(-12, 12) if sampler.chance(0.15) else 0)
    x, y = anchored(sampler, pixels, patch, (*CORNERS, *ANCHORS))
    out, box = paste(pixels, patch, x, y)
    return Drawn(out, box, thing)


def _captioned_code(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Lay an EAN code, or a colored QR code with a caption on a card, over the picture."""
    short = min(pixels.shape[:2])
    if sampler.chance(0.4):
        patch, thing = bars_patch(sampler, int(short * sampler.by_severity(0.3, 0.6)), ean=True), "EAN bar code"
    else:
        ink = sampler.choice((BLACK, (10, 40, 110), (110, 10, 30), (0, 80, 50)))
        code = qr_patch(sampler, int(short * sampler.by_severity(0.18, 0.38)), ink)
        text, font = words(sampler, sampler.choice((CONTACT, PRICE))).replace("\n", " "), choose_font(sampler)
        caption = text_patch(text, font, fit_size(text, font, code.shape[1], code.shape[0] * 0.16), ink)
        inside = stack([code, caption], 4, upright=True)
        wide, high = inside.shape[1] + 16, inside.shape[0] + 16
        patch, thing = (
            centered(cut(solid(wide, high, WHITE), rounded(wide, high, 0.08)), inside),
            "QR code with caption",
        )
    x, y = anchored(sampler, pixels, patch)
    out, box = paste(pixels, patch, x, y)
    return Drawn(out, box, thing)


CODE_LAYOUTS: Pool[Maker] = {"train": (_plain_code,), "test": (_captioned_code,)}


def qr_or_barcode(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Lay a QR code or bar code over the picture; severity sets its size."""
    return sampler.from_pool(CODE_LAYOUTS)(pixels, sampler)


def _contact_line(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Set an address, number or handle straight on the picture."""
    spots = ("bottom", "bottom", "top", *CORNERS, "center")
    box = _spot(pixels, sampler, sampler.by_severity(0.3, 0.8), sampler.by_severity(0.05, 0.13), spots)
    return _lay_text(pixels, sampler, words(sampler, CONTACT), box)


def _contact_card(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Set contact lines beside a sign on a rounded card."""
    height, width = pixels.shape[:2]
    ground = color(sampler)
    text, font = "\n".join(words(sampler, CONTACT) for _ in range(sampler.integer(1, 2))), choose_font(sampler)
    wide, high = width * sampler.by_severity(0.3, 0.75), height * sampler.by_severity(0.05, 0.14)
    letters = text_patch(text, font, fit_size(text, font, wide, high), ink_on(sampler, ground), align="left")
    sign = mark_patch(sampler, max(10, letters.shape[0]), ink_on(sampler, ground), ink_on(sampler, ground))
    inside = stack([sign, letters], max(4, sign.shape[0] // 4), upright=False)
    room = max(5, inside.shape[0] // 3)
    size = (inside.shape[1] + 2 * room, inside.shape[0] + 2 * room)
    card = cut(solid(*size, ground), rounded(*size, sampler.choice((0.1, 0.5))))
    patch = shrink_to(over(card, inside, room, room), int(width * 0.96), height)
    x, y = anchored(sampler, pixels, patch)
    out, box = paste(pixels, patch, x, y)
    return Drawn(out, box, f"{color_name(ground)} card with contact details")


CONTACT_LAYOUTS: Pool[Maker] = {"train": (_contact_line,), "test": (_contact_card,)}


def contact_information(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Lay a phone number, address or handle over the picture; severity sets its size."""
    return sampler.from_pool(CONTACT_LAYOUTS)(pixels, sampler)
