"""What the duplicate-content checker promises, on pictures drawn by the tests."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from agpis_sdk.builtin.duplicates import (
    affine,
    alignment,
    collage,
    features,
    matching,
    overlay,
    proposals,
    registration,
    verification,
)
from agpis_sdk.builtin.duplicates.checker import DuplicateChecker, is_small_viewpoint_change
from agpis_sdk.builtin.duplicates.config import DuplicatesConfig
from agpis_sdk.builtin.duplicates.picture import Picture
from agpis_sdk.builtin.duplicates.rough_look import rough_structure
from agpis_sdk.builtin.duplicates.superposition import View
from agpis_sdk.builtin.duplicates.verdict import FEATURES, VerdictHead
from agpis_sdk.builtin.profiles.plugin import agpis_profiles
from agpis_sdk.builtin.weights import write_tensors
from agpis_sdk.components import AttributedFinding, DecodedImage, ImagePair
from agpis_sdk.errors import PluginLoadError, WeightsError
from agpis_sdk.media.letterbox import letterbox

Pixels = NDArray[np.uint8]
SIZE = 400


class FakeBackbone:
    """Average colors and gradients of 16-pixel cells: enough of a feature map to match regions by."""

    input_size = 224

    def features(self, images: Sequence[DecodedImage]) -> list[Mapping[str, NDArray[np.float32]]]:
        facts = []
        for image in images:
            square = letterbox(image.pixels, 224).astype(np.float32) / 255
            cells = cv2.resize(square, (14, 14), interpolation=cv2.INTER_AREA) - np.float32(0.7)
            fine = cells.transpose(2, 0, 1)
            facts.append({"stride16": fine, "embedding": cv2.resize(cells, (4, 4)).ravel()})
        return facts


class FakeContext:
    def __init__(self) -> None:
        self.backbone = FakeBackbone()
        self.facts: dict[tuple[tuple[str, str], str], Any] = {}

    def fact(self, image: DecodedImage, name: str) -> Any:
        if name == "stride16":
            return self.backbone.features([image])[0][name]
        return self.facts[image.key, name]

    def provide(self, image: DecodedImage, name: str, value: Any) -> None:
        self.facts[image.key, name] = value


def picture(seed: int, base: tuple[int, int, int] = (60, 90, 160)) -> Pixels:
    """A round product with a print of shapes on white; `base` is its color."""
    rng = np.random.default_rng(seed)
    canvas = np.full((SIZE, SIZE, 3), 255, np.uint8)
    cv2.ellipse(canvas, (200, 200), (150, 180), 0, 0, 360, base, -1, cv2.LINE_AA)
    for _ in range(60):
        x, y = (int(value) for value in rng.integers(90, 310, 2))
        shade = rng.uniform(0.3, 1.3)
        color = tuple(int(min(channel * shade, 255)) for channel in base)
        reach = int(rng.integers(6, 22))
        if rng.random() < 0.5:
            cv2.circle(canvas, (x, y), reach, color, -1, cv2.LINE_AA)
        else:
            cv2.rectangle(canvas, (x, y), (x + reach, y + 2 * reach), color, -1)
    return canvas


def image(pixels: Pixels, image_id: str) -> DecodedImage:
    height, width = pixels.shape[:2]
    return DecodedImage(
        product_id="p",
        id=image_id,
        position=0,
        pixels=np.ascontiguousarray(pixels),
        original_width=2 * width,
        original_height=2 * height,
        scale=2.0,
        byte_count=1,
        sha256=image_id,
        format="PNG",
    )


def check(*pairs: tuple[Pixels, Pixels], config: DuplicatesConfig | None = None) -> list[AttributedFinding]:
    checker = DuplicateChecker(config or DuplicatesConfig())
    made = [
        ImagePair(image(first, f"{index}-first"), image(second, f"{index}-second"))
        for index, (first, second) in enumerate(pairs)
    ]
    return list(checker.check_pairs(made, FakeContext()))  # type: ignore[arg-type]


def score(first: Pixels, second: Pixels, config: DuplicatesConfig | None = None, code: str = "AGP201") -> float:
    findings = check((first, second), config=config)
    return max((finding.score for finding in findings if finding.code == code), default=0.0)


def iou(one: Sequence[int], other: Sequence[int]) -> float:
    return float(matching.box_iou(np.array([one], dtype=float), np.array([other], dtype=float))[0])


def recompressed(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], 1), dtype=np.uint8)


def rotated(pixels: Pixels) -> Pixels:
    turn = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), 20, 1)
    return np.asarray(cv2.warpAffine(pixels, turn, (SIZE, SIZE), borderValue=(255, 255, 255)), dtype=np.uint8)


def with_banner(pixels: Pixels) -> Pixels:
    marked = pixels.copy()
    marked[330:] = (200, 30, 40)
    return marked


def brighter(pixels: Pixels) -> Pixels:
    return np.clip(pixels * 1.15, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda pixels: pixels[:, ::-1], id="mirrored"),
        pytest.param(recompressed, id="recompressed"),
        pytest.param(
            lambda pixels: cv2.resize(pixels, None, fx=1 / 3, fy=1 / 3, interpolation=cv2.INTER_AREA), id="small"
        ),
        pytest.param(rotated, id="rotated"),
        pytest.param(with_banner, id="banner"),
        pytest.param(brighter, id="brighter"),
        pytest.param(lambda pixels: pixels[40:330, 60:350], id="crop"),
    ],
)
def test_a_changed_copy_is_found(change: Any) -> None:
    original = picture(1)
    assert score(original, change(original)) >= 0.5


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda pixels: cv2.resize(pixels, (SIZE, round(0.7 * SIZE))), id="lower"),
        pytest.param(lambda pixels: cv2.resize(pixels, (round(0.8 * SIZE), SIZE)), id="narrower"),
        pytest.param(lambda pixels: cv2.resize(pixels[40:360, 30:370], (SIZE, 280)), id="cropped and squeezed"),
    ],
)
def test_a_squeezed_copy_is_a_duplicate(change: Any) -> None:
    original = picture(1)
    assert score(original, np.asarray(change(original), np.uint8)) >= 0.5


def darker(pixels: Pixels) -> Pixels:
    return np.asarray(pixels * 0.6, np.uint8)


def flatter(pixels: Pixels) -> Pixels:
    return np.asarray(pixels.mean() + 0.7 * (pixels - pixels.mean()), np.uint8)


def gray(pixels: Pixels) -> Pixels:
    return np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("change", [darker, flatter, gray])
def test_a_copy_with_another_exposure_or_without_color_is_a_duplicate_and_no_variant(change: Any) -> None:
    original = picture(1)
    assert score(original, change(original)) >= 0.5
    assert score(original, change(original), code="AGP208") < 0.5


def test_a_picture_that_repeats_one_half_of_another_is_a_duplicate_with_a_box_on_that_half() -> None:
    half = np.concatenate([picture(1)[:, :200], picture(5, base=(160, 60, 60))[:, 200:]], axis=1)
    finding = next(found for found in check((picture(1), half)) if found.code == "AGP201")
    assert finding.score >= 0.5
    # The product spans 100 to 700 original pixels across and 40 to 760 down.
    assert iou(finding.regions[0].box, (100, 40, 300, 720)) > 0.8
    assert "in one part alone" in finding.message


@pytest.mark.parametrize(("texture", "repeated"), [(15.0, True), (2.0, False)], ids=["a product", "a bare backdrop"])
def test_a_part_that_two_pictures_share_is_a_repeated_one_where_it_shows_something(
    texture: float, repeated: bool
) -> None:
    above = np.arange(100) < 45
    correlation = np.where(above, 0.97, 0.1)[:, None].repeat(80, axis=1).astype(np.float32)
    textures = np.where(above, texture, 15.0)[:, None].repeat(80, axis=1).astype(np.float32)
    band = collage.repeated_part(correlation, textures, np.ones((100, 80), bool))
    assert (band is not None) == repeated


def test_a_picture_that_is_shown_smaller_beside_another_is_found() -> None:
    small = cv2.resize(picture(1), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    beside = np.full((SIZE, SIZE + 200, 3), 255, np.uint8)
    beside[:, 200:] = picture(5, base=(160, 60, 60))
    beside[100:300, :200] = small
    assert max(score(picture(1), beside), score(picture(1), beside, code="AGP206")) >= 0.5


def table(seed: int) -> Pixels:
    """A size chart; its layout is the same for all seeds, its numbers are not."""
    rng = np.random.default_rng(seed)
    canvas = np.full((SIZE, 500, 3), 255, np.uint8)
    for row in range(7):
        for column in range(4):
            corner = (20 + 115 * column, 60 + 45 * row)
            cv2.rectangle(canvas, corner, (corner[0] + 115, corner[1] + 45), (0, 0, 0), 1)
            text = f"size {row}" if column == 0 else str(rng.integers(10, 199))
            cv2.putText(canvas, text, (corner[0] + 10, corner[1] + 30), 0, 0.6, (0, 0, 0), 1, cv2.LINE_AA)
    return canvas


def test_tables_of_one_layout_with_other_numbers_are_no_duplicates() -> None:
    assert score(table(1), table(2)) < 0.5


def test_a_table_saved_again_is_a_duplicate() -> None:
    assert score(table(1), recompressed(table(1))) >= 0.5


def test_another_color_of_a_narrow_trim_is_a_variant_and_no_duplicate() -> None:
    trimmed = picture(4)
    trimmed[300:309, 80:320] = (240, 140, 20)
    other = picture(4)
    other[300:309, 80:320] = (250, 90, 160)
    assert score(trimmed, other) < 0.5
    assert score(trimmed, other, code="AGP208") >= 0.5


def test_a_crop_is_found_with_boxes_on_what_both_show() -> None:
    original = picture(2)
    finding = check((original, original[40:330, 60:350]))[0]
    first, second = (region.box for region in finding.regions)
    # Boxes are in original pixels, twice the working ones here.
    assert iou(first, (120, 80, 580, 580)) > 0.85
    assert iou(second, (0, 0, 580, 580)) > 0.85


def test_a_crop_is_called_a_crop() -> None:
    original = picture(2)
    finding = check((original, original[100:330, 90:320]))[0]
    assert '"0-second" is a crop of "0-first"' in finding.message


def test_a_mirrored_copy_is_called_mirrored() -> None:
    original = picture(3)
    finding = check((original, original[:, ::-1]))[0]
    assert "mirrored" in finding.message


@pytest.mark.parametrize("color", [(160, 60, 60), (60, 140, 80), (40, 40, 40)])
def test_another_color_is_no_duplicate(color: tuple[int, int, int]) -> None:
    assert score(picture(4), picture(4, base=color)) < 0.5


@pytest.mark.parametrize("color", [(160, 60, 60), (60, 140, 80)])
def test_the_same_shot_in_another_color_is_a_variant(color: tuple[int, int, int]) -> None:
    assert score(picture(4), picture(4, base=color), code="AGP208") >= 0.5


def test_a_variant_names_no_duplicate_in_its_message() -> None:
    (finding,) = [found for found in check((picture(4), picture(4, base=(160, 60, 60)))) if found.score >= 0.5]
    assert finding.message == '"0-first" and "0-second" show the same shot in different colors'


def test_pictures_of_one_outline_that_agree_in_little_else_are_no_one_shot_in_two_colors() -> None:
    """As the front and the back of a garment in two colors."""
    front, back = picture(3), picture(4, (160, 60, 60))

    whatever_agrees = score(front, back, DuplicatesConfig(min_structure=-1), code="AGP208")

    assert whatever_agrees > 0.5
    assert check((front, back)) == []


def test_a_rough_look_tells_a_recolored_copy_from_another_picture() -> None:
    one, recolored, another = (
        view_of(image(pixels, "a")) for pixels in (picture(1), picture(1, (160, 60, 60)), picture(2))
    )

    assert rough_structure(one, recolored, np.eye(2, 3)) > 0.8
    assert rough_structure(one, another, np.eye(2, 3)) < 0.5


@pytest.mark.parametrize("factor", [0.5, 0.9, 2.0])
def test_a_rough_look_is_the_same_whichever_picture_comes_first(factor: float) -> None:
    one, other = view_of(image(picture(1), "a")), view_of(image(picture(2), "b"))
    over = affine.scaled(factor)

    assert rough_structure(one, other, over) == pytest.approx(rough_structure(other, one, affine.invert(over)))


def test_pictures_that_share_nothing_have_no_rough_structure() -> None:
    one = view_of(image(picture(1), "a"))

    assert rough_structure(one, one, np.array([[1.0, 0.0, 1000.0], [0.0, 1.0, 0.0]])) == 0


def test_an_alignment_that_a_rough_look_rules_out_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[View] = []
    monkeypatch.setattr(registration, "rough_structure", lambda *_: 0.1)
    monkeypatch.setattr(verification, "superpose", lambda *views: compared.append(views[0]))

    findings = check((picture(1), picture(1)))

    assert (findings, compared) == ([], [])


def test_a_banner_is_told_in_the_message() -> None:
    finding = check((picture(1), with_banner(picture(1))))[0]
    assert "something is laid over one of them" in finding.message


def test_a_message_names_what_was_done_to_a_copy() -> None:
    squeezed = np.asarray(cv2.resize(darker(picture(1)), (SIZE, 300), interpolation=cv2.INTER_AREA), np.uint8)
    finding = next(found for found in check((picture(1), squeezed)) if found.code == "AGP201")
    assert finding.message.endswith("(one of them is squeezed, in other light)")


def test_a_small_part_enlarged_is_a_repeated_detail_and_no_duplicate() -> None:
    original = picture(13)
    detail = cv2.resize(original[130:255, 130:255], (400, 400), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    assert score(original, detail, code="AGP206") >= 0.5
    assert score(original, detail) < 0.5


def test_a_step_aside_is_a_similar_angle_and_no_duplicate() -> None:
    original = picture(14)
    corners = np.array(((0, 0), (SIZE, 0), (SIZE, SIZE), (0, SIZE)), np.float32)
    leaning = corners + np.array(((0, 32), (0, -32), (0, 32), (0, -32)), np.float32)
    matrix = cv2.getPerspectiveTransform(corners, leaning.astype(np.float32))
    aside = cv2.warpPerspective(original, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE)
    assert score(original, np.asarray(aside, np.uint8), code="AGP203") >= 0.5
    assert score(original, np.asarray(aside, np.uint8)) < 0.5


@pytest.mark.parametrize(
    "transform",
    [
        pytest.param([[-1.0, 0.0, 159.0], [0.0, 1.0, 0.0]], id="mirrored"),
        pytest.param([[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]], id="zoomed"),
        pytest.param([[0.94, -0.34, 0.0], [0.34, 0.94, 0.0]], id="turned by 20 degrees"),
    ],
)
def test_no_small_viewpoint_change_mirrors_zooms_or_turns_a_picture(transform: list[list[float]]) -> None:
    assert not is_small_viewpoint_change(np.array(transform))


def test_a_picture_with_much_hidden_has_no_overlay() -> None:
    changed = np.zeros((60, 60), bool)
    changed[5:55, 5:55] = True
    edges = np.random.default_rng(0).random((2, 60, 60)).astype(np.float32)
    assert not overlay.overlay_mask(
        changed, np.ones_like(changed), np.ones_like(changed), lambda: (edges[0], edges[1])
    ).any()


def test_edges_are_asked_only_where_a_part_could_be_an_overlay() -> None:
    specks = np.zeros((60, 60), bool)
    specks[20:23, 20:23] = True
    everywhere = np.ones_like(specks)

    assert not overlay.overlay_mask(specks, everywhere, everywhere, lambda: pytest.fail("asked for edges")).any()


def test_two_products_under_one_watermark_are_no_duplicates() -> None:
    def marked(seed: int) -> Pixels:
        pixels = np.full((SIZE, SIZE, 3), 255, np.uint8)
        rng = np.random.default_rng(seed)
        for _ in range(12):
            x, y = (int(value) for value in rng.integers(60, 200, 2))
            cv2.rectangle(pixels, (x, y), (x + 70, y + 70), tuple(rng.integers(0, 200, 3).tolist()), -1)
        return cv2.putText(pixels, "SPORTMARK", (170, 380), 0, 1.2, (20, 120, 200), 4)

    assert score(marked(1), marked(2)) < 0.5


def test_a_changed_part_with_edges_of_its_own_is_an_overlay_and_one_with_the_same_is_not() -> None:
    changed = np.zeros((60, 60), bool)
    changed[20:40, 20:40] = True
    edges = np.random.default_rng(0).random((2, 60, 60)).astype(np.float32)
    assert overlay.overlay_mask(changed, np.ones_like(changed), np.ones_like(changed), lambda: (edges[0], edges[1]))[
        30, 30
    ]
    assert not overlay.overlay_mask(
        changed, np.ones_like(changed), np.ones_like(changed), lambda: (edges[0], edges[0])
    ).any()


def test_a_head_comes_back_as_it_was_saved_whatever_its_order_in_memory(tmp_path: Path) -> None:
    shipped = VerdictHead.load()
    VerdictHead(np.asfortranarray(shipped.weight), shipped.bias).save(tmp_path / "verdict.safetensors")
    assert (VerdictHead.load(tmp_path / "verdict.safetensors").weight == shipped.weight).all()


def view_of(shown: DecodedImage) -> View:
    return Picture(shown, lambda: np.zeros((1, 1, 1), np.float32), FakeBackbone(), DuplicatesConfig()).view  # type: ignore[arg-type]


def test_verdicts_sum_to_one_and_a_head_of_another_layout_is_refused(tmp_path: Path) -> None:
    head = VerdictHead.load()
    one = image(picture(1), "one")
    same = verification.compare(view_of(one), view_of(one), np.eye(2, 3))
    assert same is not None
    assert sum(head.probabilities(same).values()) == pytest.approx(1)
    save_file({"weight": np.zeros((2, 3), np.float32), "bias": np.zeros(2, np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="weight"):
        DuplicateChecker(DuplicatesConfig(weights=tmp_path / "other.safetensors"))


@pytest.mark.parametrize("features", [(), FEATURES[::-1]], ids=["unnamed", "in another order"])
def test_a_head_trained_on_other_features_is_refused(tmp_path: Path, features: tuple[str, ...]) -> None:
    write_tensors(tmp_path / "verdict.safetensors", vars(VerdictHead.load()), features)

    with pytest.raises(WeightsError, match=r"was trained on the features .*train it again"):
        VerdictHead.load(tmp_path / "verdict.safetensors")


def test_another_picture_is_no_duplicate() -> None:
    assert score(picture(5), picture(6)) < 0.5


@pytest.mark.parametrize("level", [255, 0, 128])
def test_plain_pictures_give_nothing(level: int) -> None:
    plain = np.full((SIZE, SIZE, 3), level, np.uint8)
    assert check((plain, plain.copy()), (plain, picture(1))) == []


def test_tiny_pictures_give_no_error() -> None:
    dot = np.zeros((1, 1, 3), np.uint8)
    assert score(dot, picture(1)) < 0.5


def test_the_order_of_a_pair_changes_nothing() -> None:
    one, two = image(picture(7), "one"), image(rotated(picture(7)), "two")
    checker = DuplicateChecker(DuplicatesConfig())
    there = next(checker.check_pairs([ImagePair(one, two)], FakeContext()))  # type: ignore[arg-type]
    back = next(checker.check_pairs([ImagePair(two, one)], FakeContext()))  # type: ignore[arg-type]
    assert there.score == back.score
    assert [region.box for region in there.regions] == [region.box for region in reversed(back.regions)]


def test_batches_change_nothing() -> None:
    a, b = image(picture(8), "a"), image(recompressed(picture(8)), "b")
    c = image(picture(8)[20:350, 20:350], "c")
    checker = DuplicateChecker(DuplicatesConfig())
    pairs = [ImagePair(a, b), ImagePair(a, c), ImagePair(b, c)]
    together = list(checker.check_pairs(pairs, FakeContext()))  # type: ignore[arg-type]
    alone = [f for pair in reversed(pairs) for f in checker.check_pairs([pair], FakeContext())]  # type: ignore[arg-type]
    assert together == alone[::-1]


@pytest.fixture
def proposed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often EdgeBoxes runs."""
    calls: list[int] = []
    plain = proposals.propose
    monkeypatch.setattr(proposals, "propose", lambda *args: (calls.append(1), plain(*args))[1])
    return calls


def all_pairs_of(seeds: Sequence[int], config: DuplicatesConfig) -> None:
    images = [image(picture(seed), f"{place}") for place, seed in enumerate(seeds)]
    pairs = [ImagePair(first, second) for first, second in itertools.combinations(images, 2)]
    list(DuplicateChecker(config).check_pairs(pairs, FakeContext()))  # type: ignore[arg-type]


def test_regions_are_computed_once_per_image(proposed: list[int]) -> None:
    all_pairs_of((1, 2, 3), DuplicatesConfig(regions="always"))
    assert len(proposed) == 3


def test_a_pair_on_which_keypoints_decide_needs_no_regions(proposed: list[int]) -> None:
    check((picture(1), picture(1)[40:330, 60:350]))
    assert proposed == []


def test_a_pair_with_few_keypoints_is_decided_by_regions(proposed: list[int]) -> None:
    disc = np.full((SIZE, SIZE, 3), 255, np.uint8)
    cv2.circle(disc, (150, 200), 90, (60, 90, 160), -1, cv2.LINE_AA)
    check((disc, np.ascontiguousarray(disc[:, 60:])))
    assert len(proposed) == 2


def test_the_profile_of_the_paper_matches_the_regions_of_every_pair(proposed: list[int]) -> None:
    (paper,) = [profile for profile in agpis_profiles() if profile.name == "paper"]
    config = DuplicatesConfig(**paper.settings["components"]["duplicates"])
    all_pairs_of((1, 1), config)
    assert len(proposed) == 2


def test_crops_through_the_backbone_find_a_copy_too() -> None:
    config = DuplicatesConfig(features="crop", keypoints=0)
    assert score(picture(9), recompressed(picture(9)), config) >= 0.5


def test_regions_alone_align_a_mirrored_crop() -> None:
    original = picture(10)
    assert score(original, original[30:380, 30:370][:, ::-1], DuplicatesConfig(keypoints=0)) >= 0.5


def test_boxes_map_into_the_letterboxed_square() -> None:
    corners = features.map_boxes(np.array([[100, 50, 200, 100]], np.float32), 400, 200, 100)
    assert corners.tolist() == [[25.0, 37.5, 75.0, 62.5]]


def test_region_matches_are_mutual_and_best_first() -> None:
    rows = np.eye(4, dtype=np.float32)
    shuffled = rows[[2, 0, 1]]
    found = matching.match_regions(rows, shuffled, 1, 0.5)
    assert [(match.first, match.second) for match in found] == [(0, 1), (1, 2), (2, 0)]


def test_mirrored_descriptors_are_those_of_the_mirrored_picture() -> None:
    pixels = picture(11)
    points = alignment.find_keypoints(pixels, 100)
    flipped = alignment.find_keypoints(np.ascontiguousarray(pixels[:, ::-1]), 100)
    similarity = points.mirrored @ flipped.descriptors.T
    assert np.median(similarity.max(axis=1)) > 0.95


def test_rescaled_transforms_compose_with_a_resize() -> None:
    transform = np.array([[-0.8, 0.1, 90.0], [0.2, 0.9, 7.0]])
    assert np.allclose(affine.rescaled(affine.rescaled(transform, 0.5), 2.0), transform)


def test_thinning_keeps_a_line_one_pixel_wide() -> None:
    strength = np.zeros((9, 9), np.float32)
    strength[:, 3:6] = (0.5, 1.0, 0.5)
    kept = proposals.thin(strength, np.zeros((9, 9), np.float32))
    assert (kept > 0).sum(axis=1).tolist() == [1] * 9


def test_proposals_begin_with_the_whole_picture_and_its_content() -> None:
    pixels = picture(12)
    boxes = proposals.propose(pixels, proposals.content_mask(pixels), 10)
    assert boxes[0].tolist() == [0, 0, SIZE, SIZE]
    assert iou(boxes[1], (50, 20, 300, 360)) > 0.97
    assert len(boxes) <= 12


def test_an_opencv_without_contrib_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "ximgproc", object())
    with pytest.raises(PluginLoadError, match="ximgproc"):
        score(picture(1), picture(2), DuplicatesConfig(regions="always"))
