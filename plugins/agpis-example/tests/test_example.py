"""The example plugin: found by its entry point, checked picture by picture, and raised by a whole run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from agpis_example import plugin
from agpis_example.backbone import ColorGridBackbone
from agpis_example.checker import GrayPictureChecker, ShapeMismatchChecker, largest_saturation
from agpis_example.config import ColorGridConfig, GrayPictureConfig, MostColorfulConfig, ShapeMismatchConfig
from agpis_example.rules import GRAY_LEADS, GRAY_PICTURE, SHAPE_MISMATCH
from agpis_example.selector import MostColorfulSelector
from agpis_example.sequence import GrayLeadsChecker
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from agpis_sdk import (
    BackboneSpec,
    Config,
    Context,
    DecodedImage,
    ImagePair,
    ImageSequence,
    Pipeline,
    PrimarySelectorSpec,
    Product,
    Rule,
    hookimpl,
)
from agpis_sdk.builtin.builders import plugin as builders
from agpis_sdk.cli.app import app
from agpis_sdk.config import MediaSection, PluginsSection
from agpis_sdk.media.decode import decode_image
from agpis_sdk.plugins import PluginHost
from agpis_sdk.rules import PAGE_HEADINGS
from agpis_sdk.testing import (
    BackboneContract,
    ImageCheckerContract,
    PairCheckerContract,
    PrimarySelectorContract,
    SequenceBuilderContract,
    SequenceCheckerContract,
)

NO_CONTEXT = cast("Context", None)


def picture(color: tuple[int, int, int], size: tuple[int, int] = (40, 30)) -> NDArray[np.uint8]:
    return np.asarray(Image.new("RGB", size, color))


def decoded(pixels: NDArray[np.uint8], image_id: str = "a") -> DecodedImage:
    return DecodedImage(
        product_id="P1",
        id=image_id,
        position=0,
        pixels=pixels,
        original_width=pixels.shape[1],
        original_height=pixels.shape[0],
        scale=1.0,
        byte_count=1,
        sha256="",
        format="PNG",
    )


def gray_score(pixels: NDArray[np.uint8], **settings: float) -> float:
    checker = GrayPictureChecker(GrayPictureConfig(**settings))
    return max((finding.score for finding in checker.check_images([decoded(pixels)], NO_CONTEXT)), default=0.0)


def shape_score(first: tuple[int, int], second: tuple[int, int], **settings: float) -> float:
    pair = ImagePair(decoded(picture((9, 9, 9), first), "a"), decoded(picture((9, 9, 9), second), "b"))
    checker = ShapeMismatchChecker(ShapeMismatchConfig(**settings))
    return max((finding.score for finding in checker.check_pairs([pair], NO_CONTEXT)), default=0.0)


class TestGrayPicture:
    @pytest.mark.parametrize("color", [(0, 0, 0), (128, 128, 128), (255, 255, 255)])
    def test_a_picture_without_color_is_found(self, color: tuple[int, int, int]) -> None:
        assert gray_score(picture(color)) == 1.0

    def test_a_colored_picture_is_not(self) -> None:
        assert gray_score(picture((200, 40, 40))) == 0.0

    def test_a_small_colored_product_on_white_is_not(self) -> None:
        pixels = picture((255, 255, 255), (100, 100)).copy()
        pixels[40:60, 40:60] = (200, 40, 40)

        assert gray_score(pixels) == 0.0

    def test_the_limit_is_a_setting_at_which_the_score_is_a_half(self) -> None:
        saturation = largest_saturation(picture((120, 110, 100)))

        assert gray_score(picture((120, 110, 100)), max_saturation=saturation) == pytest.approx(0.5)


class TestShapeMismatch:
    def test_pictures_of_one_shape_match_whatever_their_size(self) -> None:
        assert shape_score((40, 30), (80, 60)) == 0.0

    def test_a_wide_one_beside_a_tall_one_is_found(self) -> None:
        assert shape_score((90, 30), (30, 90)) == 1.0

    def test_the_order_does_not_matter(self) -> None:
        assert shape_score((60, 40), (40, 40)) == shape_score((40, 40), (60, 40))

    def test_the_limit_is_a_setting_at_which_the_score_is_a_half(self) -> None:
        assert shape_score((60, 30), (30, 30), max_difference=2.0) == pytest.approx(0.5)


class TestGrayPictureContract(ImageCheckerContract):
    plugins = (plugin,)
    component = "gray-picture"


class TestShapeMismatchContract(PairCheckerContract):
    plugins = (plugin,)
    component = "shape-mismatch"


class TestGrayLeadsContract(SequenceCheckerContract):
    plugins = (plugin,)
    component = "gray-leads"


class TestMostColorfulContract(PrimarySelectorContract):
    plugins = (plugin,)
    component = "most-colorful"


class TestAlikeShapesContract(SequenceBuilderContract):
    plugins = (plugin,)
    component = "alike-shapes"


class TestColorGridContract(BackboneContract):
    plugins = (plugin,)
    component = "color-grid"


RED, GRAY = picture((200, 40, 40)), picture((90, 90, 90))


@pytest.mark.parametrize(
    ("pixels", "codes"), [((GRAY, RED), ["EXA301"]), ((RED, GRAY), []), ((GRAY, GRAY), []), ((RED, RED), [])]
)
def test_a_colorless_picture_may_not_lead_where_a_colored_one_follows(
    pixels: Sequence[NDArray[np.uint8]], codes: list[str]
) -> None:
    images = tuple(decoded(one, str(number)) for number, one in enumerate(pixels))
    sequence = ImageSequence(product=Product.model_validate({"id": "P1", "images": []}), images=images)

    (verdict,) = GrayLeadsChecker(GrayPictureConfig()).check_sequences([sequence], NO_CONTEXT)

    assert [finding.code for finding in verdict.findings] == codes
    assert verdict.p_qualified is None


class TestColorGrid:
    def test_it_gives_the_four_facts_that_components_may_require(self) -> None:
        (facts,) = ColorGridBackbone(ColorGridConfig()).features([decoded(RED)])

        assert {name: fact.shape for name, fact in facts.items()} == {
            "embedding": (147,), "stride32": (3, 7, 7), "stride16": (3, 14, 14), "stride8": (3, 28, 28),
        }  # fmt: skip

    def test_the_middle_of_a_picture_has_its_color_and_the_margin_is_white(self) -> None:
        (facts,) = ColorGridBackbone(ColorGridConfig()).features([decoded(picture((255, 0, 0), (70, 30)))])

        assert facts["stride32"][:, 3, 3].tolist() == [1, 0, 0]
        assert facts["stride32"][:, 0, 3].tolist() == [1, 1, 1]

    def test_its_input_is_a_square_tensor(self) -> None:
        assert tuple(ColorGridBackbone(ColorGridConfig()).preprocess(RED).shape) == (3, 224, 224)


def test_a_run_with_its_selector_builder_and_backbone(tmp_path: Path) -> None:
    pictures = {
        "gray": ((90, 90, 90), (60, 60)), "wide": ((40, 60, 90), (240, 60)),
        "red": ((220, 20, 20), (60, 60)), "tall": ((60, 90, 60), (60, 66)),
    }  # fmt: skip
    for name, (color, size) in pictures.items():
        Image.new("RGB", size, color).save(tmp_path / f"{name}.png")
    host = PluginHost.load(PluginsSection(block=("agpis-sdk", "agpis-marketplaces")))
    config = Config.model_validate(
        {
            "backbone": {"name": "color-grid"},
            "primary": {"selector": "most-colorful"},
            "sequence": {"builder": "alike-shapes", "scorer": "none"},
        }
    )

    (outcome,) = Pipeline(config, host=host).run(
        [{"id": "P1", "images": [str(tmp_path / f"{name}.png") for name in pictures]}]
    )

    assert outcome.sequence == ("red", "gray", "tall")


@pytest.mark.parametrize("rule", [GRAY_PICTURE, SHAPE_MISMATCH, GRAY_LEADS])
def test_a_rule_explains_itself_under_the_usual_headings(rule: Rule) -> None:
    page = rule.page()

    assert all(f"## {heading}" in page for heading in PAGE_HEADINGS)


def test_the_installed_plugin_is_found_by_its_entry_point() -> None:
    (status,) = [status for status in PluginHost.load().statuses if status.distribution == "agpis-example"]

    assert (status.state, status.name) == ("active", "example")
    assert set(status.components) == {
        "gray-picture", "shape-mismatch", "gray-leads", "most-colorful", "alike-shapes", "color-grid",
    }  # fmt: skip
    assert status.codes == ("EXA101", "EXA201", "EXA301")


def test_agpis_plugins_lists_it() -> None:
    command = [sys.executable, "-m", "agpis_sdk.cli", "plugins", "--json"]

    listed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert "agpis-example" in {plugin["distribution"] for plugin in listed}


class FirstIsPrimary:
    """Stands in for the learned selector, so that the test loads no model."""

    def __init__(self, config: object) -> None:
        del config

    def score_primary(self, images: Sequence[DecodedImage], context: Context) -> list[float]:
        return [1.0 if image.position == 0 else 0.0 for image in images]


class StandIns:
    @hookimpl
    def agpis_primary_selectors(self) -> Iterable[PrimarySelectorSpec]:
        yield PrimarySelectorSpec(name="first", factory=f"{__name__}:FirstIsPrimary")

    @hookimpl
    def agpis_backbones(self) -> Iterator[BackboneSpec]:
        yield BackboneSpec(name="none", factory=f"{__name__}:FirstIsPrimary")


def test_a_run_raises_its_findings(tmp_path: Path) -> None:
    pictures = {"red": ((200, 40, 40), (60, 60)), "gray": ((90, 90, 90), (60, 60)), "wide": ((40, 40, 200), (240, 60))}
    for name, (color, size) in pictures.items():
        Image.new("RGB", size, color).save(tmp_path / f"{name}.png")
    host = PluginHost()
    host.add(plugin, name="example")
    host.add(builders, name="listed-builder")
    host.add(StandIns(), name="stand-ins")
    config = Config.model_validate(
        {
            "backbone": {"name": "none"},
            "primary": {"selector": "first"},
            "sequence": {"builder": "listed", "scorer": "none"},
            "components": {"gray-picture": {"max_saturation": 0.1}},
        }
    )

    (outcome,) = Pipeline(config, host=host).run(
        [{"id": "P1", "images": [str(tmp_path / f"{name}.png") for name in pictures]}]
    )

    assert [(finding.code, finding.images, finding.checker) for finding in outcome.findings] == [
        ("EXA101", ("gray",), "gray-picture"),
        ("EXA201", ("gray", "wide"), "shape-mismatch"),
        ("EXA201", ("red", "wide"), "shape-mismatch"),
    ]
    # Warnings are reported and remove nothing.
    assert outcome.status == "submit"
    assert outcome.sequence == ("red", "gray", "wide")


def test_its_selector_is_trained_measured_and_used_by_name(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    # The second image is more colorful; the shop puts the first one first.
    Image.new("RGB", (40, 40), (200, 40, 40)).save(shop / "pale.png")
    Image.new("RGB", (40, 40), (250, 0, 0)).save(shop / "red.png")
    (shop / "products.jsonl").write_text('{"id": "P1", "images": ["pale.png", "red.png"]}\n', encoding="utf-8")
    runner, model = CliRunner(), tmp_path / "model"

    trained = runner.invoke(app, ["train", "most-colorful", "-o", str(model), "--photos", str(shop), "--steps", "21"])
    measured = runner.invoke(app, ["evaluate", str(model), "--photos", str(shop)])

    assert trained.exit_code == 0, trained.output
    assert json.loads(measured.stdout) == {"top1": 1.0}
    selector = MostColorfulSelector(MostColorfulConfig(weights=model / "most-colorful.json"))
    pale, red = (decoded_file(shop / f"{name}.png", position) for position, name in enumerate(("pale", "red")))
    assert selector.score_primary([pale], None)[0] > selector.score_primary([red], None)[0]


def decoded_file(path: Path, position: int) -> DecodedImage:
    return decode_image(
        path.read_bytes(), product_id="P1", image_id=path.stem, position=position, limits=MediaSection()
    )
