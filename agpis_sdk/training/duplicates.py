"""Trains the verdict on image pairs: duplicate, color variant, similar angle or fine (paper section 3.3.2).

Products of the test split are never seen in training, nor the fonts, wordings and layouts of its banners.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.duplicates.config import DuplicatesConfig
from agpis_sdk.builtin.duplicates.picture import Picture
from agpis_sdk.builtin.duplicates.registration import align, with_details
from agpis_sdk.builtin.duplicates.verdict import KINDS, PairKind, VerdictHead, verdict_features
from agpis_sdk.builtin.duplicates.verification import Comparison
from agpis_sdk.components import Backbone, DecodedImage
from agpis_sdk.datasets.splits import Split
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.synthetic.pairs import LabeledPair, labeled_pairs
from agpis_sdk.synthetic.pairs import PairKind as LabeledKind
from agpis_sdk.training.components import weights_file, write_head
from agpis_sdk.training.request import Evaluation, EvaluationRequest, TrainingRequest, one_split

LEAST_STRUCTURE = 0.5  # below it no detail makes a pair a duplicate, so none is looked at
WEIGHTS = "verdict.safetensors"
CONFIG = DuplicatesConfig()  # pairs are measured and judged as a run does by default


@dataclass(frozen=True, eq=False)
class MeasuredPair:
    """A labeled pair with its comparison, None where the pair could not be aligned."""

    kind: LabeledKind
    change: str
    split: Split
    folder: str
    comparison: Comparison | None

    @property
    def label(self) -> int:
        """The verdict's class: other views and other products are both "other"."""
        return KINDS.index("other" if self.kind in ("view", "product") else self.kind)


def train_pairs(folders: Sequence[Path], out: Path, backbone: Backbone, *, seed: int = 0) -> dict[str, Any]:
    """Train on the pairs of folders with a `products.jsonl`, measure on unseen products, write weights and metrics.

    Raises `TrainingDataError` when a kind of pair is missing from the train split.
    """
    pairs = list(measured(labeled_pairs(folders, seed=seed), backbone))
    head = fit([pair for pair in pairs if pair.split == "train"])
    metrics = {
        "seed": seed,
        "train_pairs": sum(pair.split == "train" for pair in pairs),
        **{split: measure([pair for pair in pairs if pair.split == split], head) for split in ("validation", "test")},
    }
    write_head(head, out, WEIGHTS, metrics)
    return metrics


def train(request: TrainingRequest) -> dict[str, Any]:
    """Train the verdict on pairs as `agpis train duplicates` asks."""
    return train_pairs(request.folders(), request.out, request.backbone(), seed=request.seed)


def evaluate(request: EvaluationRequest) -> Evaluation:
    """Measure a verdict on pairs: the share of each kind of pair that gets each verdict."""
    head = VerdictHead.load(weights_file(request.model, WEIGHTS))
    split = one_split(request)
    pairs = [pair for pair in labeled_pairs(request.folders(), seed=request.seed) if pair.split == split]
    return Evaluation(measure(list(measured(pairs, request.backbone())), head))


def measured(pairs: Iterable[LabeledPair], backbone: Backbone) -> Iterator[MeasuredPair]:
    """Yield each pair with its comparison, however little it agrees; the regions of an image are found once per product."""
    at_all = CONFIG.model_copy(update={"min_structure": -1.0})  # pairs that are no one shot teach what is none
    for _, group in itertools.groupby(pairs, key=lambda pair: pair.first.product_id):
        chunk = list(group)
        images = {image.key: image for pair in chunk for image in (pair.first, pair.second)}
        pictures = {
            key: Picture(image, partial(_stride16, image, backbone), backbone, CONFIG) for key, image in images.items()
        }
        for pair in chunk:
            first, second = pictures[pair.first.key], pictures[pair.second.key]
            found = align(first, second, CONFIG) or align(first, second, at_all)
            if found and found.comparison.structure >= LEAST_STRUCTURE:
                found = with_details(found, first, second)
            comparison = found.comparison if found else None
            yield MeasuredPair(pair.kind, pair.change, pair.split, pair.folder, comparison)


def _stride16(image: DecodedImage, backbone: Backbone) -> NDArray[np.float32]:
    return backbone.features([image])[0]["stride16"]


def fit(pairs: Sequence[MeasuredPair]) -> VerdictHead:
    """Fit a multinomial logistic regression on standardized features and fold the standardization into its weights."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    aligned = [pair for pair in pairs if pair.comparison is not None]
    labels = np.array([pair.label for pair in aligned])
    missing = [kind for index, kind in enumerate(KINDS) if index not in labels]
    if missing:
        raise TrainingDataError(
            f"no pair of the train split is {' or '.join(missing)}",
            item="pairs",
            remedy="give folders whose products have several photos and a facts.json",
        )
    features = np.stack([verdict_features(pair.comparison) for pair in aligned if pair.comparison is not None])
    scaler = StandardScaler().fit(features)
    model = LogisticRegression(C=1.0, max_iter=5000, class_weight="balanced").fit(scaler.transform(features), labels)
    weight = model.coef_ / scaler.scale_  # (kinds, features)
    return VerdictHead(weight.astype(np.float32), (model.intercept_ - weight @ scaler.mean_).astype(np.float32))


def measure(pairs: Sequence[MeasuredPair], head: VerdictHead) -> dict[str, Any]:
    """Return, for each kind of pair and change, how many there are and which share gets each verdict at 0.5."""
    groups: dict[str, list[PairKind | None]] = {}
    for pair in pairs:
        name = f"{pair.kind}: {pair.change}" if pair.change else pair.kind
        groups.setdefault(name, []).append(verdict(pair, head))
    return {
        name: {
            "pairs": len(verdicts),
            **{kind: round(verdicts.count(kind) / len(verdicts), 4) for kind in KINDS[:-1]},
        }
        for name, verdicts in sorted(groups.items())
    }


def verdict(pair: MeasuredPair, head: VerdictHead) -> PairKind | None:
    """Return the kind of probability 0.5 or more, None where nothing is that sure, or the two are no one shot."""
    if pair.comparison is None or pair.comparison.structure < CONFIG.min_structure:
        return None
    probabilities = head.probabilities(pair.comparison)
    best = max(KINDS, key=lambda kind: probabilities[kind])
    return best if probabilities[best] >= 0.5 else None
