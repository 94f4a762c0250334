"""Registration of two images: which transform lays one over the other so that they agree most?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agpis_sdk.builtin.duplicates import affine, alignment, matching, verification
from agpis_sdk.builtin.duplicates.config import DuplicatesConfig
from agpis_sdk.builtin.duplicates.regions import Regions

SURE = 0.95  # no further alignment is tried once the structure of one agrees this well


@dataclass(frozen=True, eq=False)
class AlignedPair:
    """The best alignment found for a pair: a transform between working pixels, and what it brings to light."""

    comparison: verification.Comparison
    transform: affine.Transform


def align(first: Regions, second: Regions, config: DuplicatesConfig) -> AlignedPair | None:
    """Return the alignment under which two images agree most, None where no candidate aligns them."""
    if min(first.content_share, second.content_share) < config.min_content:
        return None
    best: AlignedPair | None = None
    factor = config.verification_side / config.working_side
    for transform in _alignments(first, second, config):
        comparison = verification.compare(first.view, second.view, affine.rescaled(transform, factor))
        if comparison is None:
            continue
        if best is None or comparison.agreement > best.comparison.agreement:
            best = AlignedPair(comparison, transform)
        if comparison.structure > SURE:  # aligned: what else differs, differs
            break
    return best


def _alignments(first: Regions, second: Regions, config: DuplicatesConfig) -> Iterator[affine.Transform]:
    """Yield transforms from the first image's working pixels to the second's, the most trusted ones first."""
    for mirrored in (False, True):
        found = alignment.keypoint_transform(
            first.keypoints, second.keypoints, config.min_inliers, mirrored=mirrored, width=first.width
        )
        if found is not None:
            yield found
    if min(len(first.keypoints.points), len(second.keypoints.points)) >= config.few_keypoints:
        return  # were they the same picture, their keypoints would have matched
    for mirrored in (False, True):
        matches = matching.match_regions(
            first.mirrored if mirrored else first.rows,
            second.rows,
            config.neighbors,
            config.min_region_similarity,
            mirrored=mirrored,
        )
        limit = config.max_region_hypotheses
        for match in matching.supported_matches(matches, first.boxes, second.boxes, limit):
            rough = affine.from_corners(
                affine.box_transform(first.boxes[match.first], second.boxes[match.second], mirrored=match.mirrored)
            )
            refined = alignment.refine(rough, first.luma, second.luma, alignment.ECC_SIDE / config.working_side)
            if refined is not None:
                yield refined
