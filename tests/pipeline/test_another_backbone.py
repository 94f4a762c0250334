"""All of stage 1 is trained and run on another backbone than the default one; weights that do not fit are refused."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from typer.testing import CliRunner

from agpis_sdk.builtin.backbones.config import TimmConfig
from agpis_sdk.builtin.backbones.timm_backbone import TimmBackbone
from agpis_sdk.builtin.foreground.config import ForegroundTrainingConfig
from agpis_sdk.builtin.primary.config import PrimaryTrainingConfig
from agpis_sdk.cli.app import app
from agpis_sdk.config import Config
from agpis_sdk.datasets.galleries import products_of, read_galleries
from agpis_sdk.errors import PluginLoadError, WeightsError
from agpis_sdk.pipeline.backbone import check_backbone
from agpis_sdk.pipeline.guard import Component
from agpis_sdk.pipeline.image_facts import RunFacts, image_facts
from agpis_sdk.pipeline.pipeline import Pipeline
from agpis_sdk.plugins import OwnedSpec, PluginHost
from agpis_sdk.training import foreground, primary, view
from agpis_sdk.training.noncompliance import train_noncompliance
from agpis_sdk.training.request import TrainingRequest
from tests.pipeline.fakes import Fake, Stand
from tests.training.conftest import red_first

MODEL = "resnet10t"
HOST = PluginHost.load(discover=False)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A small timm model with weights of its own, as a user's checkpoint file."""
    torch.manual_seed(0)
    path = tmp_path / "model.pth"
    torch.save(timm.create_model(MODEL).state_dict(), path)
    return path


def configured(checkpoint: Path, **components: dict[str, Any]) -> Config:
    return Config.model_validate(
        {
            "backbone": {"name": "timm"},
            "sequence": {"scorer": "none", "builder": "listed"},
            "components": {"timm": {"model": MODEL, "checkpoint": str(checkpoint), "input_size": 64}, **components},
        }
    )


def test_shipped_weights_are_refused_before_the_first_product(checkpoint: Path) -> None:
    with pytest.raises(WeightsError, match=r"trained on a backbone with .*backbone\.name"):
        Pipeline(configured(checkpoint), host=PluginHost.load(discover=False))


def test_a_backbone_that_fails_on_a_plain_picture_is_named_before_the_first_product() -> None:
    class Trained:
        def check_backbone(self, shapes: object) -> None:
            raise AssertionError("it was asked")

    def fail(images: object) -> None:
        raise RuntimeError("out of ink")

    (spec,) = Stand().backbone(fail).specs["agpis_backbones"]
    plugin = PluginHost.load(discover=False).statuses[0]
    backbone = Component(OwnedSpec(spec, plugin), Fake(features=fail))

    with pytest.raises(PluginLoadError, match=r"plain .*fails on a plain picture: RuntimeError: out of ink"):
        check_backbone(backbone, [Component(OwnedSpec(spec, plugin), Trained())])


def test_the_doctor_finds_weights_that_do_not_fit(checkpoint: Path) -> None:
    settings = ("backbone.name=timm", f"components.timm.model={MODEL}", f"components.timm.checkpoint={checkpoint}")

    answer = CliRunner().invoke(app, ["doctor", *(part for one in settings for part in ("--set", one))])

    assert answer.exit_code == 2
    assert all(f"FAIL  {name}" in answer.output for name in ("foreground", "noncompliance", "view"))


@pytest.mark.slow
def test_stage_1_is_trained_and_run_on_it(checkpoint: Path, tmp_path: Path) -> None:
    shop, out = tmp_path / "shop", tmp_path / "out"
    shop.mkdir()
    red_first(shop)
    backbone = TimmBackbone(TimmConfig(model=MODEL, checkpoint=checkpoint, input_size=64))
    weights: dict[str, dict[str, Any]] = {}

    def request(name: str, **given: Any) -> TrainingRequest:
        config = configured(checkpoint, **weights)
        facts = partial(image_facts, host=HOST, config=config)
        return TrainingRequest(
            out=out / name,
            photos=(shop,),
            backbone=lambda: backbone,
            image_facts=facts,
            run_facts=partial(RunFacts, host=HOST, config=config),
            rules=HOST.rules,
            note=print,
            **given,
        )

    # In the order in which they read each other's facts; the shipped heads teach where the product is and what it shows.
    foreground.train(request("foreground", settings=ForegroundTrainingConfig(epochs=1)))
    weights["foreground"] = {"weights": str(out / "foreground" / foreground.WEIGHTS)}
    view.train(request("view"))
    weights["view"] = {"weights": str(out / "view" / view.WEIGHTS)}
    train_noncompliance(read_galleries([shop]), out / "noncompliance", backbone, epochs=1, draws=1)
    weights["noncompliance"] = {"weights": str(out / "noncompliance" / "noncompliance.safetensors")}
    primary.train(request("primary", settings=PrimaryTrainingConfig()))
    weights["primary"] = {"weights": str(out / "primary" / primary.WEIGHTS)}
    outcomes = list(Pipeline(configured(checkpoint, **weights), host=HOST).run(list(products_of(shop))[:3]))

    assert [len(outcome.images) for outcome in outcomes] == [4, 4, 4]
    assert all(image.p_noncompliant is not None for outcome in outcomes for image in outcome.images)
    assert all(image.p_primary is not None for outcome in outcomes for image in outcome.images)
    assert not [finding for outcome in outcomes for finding in outcome.findings if finding.code == "AGP902"]
