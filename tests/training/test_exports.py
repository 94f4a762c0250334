"""`agpis models export`: a run with a user's own models computes what torch computes, and imports no torch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agpis_sdk.builtin.foreground import composition
from agpis_sdk.builtin.foreground.head_file import HeadSizes as ForegroundSizes
from agpis_sdk.builtin.muisc.features import REQUIRED_FACTS, image_tokens
from agpis_sdk.builtin.muisc.saved_config import SHIPPED_FOLDER
from agpis_sdk.builtin.noncompliance.head_file import HeadSizes
from agpis_sdk.builtin.view.model import ViewHead
from agpis_sdk.config import Config
from agpis_sdk.facts import VIEWS
from agpis_sdk.media.decode import as_image
from agpis_sdk.pipeline.pipeline import Pipeline
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Outcome
from tests.pipeline.fakes import product

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")
pytest.importorskip("onnxscript")

HOST = PluginHost.load(discover=False)
MODEL = "resnet10t"
SIDE = 64


@dataclass(frozen=True)
class OwnModels:
    """A folder of models with random weights, of sizes that no shipped graph fits, and the settings that name them."""

    folder: Path

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "backbone.name": "timm",
            "components.timm": {"model": MODEL, "checkpoint": str(self.folder / "timm.pth"), "input_size": SIDE},
            "components.foreground": {"weights": str(self.folder / "foreground.safetensors")},
            "components.noncompliance": {"weights": str(self.folder / "noncompliance.safetensors")},
            "components.view": {"weights": str(self.folder / "view.safetensors")},
            "components.muisc": {"model": str(self.folder / "muisc")},
        }

    def config(self, **changes: Any) -> Config:
        # Tiny pictures of noise, and random weights: no rule of stage 1 is to remove them.
        nested: dict[str, Any] = {
            "rules": {"select": ["AGP3"]},
            "primary": {"threshold": 0.0},
            "sequence": {"builder": "listed"},
        }
        for dotted, value in {**self.settings, **changes}.items():
            section, _, name = dotted.partition(".")
            nested.setdefault(section, {})[name] = value
        return Config.model_validate(nested)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> OwnModels:
    from agpis_sdk.builtin.backbones.config import TimmConfig
    from agpis_sdk.builtin.backbones.timm_backbone import TimmBackbone
    from agpis_sdk.builtin.foreground.model import ForegroundHead
    from agpis_sdk.builtin.muisc.model import Muisc, MuiscConfig
    from agpis_sdk.builtin.noncompliance.model import NoncomplianceHead

    folder = tmp_path_factory.mktemp("own")
    torch.manual_seed(0)
    torch.save(timm.create_model(MODEL).state_dict(), folder / "timm.pth")
    backbone = TimmBackbone(TimmConfig(model=MODEL, checkpoint=folder / "timm.pth", input_size=SIDE))
    (facts,) = backbone.features([as_image(np.zeros((64, 64, 3), np.uint8))])
    shapes = {name: value.shape for name, value in facts.items()}
    ForegroundHead(ForegroundSizes.of(shapes)).save(folder / "foreground.safetensors")
    head = NoncomplianceHead(HeadSizes.of(shapes))
    head.to_kinds.bias.data -= 8  # or random weights would remove every image
    head.save(folder / "noncompliance.safetensors")
    random = np.random.default_rng(0).normal(size=(len(composition.NAMES), len(VIEWS) + 1)).astype(np.float32)
    ViewHead(random, np.zeros((len(facts["embedding"]), len(VIEWS) + 1), np.float32), random[0]).save(
        folder / "view.safetensors"
    )
    tokens, global_token = image_tokens({name: facts[name] for name in REQUIRED_FACTS})
    shutil.copytree(SHIPPED_FOLDER, folder / "muisc", ignore=shutil.ignore_patterns("*.onnx"))
    shipped = MuiscConfig.from_pretrained(SHIPPED_FOLDER, local_files_only=True).to_dict()
    sizes = {"token_channels": tokens.shape[1], "num_patches": len(tokens), "global_channels": len(global_token)}
    Muisc(MuiscConfig(**{**shipped, **sizes, "hidden_size": 32, "num_attention_heads": 4})).save_pretrained(
        folder / "muisc"
    )
    return OwnModels(folder)


def run_apart(config: Config, products: list[dict[str, Any]]) -> tuple[list[str], list[Outcome]]:
    """Run products in a process of their own; return which libraries of models it imported, and the outcomes."""
    code = """
import json, sys
from agpis_sdk.config import Config
from agpis_sdk.pipeline.pipeline import Pipeline
from agpis_sdk.plugins import PluginHost
config, products = json.load(sys.stdin)
outcomes = list(Pipeline(Config.model_validate(config), host=PluginHost.load(discover=False)).run(products))
heavy = [name for name in ("torch", "timm", "transformers") if name in sys.modules]
print(json.dumps([heavy, [outcome.model_dump(mode="json") for outcome in outcomes]]))
"""
    given = json.dumps([config.model_dump(mode="json"), products])
    told = subprocess.run([sys.executable, "-c", code], input=given, capture_output=True, text=True, check=True)
    heavy, found = json.loads(told.stdout)
    return heavy, [Outcome.model_validate(one) for one in found]


@pytest.mark.slow
def test_a_run_with_exported_models_imports_no_torch_and_decides_the_same(own: OwnModels, gallery: Path) -> None:
    from agpis_sdk.training.exports import export_models

    products = [product(gallery, "abcd", "P1"), product(gallery, "efgh", "P2")]
    in_torch = list(Pipeline(own.config(), host=HOST).run(products))

    exported = {one.component: one for one in export_models(HOST, own.config(), own.folder / "exported")}
    (backbone,) = exported["timm"].files
    changed = own.config(**{"backbone.name": "onnx", "components.onnx": {"file": str(backbone)}})
    heavy, by_graph = run_apart(changed, products)

    assert heavy == []
    assert [(one.status, one.sequence) for one in by_graph] == [(one.status, one.sequence) for one in in_torch]
    assert None not in [one.probability for one in in_torch]
    assert [one.probability for one in by_graph] == pytest.approx([one.probability for one in in_torch], abs=0.01)


@pytest.mark.slow
def test_what_ships_needs_no_export(tmp_path: Path) -> None:
    from agpis_sdk.training.exports import export_models

    assert {one.component: one.files for one in export_models(HOST, Config(), tmp_path)} == {
        "efficientnet-lite0": (), "foreground": (), "noncompliance": (), "muisc": (),
    }  # fmt: skip


@pytest.mark.slow
def test_graphs_of_another_config_than_the_folder_s_are_left_alone(own: OwnModels, tmp_path: Path) -> None:
    from agpis_sdk.builtin.muisc.graph_judge import GraphJudge
    from agpis_sdk.training.exports import _scorer

    folder = Path(shutil.copytree(own.folder / "muisc", tmp_path / "muisc"))
    _scorer(folder)
    assert GraphJudge.fits(folder, "cpu")

    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "compare_images": not config["compare_images"]}))

    assert not GraphJudge.fits(folder, "cpu")


@pytest.mark.parametrize(
    ("settings", "said"), [({}, "components.onnx.file"), ({"file": "nowhere.onnx"}, "agpis models export")]
)
def test_a_backbone_without_a_graph_is_told_how_to_get_one(settings: dict[str, str], said: str) -> None:
    from agpis_sdk.builtin.backbones.config import OnnxConfig
    from agpis_sdk.builtin.backbones.onnx_backbone import OnnxBackbone
    from agpis_sdk.errors import AgpisError

    with pytest.raises(AgpisError, match=said):
        OnnxBackbone(OnnxConfig.model_validate(settings))
