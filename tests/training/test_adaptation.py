"""A shop is learned from its own order, where that order means something, and left alone where it does not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from agpis_sdk.builtin.foreground.composition import NAMES
from agpis_sdk.builtin.primary.model import PrimaryHead
from agpis_sdk.cli.app import app
from agpis_sdk.config import Config, load_config
from agpis_sdk.errors import ConfigError, InputFileError
from agpis_sdk.facts import VIEWS, View
from agpis_sdk.media.products import checked
from agpis_sdk.pipeline.image_facts import ProductFacts
from agpis_sdk.plugins import PluginHost, shipped_rules
from agpis_sdk.records import CandidateImage, Product
from agpis_sdk.training.adaptation.noncompliance import ThresholdAdapter, held_out_rate, threshold_for
from agpis_sdk.training.adaptation.primary import adapt_primary
from agpis_sdk.training.adaptation.request import Adaptation, AdaptationRequest
from agpis_sdk.training.adaptation.shop import AdaptedShop, adapt_shop, card
from tests.training.color_shop import ColorBackbone

CLEAR = View(np.full(len(VIEWS), 0.1, np.float32), 0.5)


def a_product(number: int, compositions: np.ndarray, p_nc: float = 0.1) -> ProductFacts:
    """Return a product whose images have these compositions (images, numbers), in listed order."""
    images = tuple(CandidateImage(id=str(place), uri=f"shop/{place}.jpg") for place in range(len(compositions)))
    facts = {
        str(place): {
            "composition": row.astype(np.float32),
            "view": CLEAR,
            "p_noncompliant": p_nc,
            "product_embedding": np.ones(4),
        }
        for place, row in enumerate(compositions)
    }
    return ProductFacts(Product(id=f"p{number}", images=images), facts)


def a_shop(products: int, *, dark_first: bool) -> list[ProductFacts]:
    """Return products of four images that differ in how dark they are; the darkest is listed first, or any."""
    rng = np.random.default_rng(0)
    head = PrimaryHead.load()
    row = NAMES.index("inside lightness")
    shop = []
    for number in range(products):
        compositions = np.tile(head.usual[: len(NAMES)], (4, 1))
        lightness = head.usual[row] + head.spread[row] * np.array([-2.0, 0.5, 1.0, 1.5])
        compositions[:, row] = lightness if dark_first else rng.permutation(lightness)
        shop.append(a_product(number, compositions))
    return shop


def a_request(tmp_path: Path, products: list[ProductFacts], false_alarms: float = 0.05) -> AdaptationRequest:
    return AdaptationRequest(
        products=products, out=tmp_path, config=Config(), rules=shipped_rules(), run_facts=lambda _: ColorBackbone(),
        false_alarms=false_alarms,
    )  # fmt: skip


class TestTheFirstImage:
    def test_is_learned_where_the_order_means_something(self) -> None:
        bright_first = PrimaryHead.load()
        bright_first.weight[NAMES.index("inside lightness")] = 1.0

        result = adapt_primary(bright_first, a_shop(30, dark_first=True))

        assert result.adopted
        assert (result.before, result.after) == (0.0, 1.0)

    def test_is_left_alone_where_the_order_is_noise(self) -> None:
        head = PrimaryHead.load()

        result = adapt_primary(head, a_shop(30, dark_first=False))

        assert not result.adopted
        assert result.head is head

    def test_is_left_alone_where_the_order_is_a_habit_but_no_rule(self) -> None:
        bright_first = PrimaryHead.load()
        bright_first.weight[NAMES.index("inside lightness")] = 1.0
        products = a_shop(60, dark_first=True)
        for product in products[::10] + products[1::10] + products[2::10]:
            darkest, brightest = (product.images[name]["composition"].copy() for name in ("0", "3"))
            product.images["0"]["composition"], product.images["3"]["composition"] = brightest, darkest  # type: ignore[index]

        result = adapt_primary(bright_first, products)

        assert not result.adopted
        assert (result.before, result.after) == (pytest.approx(0.3), pytest.approx(0.7))
        assert result.reason.endswith("still less than 75% are foretold, so the order is no rule")

    def test_needs_a_few_products(self) -> None:
        result = adapt_primary(PrimaryHead.load(), a_shop(3, dark_first=True))

        assert not result.adopted
        assert "needs 8 products" in result.reason

    def test_learns_nothing_from_galleries_that_begin_with_a_back(self) -> None:
        back = View(np.eye(len(VIEWS), dtype=np.float32)[VIEWS.index("back")], 0.9)
        products = a_shop(30, dark_first=True)
        for product in products:
            product.images["0"]["view"] = back  # type: ignore[index]

        result = adapt_primary(PrimaryHead.load(), products)

        assert not result.adopted
        assert result.galleries == 0

    def test_is_learned_alike_from_the_same_seed(self) -> None:
        once, again = (adapt_primary(PrimaryHead.load(), a_shop(20, dark_first=True), seed=3) for _ in range(2))

        assert all((vars(once.head)[name] == value).all() for name, value in vars(again.head).items())


class TestTheThreshold:
    def test_is_raised_until_few_of_the_shop_s_own_photos_are_refused(self, tmp_path: Path) -> None:
        fine = [a_product(number, np.zeros((2, len(NAMES)))) for number in range(45)]
        doubtful = [a_product(45 + number, np.zeros((2, len(NAMES))), p_nc=0.61 + number / 100) for number in range(5)]

        result = ThresholdAdapter().adapt(a_request(tmp_path, fine + doubtful))

        assert result.adopted
        assert result.before == pytest.approx(0.1)
        assert 0.6 < result.settings["noncompliance"]["threshold"] <= 0.66

    def test_stays_where_few_photos_are_refused(self, tmp_path: Path) -> None:
        fine = [a_product(number, np.zeros((2, len(NAMES)))) for number in range(20)]

        result = ThresholdAdapter().adapt(a_request(tmp_path, fine))

        assert not result.adopted
        assert "no more than the 5% allowed" in result.reason

    def test_stays_where_most_photos_look_non_compliant(self, tmp_path: Path) -> None:
        overlaid = [a_product(number, np.zeros((2, len(NAMES))), p_nc=0.9) for number in range(20)]

        result = ThresholdAdapter().adapt(a_request(tmp_path, overlaid))

        assert not result.adopted
        assert "too many to be false alarms" in result.reason

    def test_lets_no_larger_share_through_than_stated(self) -> None:
        p_nc = np.random.default_rng(0).random(500)

        threshold = threshold_for(p_nc, 0.1, 0.5)

        assert (p_nc >= threshold).mean() <= 0.1
        assert held_out_rate(p_nc, 0.1, 0.5, seed=0) == pytest.approx(0.1, abs=0.05)


class TestTheFolder:
    def test_names_its_files_relative_to_itself(self, tmp_path: Path) -> None:
        settings = {"components": {"primary": {"weights": "./primary.safetensors"}}, "sequence": {"length": 4}}
        (tmp_path / "shop.json").write_text(json.dumps(settings), encoding="utf-8")

        loaded = load_config(shop=tmp_path, directory=tmp_path)

        assert loaded.config.components["primary"]["weights"] == str(tmp_path / "primary.safetensors")
        assert loaded.origins["sequence.length"] == str(tmp_path)

    def test_counts_more_than_the_config_file_and_less_than_the_command_line(self, tmp_path: Path) -> None:
        (tmp_path / "agpis.toml").write_text("[sequence]\nlength = 5\nmin_length = 2\n", encoding="utf-8")
        (tmp_path / "shop.json").write_text('{"sequence": {"length": 4, "min_length": 3}}', encoding="utf-8")

        loaded = load_config(shop=tmp_path, directory=tmp_path, overrides=["sequence.length=6"])

        assert (loaded.config.sequence.length, loaded.config.sequence.min_length) == (6, 3)

    def test_of_another_kind_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"shop\.json: No such file.*agpis adapt"):
            load_config(shop=tmp_path, directory=tmp_path)

    def test_has_a_card_that_says_what_was_taken(self) -> None:
        part = Adaptation(
            part="first image", measure="m", examples=9, before=0.2, after=0.8, adopted=True, reason="6 better"
        )

        text = card(AdaptedShop(9, 27, 0, (part,)))

        assert "| first image | m | 9 | 20% | 80% | yes | 6 better |" in text


def test_a_catalog_without_a_readable_image_is_refused(tmp_path: Path) -> None:
    products = [Product(id="a", images=(CandidateImage(id="x", uri=str(tmp_path / "gone.jpg")),))]
    host = PluginHost.load(discover=False)

    with pytest.raises(InputFileError, match="no product with a readable image"):
        adapt_shop(checked(products), tmp_path / "out", host=host, config=Config(), false_alarms=0.05)


@pytest.mark.slow
def test_a_shop_is_learned_and_used_on_the_command_line(folder: Path, tmp_path: Path) -> None:
    path, out = folder / "products.jsonl", tmp_path / "learned"
    path.write_text("\n".join(path.read_text(encoding="utf-8").splitlines()[:10]), encoding="utf-8")

    learned = CliRunner().invoke(app, ["adapt", str(path), "-o", str(out), "--quick", "--no-plugins"])
    used = CliRunner().invoke(app, ["run", str(path), "--shop", str(out), "--no-plugins", "--limit", "2"])

    assert learned.exit_code == 0, learned.output
    assert "first image" in learned.output
    assert {part["part"] for part in json.loads((out / "adaptation.json").read_text())["parts"]} == {
        "first image",
        "p_nc threshold",
    }
    assert used.exit_code == 0, used.output
