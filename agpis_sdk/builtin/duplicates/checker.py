"""The duplicate-content checker (AGP201): propose, match, align, verify."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.duplicates import alignment, features, matching, proposals, verification
from agpis_sdk.builtin.duplicates.config import DuplicatesConfig
from agpis_sdk.components import AttributedFinding, Context, DecodedImage, ImagePair, pair_finding
from agpis_sdk.rules import BUILTIN_RULES

RULE = next(rule for rule in BUILTIN_RULES if rule.name == "duplicate-content")
FACT = "duplicates.regions"
SPEAK_FROM = 0.05
SURE = 0.95  # no further alignment is tried once one scores this


@dataclass(frozen=True, eq=False)
class Regions:
    """What the checker knows of one image, computed once.

    `boxes` (N, 4) and `keypoints` are in working pixels; `rows` and `mirrored` are (N, D) unit region features;
    `scale` turns working pixels into those of the decoded image, `view_scale` into those of `view`.
    """

    boxes: NDArray[np.float32]
    rows: NDArray[np.float32]
    mirrored: NDArray[np.float32]
    keypoints: alignment.Keypoints
    view: verification.View
    luma: NDArray[np.float32]
    width: int
    scale: float
    content_share: float


@dataclass(frozen=True, eq=False)
class Verdict:
    """The best alignment found for a pair."""

    score: float
    comparison: verification.Comparison
    transform: alignment.Transform


class DuplicateChecker:
    """Finds pairs of which one picture is a crop, flip, rotation or copy of the other."""

    def __init__(self, config: DuplicatesConfig) -> None:
        self._config = config

    def check_pairs(self, pairs: Sequence[ImagePair], context: Context) -> Iterator[AttributedFinding]:
        """Yield a finding for each pair that comes near to being a duplicate; boxes hold what both pictures show."""
        for pair in pairs:
            swapped = _identity(pair.second) < _identity(pair.first)  # so that the order of a pair changes nothing
            one, two = (pair.second, pair.first) if swapped else (pair.first, pair.second)
            regions_one, regions_two = self._regions(one, context), self._regions(two, context)
            verdict = self.judge(regions_one, regions_two)
            if verdict is None or verdict.score < SPEAK_FROM:
                continue
            box_one = self._original(one, regions_one, verdict.comparison.first_box)
            box_two = self._original(two, regions_two, verdict.comparison.second_box)
            boxes = (box_two, box_one) if swapped else (box_one, box_two)
            yield pair_finding(pair, RULE, verdict.score, describe(pair, boxes, verdict.transform), boxes)

    def judge(self, first: Regions, second: Regions) -> Verdict | None:
        """Return the best-scoring alignment of two images, None where nothing speaks for one."""
        if min(first.content_share, second.content_share) < self._config.min_content:
            return None
        best: Verdict | None = None
        factor = self._config.verification_side / self._config.working_side
        for transform in self._alignments(first, second):
            comparison = verification.compare(first.view, second.view, alignment.rescaled(transform, factor))
            if comparison is None:
                continue
            score = verification.duplicate_score(comparison, self._config)
            if best is None or score > best.score:
                best = Verdict(score, comparison, transform)
            if score > SURE or comparison.structure > SURE:  # aligned: what else differs, differs
                break
        return best

    def _alignments(self, first: Regions, second: Regions) -> Iterator[alignment.Transform]:
        """Yield transforms from the first image's working pixels to the second's, the most trusted ones first."""
        config = self._config
        for mirrored in (False, True):
            found = alignment.keypoint_transform(
                first.keypoints, second.keypoints, config.min_inliers, mirrored=mirrored, width=first.width
            )
            if found is not None:
                yield found
        if min(len(first.keypoints.points), len(second.keypoints.points)) >= config.few_keypoints:
            return  # were they the same picture, their keypoints would have told
        for mirrored in (False, True):
            matches = matching.match_regions(
                first.mirrored if mirrored else first.rows,
                second.rows,
                config.neighbours,
                config.min_region_similarity,
                mirrored=mirrored,
            )
            limit = config.max_region_hypotheses
            for match in matching.supported_matches(matches, first.boxes, second.boxes, limit):
                rough = alignment.from_corners(
                    matching.box_transform(
                        first.boxes[match.first], second.boxes[match.second], mirrored=match.mirrored
                    )
                )
                refined = alignment.refine(rough, first.luma, second.luma, alignment.ECC_SIDE / config.working_side)
                if refined is not None:
                    yield refined

    def _regions(self, image: DecodedImage, context: Context) -> Regions:
        """Return the image's regions, computed the first time that they are asked for."""
        try:
            known: Regions = context.fact(image, FACT)
        except KeyError:
            known = self._compute(image, context)
            context.provide(image, FACT, known)
        return known

    def _compute(self, image: DecodedImage, context: Context) -> Regions:
        config = self._config
        pixels = proposals.working_copy(image.pixels, config.working_side)
        height, width = pixels.shape[:2]
        scale = max(image.pixels.shape[:2]) / config.working_side
        content = proposals.foreground_mask(pixels)
        boxes = proposals.propose(pixels, content, config.max_proposals, config.structured_edges_model)
        if config.features == "crop":
            pooled = features.crop_features(image, boxes, scale, context.backbone)
        else:
            pooled = features.roi_features(context.fact(image, "feature_map"), boxes, width, height)
        return Regions(
            boxes=boxes,
            rows=features.unit_rows(pooled),
            mirrored=features.unit_rows(pooled, mirrored=True),
            keypoints=alignment.find_keypoints(pixels, config.keypoints),
            view=verification.make_view(pixels, content, config.verification_side),
            luma=ecc_luma(pixels),
            width=width,
            scale=scale,
            content_share=float(content.mean()),
        )

    def _original(self, image: DecodedImage, regions: Regions, box: verification.Box) -> tuple[int, int, int, int]:
        """Turn a box at verification size into one in the pixels of the original file."""
        factor = regions.scale * self._config.working_side / self._config.verification_side
        return image.original_box(*(value * factor for value in box))


def ecc_luma(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the (h, w) float32 luma of (H, W, 3) pixels at the size at which alignments are refined."""
    small = proposals.working_copy(pixels, alignment.ECC_SIDE)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.float32)


def describe(
    pair: ImagePair, boxes: tuple[tuple[int, int, int, int], tuple[int, int, int, int]], transform: alignment.Transform
) -> str:
    """Say in a seller's words how the second image of a pair repeats the first."""
    linear = transform[:, :2]
    mirrored = bool(np.linalg.det(linear) < 0)
    notes = ["mirrored"] if mirrored else []
    turn = np.degrees(np.arctan2(linear[1, 0], abs(linear[0, 0])))
    if abs(turn) > 4:
        notes.append(f"turned by {abs(turn):.0f}°")
    shares = [
        box[2] * box[3] / (image.original_width * image.original_height)
        for image, box in zip((pair.first, pair.second), boxes, strict=True)
    ]
    if min(shares) < 0.85 and abs(shares[0] - shares[1]) > 0.1:
        part, whole = (pair.second, pair.first) if shares[1] > shares[0] else (pair.first, pair.second)
        notes.insert(0, f'"{part.id}" is a crop of "{whole.id}"')
    detail = f" ({', '.join(notes)})" if notes else ""
    return f'"{pair.first.id}" and "{pair.second.id}" show the same content{detail}'


def _identity(image: DecodedImage) -> tuple[str, str]:
    return (image.sha256, image.id)
