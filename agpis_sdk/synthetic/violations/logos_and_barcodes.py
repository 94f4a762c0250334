"""Made-up logo marks, QR codes and bar codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
from barcode.codex import Code39
from barcode.ean import EAN13
from numpy.typing import NDArray

from agpis_sdk.synthetic.violations.canvas import (
    BLACK,
    WHITE,
    Points,
    centered,
    circle,
    fit_size,
    mask_of,
    rotate,
    rounded,
    shadowed,
    shrink_to,
    solid,
    stack,
    text_patch,
)
from agpis_sdk.synthetic.violations.fonts import choose_font
from agpis_sdk.synthetic.violations.phrases import STEM
from agpis_sdk.synthetic.violations.types import Color, Hand, Patch, Pool

Shape: TypeAlias = tuple[Points, int]
"""A polygon and its ink: 0 the first color, 1 the second, -1 cut out."""
Mark: TypeAlias = Callable[[Hand], list[Shape]]


def _points(*corners: tuple[float, float]) -> Points:
    return np.asarray(corners, np.float64)


def _turned(points: Points, degrees: float) -> Points:
    angle = np.radians(degrees)
    matrix = np.array(((np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))))
    return np.asarray((points - 0.5) @ matrix + 0.5)


def petals(hand: Hand) -> list[Shape]:
    """Draw ellipses around a middle."""
    count, wide = hand.whole(4, 9), hand.between(0.08, 0.16)
    leaf = (circle() - 0.5) * (2 * wide, 0.46) + (0.5, 0.25)
    return [(_turned(leaf, 360 * step / count), step % 2) for step in range(count)]


def nested(hand: Hand) -> list[Shape]:
    """Draw polygons inside each other."""
    corners = hand.pick((3, 4, 5, 6, 8))
    radii = (0.5, hand.between(0.33, 0.42), hand.between(0.15, 0.28))
    return [
        (_turned(circle(corners, radius), 12 * turn), ink)
        for turn, (radius, ink) in enumerate(zip(radii, (0, -1, 1), strict=True))
    ]


def crescent(hand: Hand) -> list[Shape]:
    """Draw a swoosh: a disc with another cut out of it."""
    shift = hand.between(0.1, 0.22)
    disc = circle(radius=hand.between(0.34, 0.42), center=(0.5 + shift, 0.5 - shift / 2))
    turn = hand.between(0, 360)
    return [(circle(), 0), (_turned(disc, turn), -1), (_turned(circle(radius=0.1, center=(0.6, 0.45)), turn), 1)]


def arcs(hand: Hand) -> list[Shape]:
    """Draw waves sent out from a corner."""
    out: list[Shape] = []
    center = (hand.between(0.1, 0.5), 0.9)
    for step in range(hand.whole(2, 4)):
        out += [
            (circle(radius=0.8 - 0.2 * step, center=center), step % 2),
            (circle(radius=0.7 - 0.2 * step, center=center), -1),
        ]
    return [*out, (circle(radius=0.1, center=center), 0)]


def mountains(hand: Hand) -> list[Shape]:
    """Draw peaks in front of a sun."""
    peak, low = hand.between(0.3, 0.45), hand.between(0.3, 0.5)
    return [
        (circle(radius=0.16, center=(0.75, 0.25)), 1),
        (_points((0.0, 0.9), (peak, 0.15), (2 * peak, 0.9)), 0),
        (_points((0.35, 0.9), (0.72, low), (1.0, 0.9)), 1),
    ]


def blob(hand: Hand) -> list[Shape]:
    """Draw a soft free form with a hole."""
    turn = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    radius = 0.36 + sum(hand.between(-0.07, 0.07) * np.cos(k * turn + hand.between(0, 6)) for k in (2, 3, 4))
    form = np.stack((0.5 + radius * np.cos(turn), 0.5 + radius * np.sin(turn)), axis=1)
    return [(np.clip(form, 0, 1), 0), (circle(radius=hand.between(0.08, 0.18)), hand.pick((-1, 1)))]


def overlapping(hand: Hand) -> list[Shape]:
    """Draw two or three discs over each other."""
    count = hand.whole(2, 3)
    return [
        (_turned(circle(radius=0.28, center=(0.5, 0.28)), 360 * step / count + 90), step % 2) for step in range(count)
    ]


def tiles(hand: Hand) -> list[Shape]:
    """Draw squares of a grid with some left out."""
    out: list[Shape] = []
    side = hand.whole(2, 3)
    for cell in range(side * side):
        if hand.chance(0.75):
            square = rounded(10, 10, hand.pick((0.05, 0.3))) * (0.85 / side) + (cell % side / side, cell // side / side)
            out.append((square, int(hand.chance(0.3))))
    return out or [(rounded(10, 10, 0.2), 0)]


def gear(hand: Hand) -> list[Shape]:
    """Draw a toothed wheel."""
    teeth = hand.whole(6, 11)
    turn = np.linspace(0, 2 * np.pi, teeth * 4, endpoint=False)
    radius = np.where(np.arange(teeth * 4) % 4 < 2, 0.5, 0.39)
    wheel = np.stack((0.5 + radius * np.cos(turn), 0.5 + radius * np.sin(turn)), axis=1)
    return [(wheel, 0), (circle(radius=0.24), -1), (circle(radius=0.12), 1)]


def drop(hand: Hand) -> list[Shape]:
    """Draw a drop with a glint."""
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    form = np.stack((0.5 + 0.4 * np.sin(turn) * np.sin(turn / 2) ** 1.3, 0.5 - 0.48 * np.cos(turn)), axis=1)
    return [(form, 0), (circle(radius=hand.between(0.08, 0.16), center=(0.42, 0.68)), hand.pick((-1, 1)))]


def bolt(hand: Hand) -> list[Shape]:
    """Draw a flash in a disc or alone."""
    flash = _points((0.58, 0.08), (0.26, 0.56), (0.47, 0.56), (0.4, 0.93), (0.74, 0.42), (0.53, 0.42))
    return [(circle(), 0), (flash, hand.pick((-1, 1)))] if hand.chance(0.6) else [(flash, 0)]


def shield(hand: Hand) -> list[Shape]:
    """Draw a coat of arms parted in two."""
    form = _points(
        (0.1, 0.08), (0.5, 0.0), (0.9, 0.08), (0.88, 0.55), (0.72, 0.82), (0.5, 1.0), (0.28, 0.82), (0.12, 0.55)
    )
    half = form[[1, 2, 3, 4, 5]] * 0.8 + 0.1
    return [(form, 0), (half, hand.pick((-1, 1)))]


def crown(hand: Hand) -> list[Shape]:
    """Draw a crown."""
    dip = hand.between(0.45, 0.6)
    form = _points((0.05, 0.25), (0.28, dip), (0.5, 0.12), (0.72, dip), (0.95, 0.25), (0.86, 0.75), (0.14, 0.75))
    return [(form, 0), (_points((0.14, 0.8), (0.86, 0.8), (0.86, 0.9), (0.14, 0.9)), 1)]


def pinwheel(hand: Hand) -> list[Shape]:
    """Draw blades around a middle."""
    count = hand.whole(3, 6)
    blade = _points((0.5, 0.5), (0.5, 0.03), (0.5 + hand.between(0.15, 0.25), 0.25))
    return [(_turned(blade, 360 * step / count), step % 2) for step in range(count)]


MARKS: Pool[Mark] = {
    "train": (petals, nested, crescent, arcs, mountains, blob, overlapping, tiles),
    "test": (gear, drop, bolt, shield, crown, pinwheel),
}


def mark_patch(hand: Hand, size: int, first: Color, second: Color) -> Patch:
    """Draw a mark of the hand's split, `size` pixels wide and high; some hold an initial."""
    return shrink_to(_mark(hand, 2 * size, first, second), size, size)


def _mark(hand: Hand, size: int, first: Color, second: Color) -> Patch:
    patch = np.zeros((size, size, 4), np.uint8)
    for points, ink in hand.pool(MARKS)(hand):
        mask = mask_of(np.clip(points, 0, 1), size, size)
        if ink < 0:
            patch[..., 3] = np.minimum(patch[..., 3], 255 - mask)
            continue
        patch[mask > 0, :3] = first if ink == 0 else second
        patch[..., 3] = np.maximum(patch[..., 3], mask)
    if hand.chance(0.2):
        plate = patch * 0
        plate[..., :3] = first
        plate[..., 3] = mask_of(hand.pick((circle(), rounded(10, 10, 0.2))), size, size)
        letter = hand.pool(STEM)[: hand.whole(1, 2)].upper()
        font = choose_font(hand, heavy=True)
        ink_color = second if sum(map(abs, np.subtract(first, second))) > 200 else WHITE if sum(first) < 450 else BLACK
        patch = centered(plate, text_patch(letter, font, fit_size(letter, font, size * 0.62, size * 0.62), ink_color))
    return patch


def logo_patch(hand: Hand, size: int, first: Color, second: Color, *, name: str | None = None) -> Patch:
    """Draw a logo about `size` pixels high: a mark, a name, or both side by side or stacked."""
    form = hand.pick(("mark", "beside", "beside", "under", "name", "name"))
    if form == "mark":
        return mark_patch(hand, size, first, second)
    text = (name or hand.pool(STEM)).split("\n")[0]
    text = hand.pick((text, text.upper(), text.title(), " ".join(text.upper()) if len(text) < 9 else text))
    font = choose_font(hand)
    if form == "name":
        return text_patch(text, font, fit_size(text, font, 9 * size, size * 0.62), first)
    if form == "beside":
        title = text_patch(text, font, fit_size(text, font, 7 * size, size * hand.between(0.4, 0.7)), first)
        return stack([mark_patch(hand, size, first, second), title], size // 6, upright=False)
    title = text_patch(text, font, fit_size(text, font, 2.4 * size, size * 0.3), first)
    return stack([mark_patch(hand, int(size * 0.7), first, second), title], size // 12, upright=True)


def qr_patch(hand: Hand, size: int, ink: Color, ground: Color = WHITE) -> Patch:
    """Encode a made-up link as a QR code with its quiet zone, about `size` pixels wide."""
    link = f"https://{hand.pool(STEM)}.com/{hand.whole(10**3, 10 ** hand.whole(4, 14))}"
    code = np.asarray(cv2.QRCodeEncoder.create().encode(link))
    cells = code.shape[0]
    quiet = hand.whole(0, 2)
    code = cv2.copyMakeBorder(code, quiet, quiet, quiet, quiet, cv2.BORDER_CONSTANT, value=(255,)) if quiet else code
    step = max(2, size // cells)
    big = np.repeat(np.repeat(code, step, axis=0), step, axis=1)
    patch = solid(big.shape[1], big.shape[0], ground)
    patch[big < 128, :3] = ink
    return patch


def barcode_modules(digits: str, *, ean: bool) -> NDArray[np.bool_]:
    """Return the modules (n,) of twelve digits as EAN-13, or of any digits as Code 39; true for a bar."""
    code = EAN13(digits) if ean else Code39(digits, add_checksum=False)
    return np.array([sign == "1" for sign in code.build()[0]])


def bars_patch(hand: Hand, width: int, *, ean: bool) -> Patch:
    """Draw a bar code with its number on white, about `width` pixels wide."""
    digits = "".join(str(hand.whole(0, 9)) for _ in range(12 if ean else hand.whole(4, 7)))
    modules = barcode_modules(digits, ean=ean)
    step = max(1, width // len(modules))
    height = int(len(modules) * step * hand.between(0.25, 0.6))
    bars = solid(len(modules) * step, height, WHITE)
    bars[:, np.repeat(modules, step), :3] = 0
    font = choose_font(hand)
    line = "  ".join((digits[:6], digits[6:])) if ean else digits
    number = text_patch(line, font, fit_size(line, font, bars.shape[1] * 0.8, height * 0.25), BLACK)
    code = stack([bars, number], 3, upright=True)
    room = max(4, 4 * step)
    return centered(solid(code.shape[1] + 2 * room, code.shape[0] + 2 * room, WHITE), code)


def decorated(hand: Hand, patch: Patch, *, tilt: float = 8) -> Patch:
    """Sometimes tilt a patch by up to `tilt` degrees, sometimes give it a soft shadow."""
    if hand.chance(0.2):
        patch = rotate(patch, hand.between(-tilt, tilt))
    if hand.chance(0.2):
        patch = shadowed(patch, max(1, patch.shape[0] // 40), hand.between(0.5, 3), alpha=hand.between(0.3, 0.7))
    return patch
