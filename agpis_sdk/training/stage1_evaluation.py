"""What a trained model of stage 1 is worth: the primary head, the non-compliance head, the verdict on pairs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from agpis_sdk.builtin.duplicates.verdict import VerdictHead
from agpis_sdk.builtin.noncompliance.model import NoncomplianceHead
from agpis_sdk.builtin.primary.model import PrimaryHead
from agpis_sdk.components import Backbone
from agpis_sdk.datasets.splits import Split
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.records import Review

FILES = ("primary.safetensors", "noncompliance.safetensors", "verdict.safetensors")


def stage1_file(model: Path) -> Path | None:
    """Return the weights of a stage 1 model: the file itself, or the one in a folder of `agpis train`; None for others."""
    candidates = [model] if model.is_file() else [model / name for name in FILES]
    return next((path for path in candidates if path.name in FILES and path.is_file()), None)


def evaluate_stage1(
    weights: Path, reviews: Iterable[Review], photos: Sequence[Path], backbone: Backbone, *, split: Split, seed: int = 0
) -> dict[str, Any]:
    """Return the figures of a stage 1 model on one split of accepted reviews, or for pairs of folders of photos.

    Primary: top-1, mean reciprocal rank. Non-compliance: AUC by kind, average precision, pointing game. Pairs: the share
    of each kind of pair that gets each verdict. Raises `TrainingDataError` where pairs are asked of reviews.
    """
    if weights.name == "primary.safetensors":
        from agpis_sdk.training.primary import gallery_metrics, ranked_galleries

        galleries = [gallery for gallery in ranked_galleries(reviews, backbone, seed=seed) if gallery.split == split]
        return gallery_metrics(galleries, PrimaryHead.load(weights))
    if weights.name == "noncompliance.safetensors":
        from agpis_sdk.training.noncompliance import draw, feature_table, measure

        table = feature_table(draw(reviews, seed=seed, draws=8, single_photos=1000), backbone)
        return measure(table, NoncomplianceHead.load(weights), split)
    if not photos:
        raise TrainingDataError("pairs are made of folders of photos", item=str(weights), remedy="name them: --photos")
    from agpis_sdk.synthetic.pairs import labeled_pairs
    from agpis_sdk.training.duplicates import measure as measure_pairs
    from agpis_sdk.training.duplicates import measured

    pairs = [pair for pair in labeled_pairs(photos, seed=seed) if pair.split == split]
    return measure_pairs(list(measured(pairs, backbone)), VerdictHead.load(weights))
