"""Alignment of two pictures that may show the same content: keypoints with RANSAC, or matched regions with ECC."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.duplicates.affine import Box, Transform, compose, from_corners, invert

# OpenCV drops at once what is no stronger than floor(0.5 * CONTRAST / 3 * 255) gray levels. Below 0.0236 that is nothing, and
# all noise is fitted and then dropped: at 0.02, twice the time for 6 % more keypoints.
CONTRAST = 0.0236
RATIO = 0.9  # Lowe's ratio of the nearest to the second-nearest distance
REPROJECTION = 3.0  # pixels
ECC_SIDE = 64
MIN_ROUGH = 0.3  # correlation below which a rough alignment is not worth refining
MIN_ECC = 0.5  # correlation below which a refined alignment is not worth a look
LEAST_MATCHES = 4  # with fewer, any transform fits
MORE_AGREE = 1.15  # an affine map has two more ways to fit than a similarity
SCALES = (0.15, 6.5)  # a picture shown smaller or larger than this is taken for a wrong alignment


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Points (N, 2) in pixels, their RootSIFT descriptors (N, 128) and those of the mirrored picture (N, 128)."""

    points: NDArray[np.float32]
    descriptors: NDArray[np.float32]
    mirrored: NDArray[np.float32]


def find_keypoints(pixels: NDArray[np.uint8], limit: int) -> Keypoints:
    """Find at most `limit` SIFT keypoints with RootSIFT descriptors (Arandjelovic and Zisserman, CVPR 2012)."""
    empty = np.zeros((0, 128), np.float32)
    if limit < 1:
        return Keypoints(np.zeros((0, 2), np.float32), empty, empty)
    sift = cv2.SIFT_create(nfeatures=limit, contrastThreshold=CONTRAST)  # type: ignore[attr-defined]
    found, raw = sift.detectAndCompute(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), None)
    if raw is None or not len(found):
        return Keypoints(np.zeros((0, 2), np.float32), empty, empty)
    points = np.array([point.pt for point in found], dtype=np.float32)
    root = np.sqrt(raw / np.maximum(raw.sum(axis=1, keepdims=True), 1e-6)).astype(np.float32)
    return Keypoints(points, root, mirror_descriptors(root))


def mirror_descriptors(descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn SIFT descriptors (N, 128) into those of the mirrored picture, as MI-SIFT (Ma et al., CIVR 2010).

    In the keypoint's own frame a mirror swaps the sides of its direction: rows are reversed and angles negated.
    """
    cells = descriptors.reshape(-1, 4, 4, 8)[:, ::-1]
    return np.ascontiguousarray(cells[..., (-np.arange(8)) % 8]).reshape(-1, 128)


@dataclass(frozen=True, eq=False)
class Agreement:
    """On what the keypoints of two pictures agree: transforms, the most trusted one first, and how many agree at most."""

    transforms: tuple[Transform, ...]
    keypoints: int


def agreement(first: Keypoints, second: Keypoints, min_inliers: int, *, mirrored: bool, width: int) -> Agreement:
    """Estimate how the first picture, `width` wide, lies over the second: a similarity, and the affine map of a squeezed copy.

    There is no transform where fewer than `min_inliers` keypoints agree, and an affine map only where clearly more agree on it.
    """
    descriptors = first.mirrored if mirrored else first.descriptors
    rows, columns = _mutual_matches(descriptors, second.descriptors)
    if len(rows) < LEAST_MATCHES:
        return Agreement((), 0)
    flip = np.array([[-1.0, 0.0, width - 1.0], [0.0, 1.0, 0.0]]) if mirrored else np.eye(2, 3)
    source = (first.points[rows] @ flip[:, :2].T + flip[:, 2]).astype(np.float32)
    transforms: list[Transform] = []
    most = 0
    for estimate, needed in ((cv2.estimateAffinePartial2D, min_inliers), (cv2.estimateAffine2D, min_inliers + 2)):
        cv2.setRNGSeed(0)
        found, inliers = estimate(
            source,
            second.points[columns],
            method=cv2.RANSAC,
            ransacReprojThreshold=REPROJECTION,
            maxIters=500,
            confidence=0.995,
        )
        agreed = 0 if found is None else int(inliers.sum())
        if agreed >= max(needed, most * MORE_AGREE) and plausible(np.asarray(found)):
            transforms.append(compose(np.asarray(found, dtype=np.float64), flip))
        most = max(most, agreed)
    return Agreement(tuple(transforms), most)


def refine(transform: Transform, first: NDArray[np.float32], second: NDArray[np.float32]) -> Transform | None:
    """Refine a rough alignment by the enhanced correlation coefficient (Evangelidis and Psarakis, PAMI 2008).

    `first` and `second` are (h, w) luma; the transform maps the pixels of one to those of the other. None where they disagree.
    """
    start = invert(transform).astype(np.float32)  # ECC maps the template's (second's) pixels to the input's (first's)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 1e-3)
    try:
        if cv2.computeECC(second, _drawn(first, transform, second.shape)) < MIN_ROUGH:
            return None
        everywhere = np.full(first.shape, 255, np.uint8)
        correlation, found = cv2.findTransformECC(second, first, start, cv2.MOTION_AFFINE, criteria, everywhere, 3)
    except cv2.error:  # it did not converge
        return None
    if correlation < MIN_ECC:
        return None
    return invert(np.asarray(found, dtype=np.float64))


def refine_boxes(
    first: NDArray[np.float32], second: NDArray[np.float32], boxes: tuple[Box, Box], *, mirrored: bool
) -> Transform | None:
    """Lay a region of one (h, w) luma over one of the other and refine; the transform maps between the whole pictures."""
    (one, into_one), (two, into_two) = (_cut(luma, box) for luma, box in zip((first, second), boxes, strict=True))
    flip = np.array([[-1.0, 0.0, ECC_SIDE - 1.0], [0.0, 1.0, 0.0]]) if mirrored else np.eye(2, 3)
    refined = refine(flip, one, two)
    if refined is None:
        return None
    transform = compose(compose(into_two, refined), invert(into_one))
    return transform if plausible(transform) else None


def likeness(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Return the correlation of two (h, w) lumas of one size, 0 where one of them is even."""
    one, two = first - first.mean(), second - second.mean()
    norm = float(np.sqrt((one * one).sum() * (two * two).sum()))
    return float((one * two).sum()) / norm if norm > 1e-6 else 0.0


def plausible(transform: Transform) -> bool:
    """Tell whether a transform neither blows up, nor shrinks away, nor squeezes a picture."""
    stretch = np.linalg.svd(transform[:, :2], compute_uv=False)
    return bool(SCALES[0] < stretch[1] and stretch[0] < SCALES[1] and stretch[0] / stretch[1] < 1.6)


def _cut(luma: NDArray[np.float32], box: Box) -> tuple[NDArray[np.float32], Transform]:
    """Return a box of an (h, w) luma as a square of `ECC_SIDE`, and the transform from the square's pixels to the luma's."""
    x, y, width, height = box
    into = from_corners(np.array([[width / ECC_SIDE, 0.0, x], [0.0, height / ECC_SIDE, y]]))
    left, top, right, bottom = int(x), int(y), int(np.ceil(x + width)), int(np.ceil(y + height))
    shrink = max(width, height) / ECC_SIDE
    part = luma[max(top, 0) : bottom, max(left, 0) : right]
    smooth = cv2.GaussianBlur(part, (0, 0), 0.4 * shrink) if shrink > 1.2 else part
    inner = into.copy()
    inner[:, 2] -= (max(left, 0), max(top, 0))
    drawn = cv2.warpAffine(
        smooth,
        inner,
        (ECC_SIDE, ECC_SIDE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(drawn, dtype=np.float32), into


def _drawn(luma: NDArray[np.float32], transform: Transform, shape: tuple[int, ...]) -> NDArray[np.float32]:
    size = (shape[1], shape[0])
    return np.asarray(cv2.warpAffine(luma, transform, size, borderMode=cv2.BORDER_REPLICATE), dtype=np.float32)


def _mutual_matches(
    first: NDArray[np.float32], second: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Match unit rows (N, D) and (M, D): mutually nearest, and clearly nearer than the next."""
    if len(first) < 2 or len(second) < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    similarity = first @ second.T  # (N, M)
    best = similarity.argmax(axis=1)
    mutual = similarity.argmax(axis=0)[best] == np.arange(len(first))
    top = np.partition(similarity, -2, axis=1)[:, -2:]  # second best, best
    distance = np.sqrt(np.maximum(2 - 2 * top, 0))
    rows = np.flatnonzero(mutual & (distance[:, 1] < RATIO * distance[:, 0]))
    return rows, best[rows]
