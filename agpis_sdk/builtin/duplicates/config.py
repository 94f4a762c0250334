"""Settings of the duplicate-content checker."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from agpis_sdk.components import ComponentConfig


class DuplicatesConfig(ComponentConfig):
    """How regions are proposed, matched and verified, and who gives the verdict."""

    weights: Path | None = Field(
        default=None, description="A file of `agpis train duplicates`; the shipped one when unset."
    )

    features: Literal["roi_align", "crop"] = Field(
        default="roi_align",
        description='"roi_align" cuts regions from the feature map; "crop" sends every region through the backbone, '
        "as in the paper, at some thirty times the cost.",
    )
    working_side: int = Field(default=256, ge=64, description="Long side in pixels at which regions are found.")
    verification_side: int = Field(
        default=160, ge=48, description="Long side in pixels at which two aligned pictures are compared."
    )
    detail_side: int = Field(
        default=448, ge=48, description="Long side in pixels at which the details of a likely duplicate are compared."
    )
    max_proposals: int = Field(default=30, ge=1, description="Regions per image from EdgeBoxes.")
    structured_edges_model: Path | None = Field(
        default=None, description="Model of cv2.ximgproc.createStructuredEdgeDetection; plain gradients when unset."
    )
    neighbors: int = Field(default=2, ge=1, description="k of the mutual nearest-neighbor match between regions.")
    min_region_similarity: float = Field(
        default=0.5, ge=-1, le=1, description="Cosine similarity from which two regions are a candidate match."
    )
    max_region_hypotheses: int = Field(
        default=2, ge=0, description="Matched regions per pair and orientation that are aligned and verified."
    )
    keypoints: int = Field(default=300, ge=0, description="SIFT keypoints per image; 0 aligns by regions alone.")
    min_inliers: int = Field(default=8, ge=3, description="Keypoint matches that must agree on one alignment.")
    regions: Literal["unsure", "always"] = Field(
        default="unsure",
        description='Pairs whose regions are matched: "unsure" are those on which keypoints do not decide, "always" is the paper.',
    )
    few_keypoints: int = Field(
        default=40, ge=0, description="Keypoints decide nothing where one of the pictures has fewer than this."
    )
    min_structure: float = Field(
        default=0.4,
        ge=-1,
        lt=1,
        description="Local correlation below which two aligned pictures are different shots, whatever their colors.",
    )
    min_shared: float = Field(
        default=0.25,
        gt=0,
        le=1,
        description="Share of the wider picture's content that the closer one must show; less is AGP206, a detail.",
    )
    min_content: float = Field(
        default=0.02, gt=0, le=1, description="Share of a picture that must be content, not background."
    )
