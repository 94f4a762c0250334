"""What a training run was: data, config, code and machine, so that a figure can be traced."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from collections import Counter
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from agpis_sdk.builtin.muisc.model import MuiscConfig
from agpis_sdk.datasets.review_features import LearnableReviews, ReviewFeatures

if TYPE_CHECKING:
    from agpis_sdk.training.muisc.trainer import TrainingPlan


def describe_run(features: LearnableReviews, config: MuiscConfig, plan: TrainingPlan) -> dict[str, Any]:
    """Return the facts of a run, ready for JSON."""
    return {
        "data_sha256": data_hash(features),
        "reviews": dict(sorted(Counter(review.split for review in features.reviews).items())),
        "config": {name: value for name, value in config.to_dict().items() if name != "classes"},
        "plan": asdict(plan),
        "git_revision": git_revision(),
        "versions": {name: metadata.version(name) for name in ("agpis-sdk", "torch", "transformers", "accelerate")},
        "hardware": hardware(),
    }


def drop_checkpoints(out: Path) -> None:
    """Delete the checkpoints of a run that is over: going on after an interruption was all they were for."""
    for checkpoint in out.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)


def data_hash(features: LearnableReviews) -> str:
    """Return the SHA-256 of what was learned from: words, labels, splits and image features."""
    digest = hashlib.sha256()
    for review in features.reviews:
        digest.update(repr(review).encode())
    if isinstance(features, ReviewFeatures):
        digest.update(features.global_tokens.tobytes())
    return digest.hexdigest()


def git_revision() -> str | None:
    """Return the revision of the code that runs; None where it is no checkout."""
    try:
        asked = subprocess.run(
            ["git", "describe", "--always", "--dirty"],  # noqa: S607 - whichever git the user has
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return asked.stdout.strip()


def hardware() -> str:
    """Return the machine in words."""
    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return f"{os.cpu_count()} CPU cores, {platform.machine()}, {torch.get_num_threads()} threads"
