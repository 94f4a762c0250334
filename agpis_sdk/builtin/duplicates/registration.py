"""Registration of two images: which transform lays one over the other so that they agree most?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agpis_sdk.builtin.duplicates import affine, alignment, matching, verification
from agpis_sdk.builtin.duplicates.close_look import look_closely
from agpis_sdk.builtin.duplicates.config import DuplicatesConfig
from agpis_sdk.builtin.duplicates.picture import Picture
from agpis_sdk.builtin.duplicates.rough_look import rough_structure

SURE = 0.95  # no further alignment is tried once the structure of one agrees this well
BY_CHANCE = 6  # keypoints that agree on some transform even of unlike pictures
ROUGH = 0.5  # share of the structure asked for that a rough look must find; what an overlay hides or one half lacks may cost the rest
ALIKE = 0.6  # correlation of two whole pictures from which they are laid over each other as they are


@dataclass(frozen=True, eq=False)
class AlignedPair:
    """The best alignment found for a pair: a transform between working pixels, and what it brings to light."""

    comparison: verification.Comparison
    transform: affine.Transform


def align(first: Picture, second: Picture, config: DuplicatesConfig) -> AlignedPair | None:
    """Return the alignment under which two images agree most, None where no candidate aligns them.

    One whose structure stays below `min_structure` aligns nothing.
    """
    if min(first.content_share, second.content_share) < config.min_content:
        return None
    best: tuple[verification.Superposed, affine.Transform] | None = None
    factor = config.verification_side / config.working_side
    for transform in _alignments(first, second, config):
        over = affine.rescaled(transform, factor)
        if rough_structure(first.view, second.view, over) < ROUGH * config.min_structure:
            continue
        superposed = verification.superpose(first.view, second.view, over)
        if superposed is None or superposed.structure < config.min_structure:
            continue
        if best is None or superposed.agreement > best[0].agreement:
            best = superposed, transform
        if superposed.structure > SURE:  # aligned: what else differs, differs
            break
    return AlignedPair(best[0].measured(), best[1]) if best else None


def with_details(aligned: AlignedPair, first: Picture, second: Picture) -> AlignedPair:
    """Return an aligned pair after a close look at its details."""
    comparison, factor = aligned.comparison, max(first.pixels.shape[:2]) / max(first.view.size)
    one, two = (
        (box[0] * factor, box[1] * factor, box[2] * factor, box[3] * factor)
        for box in (comparison.first_box, comparison.second_box)
    )
    differing, recolored = look_closely(first, second, aligned.transform, (one, two))
    return replace(aligned, comparison=replace(comparison, differing=differing, recolored_details=recolored))


def _alignments(first: Picture, second: Picture, config: DuplicatesConfig) -> Iterator[affine.Transform]:
    """Yield transforms from the first image's working pixels to the second's, the cheapest ones first.

    Whole pictures that look alike as they are need no keypoints, and those on whose keypoints the pictures agree no regions,
    unless the paper's path is wanted for every pair.
    """
    if config.regions == "always":
        yield from _by_regions(first, second, config)
    yield from _whole(first, second)
    agreed = [
        alignment.agreement(first.keypoints, second.keypoints, config.min_inliers, mirrored=mirrored, width=first.width)
        for mirrored in (False, True)
    ]
    for agreement in agreed:
        yield from agreement.transforms
    if config.regions == "unsure" and not _decided(first, second, agreed, config):
        yield from _by_regions(first, second, config)


def _decided(first: Picture, second: Picture, agreed: Sequence[alignment.Agreement], config: DuplicatesConfig) -> bool:
    """Return whether keypoints decide: both pictures have enough, and clearly many agree, or no more than by chance."""
    fewest = min(len(first.keypoints.points), len(second.keypoints.points))
    agreeing = max(agreement.keypoints for agreement in agreed)
    return fewest >= config.few_keypoints and not BY_CHANCE < agreeing < config.min_inliers


def _whole(first: Picture, second: Picture) -> Iterator[affine.Transform]:
    frames = [np.array([0, 0, *picture.pixels.shape[1::-1]], np.float32) for picture in (first, second)]
    for mirrored in (False, True):
        thumbnail = first.thumbnail[:, ::-1] if mirrored else first.thumbnail
        if alignment.likeness(thumbnail, second.thumbnail) > ALIKE:
            whole = affine.from_corners(affine.box_transform(frames[0], frames[1], mirrored=mirrored))
            if alignment.plausible(whole):
                yield whole


def _by_regions(first: Picture, second: Picture, config: DuplicatesConfig) -> Iterator[affine.Transform]:
    one, two = first.regions, second.regions
    for mirrored in (False, True):
        matches = matching.match_regions(
            one.mirrored if mirrored else one.rows,
            two.rows,
            config.neighbors,
            config.min_region_similarity,
            mirrored=mirrored,
        )
        for match in matching.supported_matches(matches, one.boxes, two.boxes, config.max_region_hypotheses):
            boxes = (tuple(one.boxes[match.first].tolist()), tuple(two.boxes[match.second].tolist()))
            refined = alignment.refine_boxes(first.luma, second.luma, boxes, mirrored=match.mirrored)
            if refined is not None:
                yield refined
