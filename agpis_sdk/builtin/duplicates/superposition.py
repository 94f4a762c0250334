"""Two pictures in one frame, one laid over the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.duplicates.affine import Box, Transform
from agpis_sdk.builtin.duplicates.rendering import Rendering, smooth

SHOWN = 0.5  # share of content in a pixel from which it shows some
INSIDE = 0.99  # share of a picture in a pixel from which it lies inside


@dataclass(frozen=True, eq=False)
class View:
    """A picture at verification size: (h, w, 3) float32 RGB 0..255 and (h, w) float32 content in 0..1."""

    pixels: NDArray[np.float32]
    content: NDArray[np.float32]

    @cached_property
    def shown(self) -> NDArray[np.bool_]:
        """Where there is content (h, w)."""
        return np.asarray(self.content > SHOWN)

    @cached_property
    def area(self) -> int:
        """How many pixels show content."""
        return int(np.count_nonzero(self.shown))

    @cached_property
    def halved(self) -> NDArray[np.float32]:
        """Luma, content and ones (h, w, 3) at half the size, for a rough look."""
        size = (max(1, self.size[0] // 2), max(1, self.size[1] // 2))
        luma = cv2.resize(cv2.cvtColor(self.pixels, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
        content = cv2.resize(self.content, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.merge([luma, content, np.ones_like(luma)]), np.float32)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return (self.pixels.shape[1], self.pixels.shape[0])

    def rendered(self, blur: float) -> Rendering:
        """Return the picture in its own frame, blurred by a sigma of `blur` pixels."""
        return Rendering(smooth(self.pixels, blur))


def make_view(pixels: NDArray[np.uint8], content: NDArray[np.uint8], side: int) -> View:
    """Shrink (H, W, 3) pixels and their (H, W) content mask to a long side of `side`."""
    factor = side / max(content.shape)
    size = (max(1, round(content.shape[1] * factor)), max(1, round(content.shape[0] * factor)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    share = cv2.resize(content.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return View(small, np.asarray(share, dtype=np.float32))


@dataclass(frozen=True, eq=False)
class Overlaid:
    """The first picture laid over the second, in the second's frame.

    `one` and `other` are (h, w), `valid` (h, w) is where both lie, `shared` where one of them shows content there.
    """

    one: Rendering
    other: Rendering
    valid: NDArray[np.bool_]
    first_content: NDArray[np.bool_]
    second_content: NDArray[np.bool_]
    shared: NDArray[np.bool_]


def lay_over(first: View, second: View, transform: Transform, blur: float, other: Rendering) -> Overlaid:
    """Draw the first view over the second, blurred by a sigma of `blur` pixels, as `other`, the second one, is."""
    warped = _warp(first, transform, second.size)
    valid = _warp_ones(first, transform, second.size)
    # So that no border bleeds into a blur.
    laid_over = cv2.copyTo(warped.pixels, valid.view(np.uint8), second.pixels.copy())
    first_content, second_content = warped.shown, second.shown
    return Overlaid(
        Rendering(smooth(np.asarray(laid_over, np.float32), blur)),
        other,
        valid,
        first_content,
        second_content,
        valid & (first_content | second_content),
    )


def within(laid: Overlaid, box: Box) -> Overlaid:
    """Return what lies inside a box x, y, width, height alone."""
    inside = np.zeros(laid.shared.shape, bool)
    left, top, right, bottom = round(box[0]), round(box[1]), round(box[0] + box[2]), round(box[1] + box[3])
    inside[max(top, 0) : bottom, max(left, 0) : right] = True
    return replace(laid, valid=laid.valid & inside, shared=laid.shared & inside)


def blurred_for(pixels: NDArray[np.float32], transform: Transform) -> NDArray[np.float32]:
    """Return (h, w, 3) pixels blurred as far as a transform shrinks them, so that drawing them skips none."""
    shrink = float(np.sqrt(abs(np.linalg.det(transform[:, :2]))))
    return smooth(pixels, 0.4 / shrink) if shrink < 0.8 else pixels


def _warp(view: View, transform: Transform, size: tuple[int, int]) -> View:
    """Draw a view into a frame of (width, height), blurred first as far as it shrinks."""
    white = (255.0, 255.0, 255.0)
    pixels = blurred_for(view.pixels, transform)
    drawn = cv2.warpAffine(pixels, transform, size, flags=cv2.INTER_LINEAR, borderValue=white)
    content = cv2.warpAffine(view.content, transform, size, flags=cv2.INTER_LINEAR, borderValue=(0.0,))
    return View(np.asarray(drawn, np.float32), np.asarray(content, np.float32))


def _warp_ones(view: View, transform: Transform, size: tuple[int, int]) -> NDArray[np.bool_]:
    ones = np.ones((view.size[1], view.size[0]), np.float32)
    return np.asarray(cv2.warpAffine(ones, transform, size, flags=cv2.INTER_LINEAR) > INSIDE)
