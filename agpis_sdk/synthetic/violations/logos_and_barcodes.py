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
from agpis_sdk.synthetic.violations.types import Color, Patch, Pool, Sampler

Shape: TypeAlias = tuple[Points, int]
"""A polygon and its ink: 0 the first color, 1 the second, -1 cut out."""
Mark: TypeAlias = Callable[[Sampler], list[Shape]]


def _points(*corners: tuple[float, float]) -> Points:
    return np.asarray(corners, np.float64)


def _turned(points: Points, degrees: float) -> Points:
    angle = np.radians(degrees)
    matrix = np.array(((np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))))
    return np.asarray((points - 0.5) @ matrix + 0.5)


def petals(sampler: Sampler) -> list[Shape]:
    """Draw ellipses around a middle."""
    count, wide = sampler.integer(4, 9), sampler.uniform(0.08, 0.16)
    leaf = (circle() - 0.5) * (2 * wide, 0.46) + (0.5, 0.25)
    return [(_turned(leaf, 360 * step / count), step % 2) for step in range(count)]


def nested(sampler: Sampler) -> list[Shape]:
    """Draw polygons inside each other."""
    corners = sampler.choice((3, 4, 5, 6, 8))
    radii = (0.5, sampler.uniform(0.33, 0.42), sampler.uniform(0.15, 0.28))
    return [
        (_turned(circle(corners, radius), 12 * turn), ink)
        for turn, (radius, ink) in enumerate(zip(radii, (0, -1, 1), strict=True))
    ]


def crescent(sampler: Sampler) -> list[Shape]:
    """Draw a swoosh: a disc with another cut out of it."""
    shift = sampler.uniform(0.1, 0.22)
    disc = circle(radius=sampler.uniform(0.34, 0.42), center=(0.5 + shift, 0.5 - shift / 2))
    turn = sampler.uniform(0, 360)
    return [(circle(), 0), (_turned(disc, turn), -1), (_turned(circle(radius=0.1, center=(0.6, 0.45)), turn), 1)]


def arcs(sampler: Sampler) -> list[Shape]:
    """Draw waves sent out from a corner."""
    out: list[Shape] = []
    center = (sampler.uniform(0.1, 0.5), 0.9)
    for step in range(sampler.integer(2, 4)):
        out += [
            (circle(radius=0.8 - 0.2 * step, center=center), step % 2),
            (circle(radius=0.7 - 0.2 * step, center=center), -1),
        ]
    return [*out, (circle(radius=0.1, center=center), 0)]


def mountains(sampler: Sampler) -> list[Shape]:
    """Draw peaks in front of a sun."""
    peak, low = sampler.uniform(0.3, 0.45), sampler.uniform(0.3, 0.5)
    return [
        (circle(radius=0.16, center=(0.75, 0.25)), 1),
        (_points((0.0, 0.9), (peak, 0.15), (2 * peak, 0.9)), 0),
        (_points((0.35, 0.9), (0.72, low), (1.0, 0.9)), 1),
    ]


def blob(sampler: Sampler) -> list[Shape]:
    """Draw a soft free form with a hole."""
    turn = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    radius = 0.36 + sum(sampler.uniform(-0.07, 0.07) * np.cos(k * turn + sampler.uniform(0, 6)) for k in (2, 3, 4))
    form = np.stack((0.5 + radius * np.cos(turn), 0.5 + radius * np.sin(turn)), axis=1)
    return [(np.clip(form, 0, 1), 0), (circle(radius=sampler.uniform(0.08, 0.18)), sampler.choice((-1, 1)))]


def overlapping(sampler: Sampler) -> list[Shape]:
    """Draw two or three discs over each other."""
    count = sampler.integer(2, 3)
    return [
        (_turned(circle(radius=0.28, center=(0.5, 0.28)), 360 * step / count + 90), step % 2) for step in range(count)
    ]


def tiles(sampler: Sampler) -> list[Shape]:
    """Draw squares of a grid with some left out."""
    out: list[Shape] = []
    side = sampler.integer(2, 3)
    for cell in range(side * side):
        if sampler.chance(0.75):
            square = rounded(10, 10, sampler.choice((0.05, 0.3))) * (0.85 / side) + (
                cell % side / side,
                cell // side / side,
            )
            out.append((square, int(sampler.chance(0.3))))
    return out or [(rounded(10, 10, 0.2), 0)]


def gear(sampler: Sampler) -> list[Shape]:
    """Draw a toothed wheel."""
    teeth = sampler.integer(6, 11)
    turn = np.linspace(0, 2 * np.pi, teeth * 4, endpoint=False)
    radius = np.where(np.arange(teeth * 4) % 4 < 2, 0.5, 0.39)
    wheel = np.stack((0.5 + radius * np.cos(turn), 0.5 + radius * np.sin(turn)), axis=1)
    return [(wheel, 0), (circle(radius=0.24), -1), (circle(radius=0.12), 1)]


def drop(sampler: Sampler) -> list[Shape]:
    """Draw a drop with a glint."""
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    form = np.stack((0.5 + 0.4 * np.sin(turn) * np.sin(turn / 2) ** 1.3, 0.5 - 0.48 * np.cos(turn)), axis=1)
    return [(form, 0), (circle(radius=sampler.uniform(0.08, 0.16), center=(0.42, 0.68)), sampler.choice((-1, 1)))]


def bolt(sampler: Sampler) -> list[Shape]:
    """Draw a flash in a disc or alone."""
    flash = _points((0.58, 0.08), (0.26, 0.56), (0.47, 0.56), (0.4, 0.93), (0.74, 0.42), (0.53, 0.42))
    return [(circle(), 0), (flash, sampler.choice((-1, 1)))] if sampler.chance(0.6) else [(flash, 0)]


def shield(sampler: Sampler) -> list[Shape]:
    """Draw a coat of arms parted in two."""
    form = _points(
        (0.1, 0.08), (0.5, 0.0), (0.9, 0.08), (0.88, 0.55), (0.72, 0.82), (0.5, 1.0), (0.28, 0.82), (0.12, 0.55)
    )
    half = form[[1, 2, 3, 4, 5]] * 0.8 + 0.1
    return [(form, 0), (half, sampler.choice((-1, 1)))]


def crown(sampler: Sampler) -> list[Shape]:
    """Draw a crown."""
    dip = sampler.uniform(0.45, 0.6)
    form = _points((0.05, 0.25), (0.28, dip), (0.5, 0.12), (0.72, dip), (0.95, 0.25), (0.86, 0.75), (0.14, 0.75))
    return [(form, 0), (_points((0.14, 0.8), (0.86, 0.8), (0.86, 0.9), (0.14, 0.9)), 1)]


def pinwheel(sampler: Sampler) -> list[Shape]:
    """Draw blades around a middle."""
    count = sampler.integer(3, 6)
    blade = _points((0.5, 0.5), (0.5, 0.03), (0.5 + sampler.uniform(0.15, 0.25), 0.25))
    return [(_turned(blade, 360 * step / count), step % 2) for step in range(count)]


MARKS: Pool[Mark] = {
    "train": (petals, nested, crescent, arcs, mountains, blob, overlapping, tiles),
    "test": (gear, drop, bolt, shield, crown, pinwheel),
}


def mark_patch(sampler: Sampler, size: int, first: Color, second: Color) -> Patch:
    """Draw a mark of the sampler's split, `size` pixels wide and high; some hold an initial."""
    return shrink_to(_mark(sampler, 2 * size, first, second), size, size)


def _mark(sampler: Sampler, size: int, first: Color, second: Color) -> Patch:
    patch = np.zeros((size, size, 4), np.uint8)
    for points, ink in sampler.from_pool(MARKS)(sampler):
        mask = mask_of(np.clip(points, 0, 1), size, size)
        if ink < 0:
            patch[..., 3] = np.minimum(patch[..., 3], 255 - mask)
            continue
        patch[mask > 0, :3] = first if ink == 0 else second
        patch[..., 3] = np.maximum(patch[..., 3], mask)
    if sampler.chance(0.2):
        plate = patch * 0
        plate[..., :3] = first
        plate[..., 3] = mask_of(sampler.choice((circle(), rounded(10, 10, 0.2))), size, size)
        letter = sampler.from_pool(STEM)[: sampler.integer(1, 2)].upper()
        font = choose_font(sampler, heavy=True)
        ink_color = second if sum(map(abs, np.subtract(first, second))) > 200 else WHITE if sum(first) < 450 else BLACK
        patch = centered(plate, text_patch(letter, font, fit_size(letter, font, size * 0.62, size * 0.62), ink_color))
    return patch


def logo_patch(sampler: Sampler, size: int, first: Color, second: Color, *, name: str | None = None) -> Patch:
    """Draw a logo about `size` pixels high: a mark, a name, or both side by side or stacked."""
    form = sampler.choice(("mark", "beside", "beside", "under", "name", "name"))
    if form == "mark":
        return mark_patch(sampler, size, first, second)
    text = (name or sampler.from_pool(STEM)).split("\n")[0]
    text = sampler.choice((text, text.upper(), text.title(), " ".join(text.upper()) if len(text) < 9 else text))
    font = choose_font(sampler)
    if form == "name":
        return text_patch(text, font, fit_size(text, font, 9 * size, size * 0.62), first)
    if form == "beside":
        title = text_patch(text, font, fit_size(text, font, 7 * size, size * sampler.uniform(0.4, 0.7)), first)
        return stack([mark_patch(sampler, size, first, second), title], size // 6, upright=False)
    title = text_patch(text, font, fit_size(text, font, 2.4 * size, size * 0.3), first)
    return stack([mark_patch(sampler, int(size * 0.7), first, second), title], size // 12, upright=True)


def qr_patch(sampler: Sampler, size: int, ink: Color, ground: Color = WHITE) -> Patch:
    """Encode a made-up link as a QR code with its quiet zone, about `size` pixels wide."""
    link = f"https://{sampler.from_pool(STEM)}.com/{sampler.integer(10**3, 10 ** sampler.integer(4, 14))}"
    code = np.asarray(cv2.QRCodeEncoder.create().encode(link))
    cells = code.shape[0]
    quiet = sampler.integer(0, 2)
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


def bars_patch(sampler: Sampler, width: int, *, ean: bool) -> Patch:
    """Draw a bar code with its number on white, about `width` pixels wide."""
    digits = "".join(str(sampler.integer(0, 9)) for _ in range(12 if ean else sampler.integer(4, 7)))
    modules = barcode_modules(digits, ean=ean)
    step = max(1, width // len(modules))
    height = int(len(modules) * step * sampler.uniform(0.25, 0.6))
    bars = solid(len(modules) * step, height, WHITE)
    bars[:, np.repeat(modules, step), :3] = 0
    font = choose_font(sampler)
    line = "  ".join((digits[:6], digits[6:])) if ean else digits
    number = text_patch(line, font, fit_size(line, font, bars.shape[1] * 0.8, height * 0.25), BLACK)
    code = stack([bars, number], 3, upright=True)
    room = max(4, 4 * step)
    return centered(solid(code.shape[1] + 2 * room, code.shape[0] + 2 * room, WHITE), code)


def decorated(sampler: Sampler, patch: Patch, *, tilt: float = 8) -> Patch:
    """Sometimes tilt a patch by up to `tilt` degrees, sometimes give it a soft shadow."""
    if sampler.chance(0.2):
        patch = rotate(patch, sampler.uniform(-tilt, tilt))
    if sampler.chance(0.2):
        patch = shadowed(patch, max(1, patch.shape[0] // 40), sampler.uniform(0.5, 3), alpha=sampler.uniform(0.3, 0.7))
    return patch
