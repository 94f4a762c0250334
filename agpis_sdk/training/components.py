"""Training and evaluation by component name: whoever announces a trainer or an evaluator in its spec has one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from agpis_sdk.config import validate
from agpis_sdk.errors import ConfigError, TrainingDataError
from agpis_sdk.plugins import OwnedSpec, PluginHost, imported
from agpis_sdk.training.request import Evaluation, EvaluationRequest, TrainingRequest
from agpis_sdk.training.trained_products import note_trained_products, warn_of_trained_products

PROVENANCE = "component.json"


def trainable(host: PluginHost) -> dict[str, OwnedSpec]:
    """Return the components that announce a trainer, by name."""
    return {owned.spec.name: owned for _, owned in host.all_specs() if owned.spec.trainer}


def trainer_settings(owned: OwnedSpec, options: Mapping[str, Any]) -> Any:
    """Validate a trainer's options; raises `ConfigError` naming the option, with the nearest one that there is."""
    return validate(owned.spec.trainer_config, options, item=f"agpis train {owned.spec.name}")


def train(owned: OwnedSpec, request: TrainingRequest) -> Mapping[str, Any]:
    """Train a component and note in the folder which one it was; returns the trainer's figures."""
    trainer = imported(owned, owned.spec.trainer)
    request.out.mkdir(parents=True, exist_ok=True)
    figures: Mapping[str, Any] = trainer(request)
    written = {"component": owned.spec.name, "plugin": owned.plugin.owner, "seed": request.seed}
    (request.out / PROVENANCE).write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    note_trained_products(request)
    return figures


def evaluate(host: PluginHost, request: EvaluationRequest, component: str | None, default: str) -> Evaluation:
    """Measure a trained model with the evaluator of its component.

    The component is the one named, else the one noted in the model's folder, else `default`: the run's scorer, whose
    models may also be known by a name. Raises `UnknownNameError` for a component that no plugin announces, and
    `ConfigError` where it has no evaluator.
    """
    owned = host.component(component or _noted(Path(request.model)) or default)
    if not owned.spec.evaluator:
        with_one = [other.spec.name for _, other in host.all_specs() if other.spec.evaluator]
        raise ConfigError(
            "has no evaluator", item=f'component "{owned.spec.name}"', remedy=f"those that have: {', '.join(with_one)}"
        )
    warn_of_trained_products(request)
    evaluation: Evaluation = imported(owned, owned.spec.evaluator)(request)
    return evaluation


class Head(Protocol):
    """A trained head that can be written to a file."""

    def save(self, path: Path) -> None:
        """Write the weights."""
        ...


def write_head(head: Head, out: Path, name: str, metrics: Mapping[str, Any]) -> None:
    """Write a head's weights to a folder under a name, and beside them what it is worth."""
    out.mkdir(parents=True, exist_ok=True)
    head.save(out / name)
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")


def weights_file(model: str, name: str) -> Path:
    """Return the weights that a path names: the file itself, or the file of that name in a training folder."""
    path = Path(model)
    found = path if path.is_file() else path / name
    if not found.is_file():
        raise TrainingDataError(f"holds no {name}", item=model, remedy="name a folder of agpis train")
    return found


def _noted(model: Path) -> str | None:
    """Return the component that a training folder, or the folder of a weights file, was made for."""
    for folder in (model, model.parent):
        path = folder / PROVENANCE
        if path.is_file():
            try:
                return str(json.loads(path.read_text(encoding="utf-8"))["component"])
            except (ValueError, KeyError, TypeError):
                raise TrainingDataError(
                    "does not say whose model it is", item=str(path), remedy="name it: --component NAME"
                ) from None
    return None
