"""What the non-compliance checker promises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from agpis_sdk.builtin.foreground.plain_background import estimate_foreground
from agpis_sdk.builtin.noncompliance.checker import NoncomplianceChecker
from agpis_sdk.builtin.noncompliance.config import NoncomplianceConfig
from agpis_sdk.builtin.noncompliance.head_file import SHIPPED, HeadSizes
from agpis_sdk.builtin.noncompliance.kinds import KINDS
from agpis_sdk.builtin.noncompliance.location import on_product_hint, peak_box, place
from agpis_sdk.builtin.noncompliance.model import NoncomplianceHead, any_kind_logit
from agpis_sdk.builtin.noncompliance.plugin import agpis_image_checkers
from agpis_sdk.components import DecodedImage
from agpis_sdk.errors import WeightsError
from agpis_sdk.plugins import shipped_rules

(SPEC,) = agpis_image_checkers()
SHAPES = {"stride32": (320, 7, 7), "stride16": (112, 14, 14), "stride8": (40, 28, 28)}


class Facts:
    """A context with random facts per image, which remembers what was provided."""

    rules = shipped_rules()

    class backbone:  # noqa: N801 - stands for the backbone
        input_size = 224

    def __init__(self, shapes: dict[str, tuple[int, ...]] = SHAPES) -> None:
        self._shapes = shapes
        self.provided: dict[str, float] = {}

    def fact(self, image: DecodedImage, name: str) -> Any:
        if name == "foreground":
            return estimate_foreground(image.pixels)[1]
        rng = np.random.default_rng([image.position, self._shapes[name][0]])
        return rng.normal(scale=9, size=self._shapes[name]).astype(np.float32)

    def provide(self, image: DecodedImage, name: str, value: Any) -> None:
        if name == "p_noncompliant":
            self.provided[image.id] = value
        else:
            assert (name, value.shape) == ("noncompliance.kinds", (len(KINDS),))


def image(position: int, width: int = 200, height: int = 100) -> DecodedImage:
    return DecodedImage(
        product_id="p", id=f"i{position}", position=position, pixels=np.zeros((height, width, 3), np.uint8),
        original_width=2 * width, original_height=2 * height, scale=2.0, byte_count=1, sha256="", format="PNG",
    )  # fmt: skip


def on_white() -> DecodedImage:
    """A dark product in the left half of a white picture of 200 x 100; boxes are twice as large."""
    pixels = np.full((100, 200, 3), 255, np.uint8)
    pixels[20:80, 20:100] = (60, 40, 120)
    return replace(image(0), pixels=pixels)


@pytest.mark.parametrize(
    ("box", "said"),
    [
        pytest.param((60, 60, 100, 60), ", on the product: it may be printed there", id="on the product"),
        pytest.param((260, 60, 100, 60), ", beside the product", id="beside it"),
        pytest.param((160, 60, 80, 60), "", id="half on it"),
    ],
)
def test_words_on_the_product_are_told_from_words_beside_it(box: tuple[int, int, int, int], said: str) -> None:
    picture = on_white()

    assert on_product_hint(picture, box, estimate_foreground(picture.pixels)[1]) == said


def test_a_busy_background_gives_no_hint() -> None:
    noise = replace(image(0), pixels=np.random.default_rng(0).integers(0, 255, (100, 200, 3), dtype=np.uint8))

    assert on_product_hint(noise, (60, 60, 100, 60), estimate_foreground(noise.pixels)[1]) == ""


def test_every_image_gets_p_noncompliant() -> None:
    context = Facts()

    list(NoncomplianceChecker(NoncomplianceConfig()).check_images([image(i) for i in range(11)], context))

    assert len(context.provided) == 11
    assert all(0 <= value <= 1 for value in context.provided.values())


def test_a_finding_is_of_a_declared_rule_and_scores_p_noncompliant() -> None:
    context = Facts()

    findings = list(NoncomplianceChecker(NoncomplianceConfig()).check_images([image(i) for i in range(11)], context))

    assert findings
    assert all(SPEC.raises(finding.code) for finding in findings)
    forbidden = [finding for finding in findings if shipped_rules()[finding.code].severity == "error"]
    assert all(finding.score == context.provided[finding.images[0]] for finding in forbidden)


def test_a_kind_whose_rule_only_warns_makes_no_image_noncompliant() -> None:
    warned, forbidden = Facts(), Facts()
    forbidden.rules = shipped_rules().with_severities({"unnatural-artifact": "error"})
    images = [image(i) for i in range(11)]

    list(NoncomplianceChecker(NoncomplianceConfig()).check_images(images, warned))
    list(NoncomplianceChecker(NoncomplianceConfig()).check_images(images, forbidden))

    assert all(warned.provided[one.id] <= forbidden.provided[one.id] for one in images)
    assert any(warned.provided[one.id] < forbidden.provided[one.id] for one in images)


def test_p_noncompliant_does_not_depend_on_the_batch() -> None:
    checker, together, alone = NoncomplianceChecker(NoncomplianceConfig()), Facts(), Facts()

    list(checker.check_images([image(i) for i in range(9)], together))
    for i in range(9):
        list(checker.check_images([image(i)], alone))

    assert together.provided == alone.provided


def test_facts_of_another_backbone_are_refused() -> None:
    checker = NoncomplianceChecker(NoncomplianceConfig())

    with pytest.raises(WeightsError, match=r"trained on a backbone with stride32 \(320,\); the configured one gives"):
        checker.check_backbone({**SHAPES, "stride32": (64, 7, 7)})

    checker.check_backbone(SHAPES)


def test_a_head_for_another_backbone_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    shapes = {"stride32": (512, 7, 7), "stride16": (256, 14, 14), "stride8": (128, 28, 28)}
    NoncomplianceHead(HeadSizes.of(shapes)).save(tmp_path / "head.safetensors")

    loaded = NoncomplianceHead.load(tmp_path / "head.safetensors")

    assert loaded.sizes == HeadSizes(stride32=512, stride16=256, stride8=128)


def test_any_kind_is_the_noisy_or_of_the_kinds() -> None:
    logits = torch.tensor([[0.0, 0.0], [-3.0, 2.0]])

    probability = torch.sigmoid(any_kind_logit(logits))

    expected = 1 - (1 - torch.sigmoid(logits)).prod(1)
    assert torch.allclose(probability, expected, atol=1e-6)


def test_the_peak_box_surrounds_the_peak() -> None:
    kind_map = np.zeros((14, 14), np.float32)
    kind_map[3:5, 10:13] = 5.0

    assert peak_box(kind_map) == pytest.approx((10 / 14, 3 / 14, 3 / 14, 2 / 14))


def test_a_place_is_told_in_original_pixels_without_the_letterbox() -> None:
    kind_map = np.zeros((14, 14), np.float32)
    kind_map[7, 13] = 9.0  # the right end, in the middle row of a wide picture

    x, y, width, height = place(image(0), kind_map, 224)

    assert x + width == 400
    assert 0 <= y < y + height <= 200


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    tensors = load_file(SHIPPED)
    del tensors["to_kinds.bias"]
    save_file(tensors, tmp_path / "head.safetensors")

    with pytest.raises(WeightsError, match=r"to_kinds.bias"):
        NoncomplianceHead.load(tmp_path / "head.safetensors")


def test_every_kind_is_a_rule() -> None:
    assert all(SPEC.raises(code) and code in shipped_rules() for code, _, _ in KINDS.values())
