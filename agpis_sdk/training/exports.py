"""Exports the models that a config names to ONNX, so that a run with them imports no torch (extra `export`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agpis_sdk.builtin.backbone_maps import MAPS
from agpis_sdk.builtin.backbones.onnx_backbone import INPUT, NORMALIZATION, OUTPUTS
from agpis_sdk.builtin.backbones.torch_backbone import TorchBackbone
from agpis_sdk.builtin.foreground import head_file as foreground
from agpis_sdk.builtin.graphs import GraphSpec, has_shipped_shapes
from agpis_sdk.builtin.muisc.graph_judge import GraphJudge, specs_of
from agpis_sdk.builtin.muisc.saved_config import architecture_of, read_config
from agpis_sdk.builtin.noncompliance import head_file as noncompliance
from agpis_sdk.config import Config
from agpis_sdk.errors import WeightsError
from agpis_sdk.files import written_whole
from agpis_sdk.media.decode import as_image
from agpis_sdk.pipeline.plan import make_plan
from agpis_sdk.plugins import PluginHost
from agpis_sdk.training.graphs import IR_VERSION, export

HEADS = {"foreground": foreground.GRAPH, "noncompliance": noncompliance.GRAPH}
SCORER = "muisc"


@dataclass(frozen=True)
class ExportedModel:
    """A component of a run, the files that were written for it, and the settings by which a run finds them.

    Without files the component needs none: it runs without torch as it is.
    """

    component: str
    files: tuple[Path, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


def export_models(host: PluginHost, config: Config, folder: Path) -> Iterator[ExportedModel]:
    """Export what a run with these settings would compute in torch: the backbone into `folder`, graphs beside their weights.

    Raises `WeightsError` for a model that cannot be exported.
    """
    plan = make_plan(host, config)
    shapes: dict[str, tuple[int, ...]] = {}
    for owned in plan.components():
        name = owned.spec.name
        settings = host.settings_of(owned, config.components)
        if owned is plan.backbone:
            backbone = host.create(owned, config.components, device="cpu")
            (facts,) = backbone.features([as_image(np.zeros((64, 64, 3), np.uint8))])
            shapes = {fact: np.shape(value) for fact, value in facts.items()}
            yield _backbone(name, backbone, folder)
        elif name in HEADS:
            yield _head(name, HEADS[name], getattr(settings, "weights", None), shapes)
        elif name == SCORER:
            yield _scorer(getattr(settings, "model", None))


def _backbone(name: str, backbone: Any, folder: Path) -> ExportedModel:
    if not isinstance(backbone, TorchBackbone):
        return ExportedModel(name)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.onnx"
    batch = torch.zeros(backbone.batch_size, 3, backbone.input_size, backbone.input_size)
    with torch.no_grad():
        program = torch.onnx.export(
            _Facts(backbone).eval(),
            (batch,),
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise WeightsError("torch exports nothing for it", item=name)
    model = program.model_proto
    model.ir_version = IR_VERSION
    normalization = {name: getattr(backbone, name).ravel().tolist() for name in ("mean", "std")}
    model.metadata_props.add(key=NORMALIZATION, value=json.dumps(normalization))
    with written_whole(file) as unfinished:
        unfinished.write_bytes(model.SerializeToString(deterministic=True))
    return ExportedModel(name, (file,), {"backbone.name": "onnx", "components.onnx.file": str(file)})


class _Facts(torch.nn.Module):
    """From pictures to the four facts, as a tuple."""

    def __init__(self, backbone: TorchBackbone) -> None:
        super().__init__()
        self.model = backbone.model.to(memory_format=torch.contiguous_format)  # its parameters are to be found here
        self._backbone = backbone

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the facts of a batch."""
        facts = self._backbone.forward(pictures)
        return tuple(facts[name].float() for name in OUTPUTS)


def _head(name: str, spec: GraphSpec, weights: Path | None, shapes: Mapping[str, tuple[int, ...]]) -> ExportedModel:
    if weights is None or has_shipped_shapes(spec, weights):
        return ExportedModel(name)
    file = weights.with_suffix(".onnx")
    maps: dict[str, tuple[int | str, ...]] = {fact: ("batch", *shapes[fact]) for fact in MAPS}
    export(replace(spec, weights=weights, inputs={**spec.inputs, **maps}), file)
    return ExportedModel(name, (file,))


def _scorer(folder: Path | None) -> ExportedModel:
    if folder is None or GraphJudge.fits_shipped(folder):
        return ExportedModel(SCORER)
    config = read_config(folder)
    if config.get("tower") or config.get("fusion") == "early" or not config.get("num_decoder_layers"):
        raise WeightsError("reads pixels of its own, or writes no feedback, and runs in torch alone", item=str(folder))
    specs = specs_of(folder)
    for spec in specs:
        export(spec, spec.file, made_of=architecture_of(folder))
    return ExportedModel(SCORER, tuple(spec.file for spec in specs))
