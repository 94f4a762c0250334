"""The problems planted in the example catalog: where, what, and of which image."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from agpis_sdk.synthetic.violations import inject

Pixels = NDArray[np.uint8]
QUALITY = 88


@dataclass(frozen=True)
class Planted:
    """A file's bytes with a known problem in it; `box` is (x, y, width, height) in pixels."""

    data: bytes
    problem: str
    box: tuple[int, int, int, int] | None = None
    of: str | None = None


def jpeg(pixels: Pixels, quality: int = QUALITY) -> bytes:
    """Return (height, width, 3) RGB pixels as a JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()


def drawn(kind: str) -> Callable[[Mapping[str, Pixels], str, int], Planted]:
    """Return a planter that draws a violation of the bench's test pool into a view."""

    def plant(views: Mapping[str, Pixels], of: str, seed: int) -> Planted:
        others: Sequence[Pixels] = [pixels for name, pixels in views.items() if name != of]
        violation = inject(kind, views[of], np.random.default_rng(seed), split="test", others=others)
        return Planted(jpeg(violation.pixels), kind, violation.box, of)

    return plant


def crop(views: Mapping[str, Pixels], of: str, seed: int) -> Planted:
    """Cut away a fifth of each side: the same photo, closer."""
    del seed
    height, width = views[of].shape[:2]
    cut = views[of][height // 10 : -height // 10, width // 10 : -width // 10]
    return Planted(jpeg(cv2.resize(cut, (width, height)).astype(np.uint8)), "crop", None, of)


def mirror(views: Mapping[str, Pixels], of: str, seed: int) -> Planted:
    """Mirror a view left to right."""
    del seed
    return Planted(jpeg(np.ascontiguousarray(views[of][:, ::-1])), "mirrored-copy", None, of)


def recompressed(views: Mapping[str, Pixels], of: str, seed: int) -> Planted:
    """Save a view again, at another quality and a little smaller."""
    del seed
    small = cv2.resize(views[of], (440, 440), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return Planted(jpeg(small, 60), "recompressed-copy", None, of)


def same_bytes(views: Mapping[str, Pixels], of: str, seed: int) -> Planted:
    """Store the very same file under another name."""
    del seed
    return Planted(jpeg(views[of]), "exact-copy", None, of)


def tiny(views: Mapping[str, Pixels], of: str, seed: int) -> Planted:
    """Shrink a view to 120 pixels."""
    del seed
    return Planted(
        jpeg(cv2.resize(views[of], (120, 120), interpolation=cv2.INTER_AREA).astype(np.uint8)), "tiny", None, of
    )


def truncated(views: Mapping[str, Pixels], of: str, seed: int) -> Planted:
    """Break a file off in the middle, as an upload does."""
    del seed
    data = jpeg(views[of])
    return Planted(data[: len(data) // 3], "truncated-file", None, of)


def variant(views: Mapping[str, Pixels], of: str, seed: int) -> Planted:
    """Turn the hue of everything colorful: the product in another color."""
    del seed
    hsv = cv2.cvtColor(views[of], cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(int) + 60) % 180
    return Planted(jpeg(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).astype(np.uint8)), "color-variant", None, of)


PLANTERS: dict[str, Callable[[Mapping[str, Pixels], str, int], Planted]] = {
    **{kind: drawn(kind) for kind in (
        "banner", "promotional-text", "watermark", "logo-overlay", "price-badge", "qr-or-barcode", "border", "collage",
        "blur", "under-exposed",
    )},
    "crop": crop, "mirrored-copy": mirror, "recompressed-copy": recompressed, "exact-copy": same_bytes, "tiny": tiny,
    "truncated-file": truncated, "color-variant": variant,
}  # fmt: skip


def described(planted: Planted) -> dict[str, Any]:
    """Return what `planted.json` says of a problem."""
    return {"problem": planted.problem, "box": list(planted.box) if planted.box else None, "of": planted.of}
