"""Traces of compression and upscaling: the grid of their blocks, and missing detail."""

from __future__ import annotations

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

TILE = 64
TILES = 12
FEWEST_TILES = 3
# Mean difference of pixels two apart, in luma, from which on a tile shows something.
LIVELY = 1.5
# A low and a high band of frequencies, as shares of Nyquist's; the second pair is for pictures enlarged many times.
BANDS = (((0.15, 0.3), (0.55, 0.9)), ((0.08, 0.16), (0.3, 0.5)))
# Frequencies of lines from none to one in two pixels; JPEG's stand 8 pixels apart, repeated pixels at most 10.
FREQUENCIES = 2049
EIGHTH = (FREQUENCIES - 1) // 4
SLOWEST_REPEAT = (FREQUENCIES - 1) // 5
# Levels of luma by which a step must rise above twice those beside it.
VISIBLE_STEP = 4
HIGH_STEP = 10
FEWEST_STEPS = 200
FEWEST_LINES = 24
HIGHEST_LINE = 3.0


def detail_decay(luma: NDArray[np.uint8]) -> float | None:
    """Return the exponent a of the power spectrum's decay, frequency^-a: how fast a picture's detail fades.

    A photograph's is near 2 (Field 1987), up to 3 for a soft one; what was enlarged holds nothing beyond its first size
    and falls by 5 or more. Judged by the liveliest tiles of an (H, W) picture; None where too few show anything.
    """
    tiles = _liveliest_tiles(luma)
    if len(tiles) < FEWEST_TILES:
        return None
    window = np.outer(np.hanning(TILE), np.hanning(TILE)).astype(np.float32)
    centered = tiles - tiles.mean(axis=(1, 2), keepdims=True)
    power = (np.abs(np.fft.rfft2(centered * window)) ** 2).mean(axis=0)  # (TILE, TILE / 2 + 1)
    # Interpolation works along rows and columns, so what it cuts off is a square of frequencies.
    frequency = np.maximum(2 * np.abs(np.fft.fftfreq(TILE))[:, None], 2 * np.fft.rfftfreq(TILE)[None, :])

    def within(band: tuple[float, float]) -> float:
        return float(power[(frequency >= band[0]) & (frequency < band[1])].mean()) + 1.0

    return max(
        float(np.log(within(low) / within(high)) / np.log((high[0] * high[1] / (low[0] * low[1])) ** 0.5))
        for low, high in BANDS
    )


def grid_strengths(luma: NDArray[np.uint8]) -> tuple[float, float]:
    """Return how far lone steps of an (H, W) picture gather on JPEG's 8-pixel grid, and on one of repeated pixels.

    Both in 0..1: 0 where steps stand anywhere, 1 where all stand on lines of the grid, across and down.
    """
    if min(luma.shape) < TILE:
        return 0.0, 0.0
    views = [_lone_steps(luma), _lone_steps(cv2.transpose(luma))]
    # A grid of two or four pixels gathers nothing at an eighth; where one at an eighth does, it is JPEG's.
    blocks = [_gathered(visible) for visible, _ in views]
    repeats = [_gathered(_evened(high)) for _, high in views]
    of_jpeg = max(float(strengths[EIGHTH]) for strengths in repeats)
    pixels = min(float(strengths[SLOWEST_REPEAT:].max()) for strengths in repeats)
    return min(float(strengths[[EIGHTH, 3 * EIGHTH]].min()) for strengths in blocks), max(0.0, pixels - of_jpeg)


def _liveliest_tiles(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the (n, TILE, TILE) tiles of an (H, W) picture in which most happens."""
    rows, columns = luma.shape[0] // TILE, luma.shape[1] // TILE
    if not rows or not columns:
        return np.zeros((0, TILE, TILE), np.float32)
    whole = luma[: rows * TILE, : columns * TILE]
    across, down = cv2.absdiff(whole[2:, 2:], whole[2:, :-2]), cv2.absdiff(whole[2:, 2:], whole[:-2, 2:])
    lively = cv2.resize(cv2.max(across, down), (columns, rows), interpolation=cv2.INTER_AREA).reshape(-1)
    chosen = np.argsort(-lively.astype(np.int16), kind="stable")[:TILES]
    tiles = whole.reshape(rows, TILE, columns, TILE).transpose(0, 2, 1, 3).reshape(-1, TILE, TILE)
    return tiles[chosen[lively[chosen] > LIVELY]].astype(np.float32)


def _lone_steps(luma: MatLike) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Count for each column of an (H, W) picture the steps to the next with none beside them, visible and high ones."""
    step = cv2.absdiff(luma[:, 1:], luma[:, :-1])
    beside = cv2.max(step[:, :-2], step[:, 2:])
    lone = cv2.subtract(step[:, 1:-1], cv2.add(beside, beside))  # (H, W - 3), 0 where there are steps beside
    return _count_columns(lone, VISIBLE_STEP), _count_columns(lone, HIGH_STEP)


def _count_columns(values: MatLike, least: int) -> NDArray[np.int32]:
    _, hits = cv2.threshold(values, least - 1, 1, cv2.THRESH_BINARY)
    return np.asarray(cv2.reduce(hits, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0], np.int32)


def _evened(counts: NDArray[np.int32]) -> NDArray[np.int32]:
    """Clip high counts, so that one long straight edge of the product does not count as a grid."""
    lines = counts[counts > 0]
    return np.minimum(counts, round(HIGHEST_LINE * np.median(lines))) if len(lines) else counts


def _gathered(counts: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return how far counts (n,) gather on evenly spaced lines, in 0..1, at FREQUENCIES spacings up to one in two."""
    if (counts > 0).sum() < FEWEST_LINES or counts.sum() < FEWEST_STEPS:
        return np.zeros(FREQUENCIES)
    return np.asarray(np.abs(np.fft.rfft(counts, 2 * (FREQUENCIES - 1))) / counts.sum())
