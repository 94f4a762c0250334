"""Screenshots (AGP113) and placeholders (AGP114)."""

from __future__ import annotations

import cv2
import numpy as np

from agpis_sdk.synthetic.violations.canvas import (
    BLACK,
    WHITE,
    centered,
    circle,
    color,
    cut,
    fit_size,
    ink_on,
    mask_of,
    paste,
    rounded,
    solid,
    stack,
    text_patch,
)
from agpis_sdk.synthetic.violations.fonts import choose_font
from agpis_sdk.synthetic.violations.framing import resize
from agpis_sdk.synthetic.violations.layout import fitted
from agpis_sdk.synthetic.violations.logos_and_barcodes import mark_patch
from agpis_sdk.synthetic.violations.phrases import BRAND, CHROME, PLACEHOLDER, STEM, words
from agpis_sdk.synthetic.violations.types import Color, Drawn, Maker, Patch, Pixels, Pool, Sampler


def _label(sampler: Sampler, text: str, height: int, ink: Color, wide: int = 10**4) -> Patch:
    font = choose_font(sampler)
    return text_patch(text, font, fit_size(text, font, wide, height), ink)


def _write(page: Pixels, patch: Patch, x: int, y: int) -> Pixels:
    return paste(page, patch, x, y)[0]


def _phone(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Show the picture on a phone: a status bar above, words and buttons below."""
    width = max(200, pixels.shape[1])
    photo = fitted(pixels, width, int(width * sampler.uniform(0.9, 1.25)), fill=False)
    paper, unit = sampler.choice((WHITE, WHITE, (18, 18, 20), (245, 245, 247))), width // 22
    ink = ink_on(sampler, paper, gap=120)
    top, foot = unit * sampler.integer(2, 5), unit * sampler.integer(4, 11)
    page = np.empty((top + photo.shape[0] + foot, width, 3), np.uint8)
    page[:] = paper
    page[top : top + photo.shape[0]] = photo
    page = _write(
        page,
        _label(sampler, f"{sampler.integer(1, 23)}:{sampler.integer(10, 59)}", int(unit * 0.7), ink),
        unit,
        unit // 3,
    )
    for step, wide in enumerate((1.0, 0.6, 0.6)):
        page = _write(page, solid(int(unit * wide), unit // 2, ink), width - int(unit * (1.6 + 1.2 * step)), unit // 2)
    low = top + photo.shape[0] + unit // 2
    page = _write(page, _label(sampler, words(sampler, CHROME), unit, ink, width // 2), unit, low)
    if foot > 6 * unit:
        button = cut(solid(int(width * 0.86), 2 * unit, color(sampler)), rounded(86, 10, sampler.choice((0.2, 0.5))))
        button = centered(button, _label(sampler, words(sampler, CHROME), unit, ink_on(sampler, button[0, 0, :3])))
        page = _write(page, button, int(width * 0.07), low + 3 * unit)
    for step in range(sampler.integer(0, 5)):
        page = _write(
            page,
            mark_patch(sampler, max(8, int(unit * 1.2)), ink, ink),
            unit * (2 + 4 * step),
            page.shape[0] - int(unit * 1.5),
        )
    return Drawn(page, None, "phone screenshot")


def _browser(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Show the picture in a browser window: tabs and an address above, the page around."""
    height, width = pixels.shape[:2]
    unit = max(6, width // 26)
    dark = sampler.chance(0.3)
    bar: Color = (45, 46, 50) if dark else (222, 225, 230)
    side, head = sampler.integer(0, 4) * unit, unit * sampler.integer(3, 4)
    page = np.full((height + head + side // 2, width + 2 * side, 3), 255 if not dark else 30, np.uint8)
    page[:head] = bar
    page[head : head + height, side : side + width] = pixels
    for step, light in enumerate(((236, 95, 87), (245, 190, 60), (98, 197, 84))):
        page = _write(
            page, cut(solid(unit * 2 // 3, unit * 2 // 3, light), circle()), unit // 2 + step * unit, unit // 3
        )
    room = (page.shape[1] - 3 * unit, int(unit * 1.2))
    address = cut(solid(*room, (70, 72, 76) if dark else WHITE), rounded(*room, 0.5))
    line = _label(
        sampler,
        f"https://www.{sampler.from_pool(STEM)}.com/item/{sampler.integer(1000, 99999)}",
        int(unit * 0.8),
        WHITE if dark else BLACK,
        room[0] - unit,
    )
    page = _write(page, address, int(1.5 * unit), int(1.5 * unit))
    page = _write(page, line, 2 * unit, int(1.7 * unit))
    return Drawn(page, None, "browser screenshot")


def _post(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Show the picture as a post in a feed: a name above, signs and a line below."""
    height, width = pixels.shape[:2]
    unit = max(8, width // 18)
    paper = sampler.choice((WHITE, (0, 0, 0), (24, 26, 32)))
    ink = WHITE if sum(paper) < 200 else BLACK
    page = np.empty((height + 5 * unit + 2 * unit, width, 3), np.uint8)
    page[:] = paper
    page[2 * unit : 2 * unit + height] = pixels
    page = _write(page, cut(solid(int(1.4 * unit), int(1.4 * unit), color(sampler)), circle()), unit // 3, unit // 3)
    page = _write(
        page, _label(sampler, sampler.from_pool(STEM), int(unit * 0.8), ink, width // 2), 2 * unit, int(unit * 0.6)
    )
    for step in range(sampler.integer(2, 4)):
        page = _write(
            page, mark_patch(sampler, unit, ink, ink), unit // 2 + step * 2 * unit, 2 * unit + height + unit // 2
        )
    for step in range(2):
        page = _write(
            page,
            _label(sampler, words(sampler, CHROME), int(unit * 0.7), ink),
            unit // 2,
            height + int(unit * (4.2 + 1.2 * step)),
        )
    return Drawn(page, None, "screenshot of a social post")


def _viewer(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Show the picture in a dark gallery app with controls and a strip of small pictures."""
    width = max(200, pixels.shape[1])
    photo, unit = fitted(pixels, width, pixels.shape[0], fill=False), width // 20
    page = np.full((photo.shape[0] + 10 * unit, width, 3), sampler.choice((0, 20, 34)), np.uint8)
    page[4 * unit : 4 * unit + photo.shape[0]] = photo
    page = _write(page, _label(sampler, words(sampler, CHROME), unit, WHITE, width // 2), 2 * unit, int(1.5 * unit))
    page = _write(
        page,
        cut(solid(unit, unit, WHITE), np.array(((0.7, 0), (0.2, 0.5), (0.7, 1), (0.8, 0.9), (0.4, 0.5), (0.8, 0.1)))),
        unit // 2,
        int(1.5 * unit),
    )
    small = resize(pixels, 2 * unit, 2 * unit)
    for step in range(sampler.integer(4, 8)):
        x, y = unit // 2 + int(step * 2.3 * unit), 4 * unit + photo.shape[0] + unit // 2
        page = _write(
            page, np.dstack((np.roll(small, 5 * step, axis=1), np.full(small.shape[:2], 255, np.uint8))), x, y
        )
    for step in range(4):
        page = _write(
            page, mark_patch(sampler, unit, WHITE, WHITE), 2 * unit + step * 5 * unit, page.shape[0] - 2 * unit
        )
    return Drawn(page, None, "screenshot of a gallery app")


SCREEN_LAYOUTS: Pool[Maker] = {"train": (_phone, _browser), "test": (_post, _viewer)}


def screenshot(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Show the picture inside the bars of a phone, browser or app; the image grows."""
    return sampler.from_pool(SCREEN_LAYOUTS)(pixels, sampler)


def _card(pixels: Pixels, sampler: Sampler, icon: Patch | None, *, upright: bool = True) -> Drawn:
    height, width = pixels.shape[:2]
    paper = sampler.choice(((238, 238, 238), (225, 227, 230), WHITE, (250, 247, 240), color(sampler)))
    ink = ink_on(sampler, paper, gap=50)
    font = choose_font(sampler)
    text = words(sampler, PLACEHOLDER)
    text = text.replace(" ", "\n", 1) if sampler.chance(0.4) else text
    parts = [text_patch(text, font, fit_size(text, font, width * sampler.uniform(0.45, 0.8), height * 0.18), ink)]
    if icon is not None:
        icon = icon.copy()
        icon[..., :3] = ink
        parts.insert(0, icon)
    page = np.empty_like(pixels)
    page[:] = paper
    if sampler.chance(0.25):
        parts.append(_label(sampler, words(sampler, BRAND), max(8, height // 22), ink, width // 2))
    patch = stack(parts, max(4, height // 24), upright=upright)
    x, y = (width - patch.shape[1]) // 2, (height - patch.shape[0]) // 2
    return Drawn(paste(page, patch, x, y)[0], None, f"placeholder reading '{text.replace(chr(10), ' ')}'")


def _camera_card(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Draw a camera or a landscape sign over the words."""
    size = int(min(pixels.shape[:2]) * sampler.uniform(0.18, 0.4))
    icon = cut(solid(size, size, BLACK), rounded(10, 7, 0.15) * (1, 0.7) + (0, 0.2))
    if sampler.chance(0.5):
        icon[..., 3] = np.minimum(icon[..., 3], 255 - mask_of(circle(radius=0.24, center=(0.5, 0.56)), size, size))
        icon[..., 3] |= mask_of(circle(radius=0.15, center=(0.5, 0.56)), size, size)
    else:
        hill = np.array(((0.08, 0.82), (0.36, 0.45), (0.55, 0.68), (0.7, 0.55), (0.92, 0.82)))
        for hole in (hill, circle(radius=0.07, center=(0.72, 0.38))):
            icon[..., 3] = np.minimum(icon[..., 3], 255 - mask_of(hole, size, size))
    return _card(pixels, sampler, icon)


def _word_card(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Write the words alone."""
    return _card(pixels, sampler, None)


def _crossed_card(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Draw a crossed-out box or a silhouette over the words."""
    size = int(min(pixels.shape[:2]) * sampler.uniform(0.2, 0.45))
    icon = solid(size, size, BLACK)
    rim = max(2, size // 16)
    icon[rim:-rim, rim:-rim, 3] = 0
    alpha = np.ascontiguousarray(icon[..., 3])
    cv2.line(alpha, (0, 0), (size, size), (255,), rim, cv2.LINE_AA)
    if sampler.chance(0.6):
        cv2.line(alpha, (size, 0), (0, size), (255,), rim, cv2.LINE_AA)
    icon[..., 3] = alpha
    return _card(pixels, sampler, icon)


def _mark_card(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Draw the shop's mark over the words."""
    return _card(
        pixels, sampler, mark_patch(sampler, int(min(pixels.shape[:2]) * sampler.uniform(0.2, 0.4)), BLACK, BLACK)
    )


PLACEHOLDER_LAYOUTS: Pool[Maker] = {
    "train": (_camera_card, _camera_card, _word_card),
    "test": (_crossed_card, _mark_card),
}


def placeholder(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Replace the picture by a card that says that none is there; the size stays."""
    return sampler.from_pool(PLACEHOLDER_LAYOUTS)(pixels, sampler)
