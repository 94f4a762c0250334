"""Exposure: one curve that turns the tones of one picture into those of another, the same for all three channels.

A darker or flatter copy follows such a curve everywhere, background included; a dye does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.arrays import quantile

SAMPLES = 2000  # pixels from which the curve is estimated
DARKEST, LIGHTEST = 8.0, 247.0  # gray levels beyond which a tone is taken for cut off
MAX_GAIN = 2.2
MAX_CLIPPED_GAIN = 1.4  # where the lighter picture is cut off, the background does not show whether it is exposure
WHITE, MOST_WHITE = 250.0, 0.05  # gray level of white; where a larger share stays white, contrast did not change
LEAST_OFFSET = 6.0  # gray levels that make a curve a change of contrast
CUT = 30.0  # gray levels; a pixel that differs by more is covered or recolored, however much
FEWEST_TONES, LEAST_DEVIATION = 30, 5.0  # fewer tones, or tones closer together than these gray levels, show no curve
FITS = 4  # lines fitted, each to the tones that are near the one before
BETTER = 0.9  # share of the differences that a curve may leave to be preferred to none


@dataclass(frozen=True)
class Tone:
    """The darker picture's tones x become gain * x + offset, cut off at white; `clipped` is the share of pixels that are cut off."""

    gain: float = 1.0
    offset: float = 0.0
    clipped: float = 0.0
    first_is_darker: bool = True

    def applied(
        self, first: NDArray[np.float32], second: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return both pictures, the darker one with the tones of the other one; both are cut off where the lighter one was."""
        if self.first_is_darker:
            return self._mapped(first), second
        return first, self._mapped(second)

    def _mapped(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        if (self.gain, self.offset) == (1.0, 0.0):
            return pixels
        return np.asarray(np.clip(pixels * self.gain + self.offset, 0, 255), dtype=np.float32)


def common_tone(first: NDArray[np.float32], second: NDArray[np.float32], mask: NDArray[np.bool_]) -> Tone:
    """Estimate the curve between two (h, w, 3) RGB 0..255 pictures inside a mask (h, w)."""
    rows = np.flatnonzero(mask)
    rows = rows[:: max(1, len(rows) // SAMPLES)]
    one, other = first.reshape(-1, 3)[rows], second.reshape(-1, 3)[rows]
    first_is_darker = float(one.mean()) <= float(other.mean())
    dark, light = (one.ravel(), other.ravel()) if first_is_darker else (other.ravel(), one.ravel())
    within = (dark > DARKEST) & (dark < LIGHTEST) & (light > DARKEST) & (light < LIGHTEST)
    best, least = Tone(first_is_darker=first_is_darker), _cost(dark - light) * BETTER
    if within.sum() < FEWEST_TONES:
        return best
    white = float(((dark > WHITE) & (light > WHITE)).mean())
    for gain, offset in _curves(dark[within], light[within]):
        if (white > MOST_WHITE and abs(offset) > LEAST_OFFSET) or not 1 / MAX_GAIN <= gain <= MAX_GAIN:
            continue
        mapped = dark * gain
        mapped += offset
        clipped = float((mapped > 258).mean())
        if clipped > 0.02 and not 1 / MAX_CLIPPED_GAIN <= gain <= MAX_CLIPPED_GAIN:
            continue
        np.clip(mapped, 0, 255, out=mapped)
        mapped -= light
        cost = _cost(mapped)
        if cost < least:
            best, least = Tone(gain, offset, clipped, first_is_darker), cost
    return best


def _curves(dark: NDArray[np.float32], light: NDArray[np.float32]) -> Iterator[tuple[float, float]]:
    """Yield candidates (gain, offset): a gain alone, and a line through the tones that such a line fits."""
    ratio = light / dark
    yield quantile(ratio, 0.5), 0.0
    near = (ratio > 1 / MAX_CLIPPED_GAIN) & (ratio < MAX_CLIPPED_GAIN)
    if near.any():
        yield quantile(ratio[near], 0.5), 0.0
    # Sums of squares take double precision: the tones are converted once.
    fitted = exact = (dark.astype(np.float64), light.astype(np.float64))
    for _ in range(FITS):
        line = _line(*fitted)
        if line is None:
            break
        yield line
        error = dark * line[0]
        error += line[1]
        error -= light
        np.abs(error, out=error)
        kept = np.flatnonzero(error <= max(quantile(error, 0.7), 2.0))
        fitted = (exact[0][kept], exact[1][kept])


def _line(dark: NDArray[np.float64], light: NDArray[np.float64]) -> tuple[float, float] | None:
    """Return the gain and the offset of the least-squares line; None through too few tones, or too equal ones."""
    if len(dark) < FEWEST_TONES:
        return None
    mean_dark, mean_light = float(dark.mean()), float(light.mean())
    away = dark - mean_dark
    spread = float(away @ away)
    if spread < LEAST_DEVIATION**2 * len(dark):
        return None
    gain = float(away @ light) / spread
    return gain, mean_light - gain * mean_dark


def _cost(difference: NDArray[np.float32]) -> float:
    """Return the mean of differences (n,), which are changed, with each cut off."""
    np.abs(difference, out=difference)
    return float(np.minimum(difference, CUT, out=difference).mean())
