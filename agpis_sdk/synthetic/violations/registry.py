"""Every kind of violation by name, with the entry points `inject` and `hard_negative`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from agpis_sdk.errors import UnknownNameError
from agpis_sdk.synthetic.violations import banners, framing, layout, overlays, photometric, phrases, screens, watermarks
from agpis_sdk.synthetic.violations.canvas import place_words
from agpis_sdk.synthetic.violations.fonts import FONTS
from agpis_sdk.synthetic.violations.hard_negatives import draw_hard_negative
from agpis_sdk.synthetic.violations.logos_and_barcodes import MARKS
from agpis_sdk.synthetic.violations.types import Maker, Pixels, Pool, Sampler, Split, Violation

KINDS: dict[str, tuple[str, Maker]] = {
    "low-resolution": ("AGP101", framing.low_resolution),
    "extreme-aspect": ("AGP102", framing.extreme_aspect),
    "blur": ("AGP103", photometric.blur),
    "over-exposed": ("AGP104", photometric.over_exposed),
    "under-exposed": ("AGP105", photometric.under_exposed),
    "low-contrast": ("AGP106", photometric.low_contrast),
    "compression-artifacts": ("AGP107", photometric.compression_artifacts),
    "noise": ("AGP108", photometric.noise),
    "unnatural-artifact": ("AGP109", photometric.unnatural_artifact),
    "upscaled": ("AGP110", photometric.upscaled),
    "border": ("AGP111", layout.border),
    "collage": ("AGP112", layout.collage),
    "screenshot": ("AGP113", screens.screenshot),
    "placeholder": ("AGP114", screens.placeholder),
    "cluttered-background": ("AGP115", framing.cluttered_background),
    "too-small": ("AGP116", framing.too_small),
    "cropped": ("AGP117", framing.cropped),
    "off-center": ("AGP118", framing.off_center),
    "banner": ("AGP119", banners.banner),
    "promotional-text": ("AGP120", overlays.promotional_text),
    "watermark": ("AGP121", watermarks.watermark),
    "logo-overlay": ("AGP122", overlays.logo_overlay),
    "qr-or-barcode": ("AGP123", overlays.qr_or_barcode),
    "price-badge": ("AGP124", banners.price_badge),
    "contact-information": ("AGP125", overlays.contact_information),
    "color-cast": ("AGP126", photometric.color_cast),
    "rotated": ("AGP127", framing.rotated),
}
POOLS: Mapping[str, Pool[object]] = {
    "fonts": FONTS,
    "marks": MARKS,
    **{f"words: {name}": pool for name, pool in phrases.POOLS.items()},
    "layouts: banner": banners.BANNER_LAYOUTS,
    "layouts: price-badge": banners.BADGE_SHAPES,
    "layouts: promotional-text": overlays.TEXT_LAYOUTS,
    "layouts: watermark": watermarks.WATERMARK_LAYOUTS,
    "layouts: logo-overlay": overlays.LOGO_LAYOUTS,
    "layouts: qr-or-barcode": overlays.CODE_LAYOUTS,
    "layouts: contact-information": overlays.CONTACT_LAYOUTS,
    "layouts: border": layout.FRAME_LAYOUTS,
    "layouts: collage": layout.COLLAGE_LAYOUTS,
    "layouts: screenshot": screens.SCREEN_LAYOUTS,
    "layouts: placeholder": screens.PLACEHOLDER_LAYOUTS,
    "layouts: cluttered-background": framing.CLUTTER_LAYOUTS,
}
"""The pools of which the splits must share nothing."""
SMALLEST = 32
"""Shortest side, in pixels, of a picture that can be drawn on."""


def _sampler(
    pixels: Pixels, rng: np.random.Generator, split: Split, severity: float | None, others: Sequence[Pixels]
) -> Sampler:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or min(pixels.shape[:2]) < SMALLEST:
        raise ValueError(
            f"pixels must be (H, W, 3) uint8 with sides of {SMALLEST} or more, not {pixels.dtype} {pixels.shape}"
        )
    strength = float(rng.uniform(0, 1)) if severity is None else min(1.0, max(0.0, severity))
    return Sampler(rng, split, strength, others)


def inject(
    kind: str,
    pixels: Pixels,
    rng: np.random.Generator,
    *,
    split: Split,
    severity: float | None = None,
    others: Sequence[Pixels] = (),
) -> Violation:
    """Draw a violation into a copy of a clean photo.

    Args:
        kind: A name in `KINDS`.
        pixels: The photo, (H, W, 3) uint8 RGB, sides of 32 pixels or more; it is not changed.
        rng: The source of every choice: the same seed gives the same bytes.
        split: Which fonts, marks, wordings and layouts to draw from; the two share none.
        severity: 0 for mild (still seen) to 1 for gross; drawn evenly where None.
        others: Further photos for collages and backgrounds.

    Raises:
        UnknownNameError: No kind has that name.
        ValueError: The pixels are not an RGB picture of bytes, or too small.
    """
    if kind not in KINDS:
        raise UnknownNameError("no such kind of violation", item=kind, remedy=f"one of {', '.join(KINDS)}")
    code, maker = KINDS[kind]
    sampler = _sampler(pixels, rng, split, severity, others)
    drawn = maker(pixels, sampler)
    place = drawn.place or place_words(drawn.box, drawn.pixels.shape[1], drawn.pixels.shape[0])
    return Violation(code, kind, np.ascontiguousarray(drawn.pixels), drawn.box, place, drawn.thing)


def hard_negative(pixels: Pixels, rng: np.random.Generator, *, split: Split) -> tuple[Pixels, str]:
    """Return a clean photo with a change that looks like a violation but is accepted, and its description."""
    return draw_hard_negative(pixels, _sampler(pixels, rng, split, None, ()))
