"""The commands by which a model is made and measured, one after the other, as the how-to page has them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agpis_sdk.builtin.primary.model import SHIPPED
from agpis_sdk.cli.app import app
from agpis_sdk.datasets.galleries import read_galleries
from tests.training.conftest import red_first

runner = CliRunner()
SMALL = ("hidden_size=16", "num_attention_heads=2", "num_decoder_layers=1", "vocab_size=400", "feedback_tokens=8")


def agpis(*arguments: object) -> Result:
    return runner.invoke(app, [str(argument) for argument in arguments])


@pytest.mark.slow
def test_from_photos_to_figures(tmp_path: Path) -> None:
    shop, bench, model = tmp_path / "shop", tmp_path / "bench", tmp_path / "model"
    shop.mkdir()
    red_first(shop)
    switches = [part for switch in SMALL for part in ("--switch", switch)]

    built = agpis("bench", "build", "--photos", shop, "-o", bench, "--per-product", 3)
    shown = agpis("bench", "show", bench, "-o", tmp_path / "sheets", "--split", "test")
    trained = agpis("train", "muisc", "--json", bench / "reviews.jsonl", "-o", model, "--epochs", 1, *switches)
    measured = agpis("evaluate", model, bench / "reviews.jsonl", "--json", "--plots", tmp_path / "plots")

    assert [result.exit_code for result in (built, shown, trained, measured)] == [0, 0, 0, 0]
    manifest = json.loads((bench / "manifest.json").read_text(encoding="utf-8"))
    assert json.loads(measured.stdout)["reviews"] == manifest["reviews"]["test"]
    assert json.loads(measured.stdout)["auc"] == json.loads(trained.stdout)["auc"]
    assert (tmp_path / "sheets" / "yes.png").is_file()
    assert list((tmp_path / "plots").glob("*.png"))


def refused(*arguments: object) -> str:
    result = agpis(*arguments)
    assert result.exit_code == 2 or result.exception is not None
    return str(result.exception) + result.output


def test_a_folder_that_is_no_bench_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "tables.toml"
    config.write_text("row = []\n[backbones]\n", encoding="utf-8")

    assert "no bench" in refused("bench", "tables", tmp_path, "-o", tmp_path, "--config", config)


def test_a_table_on_a_backbone_that_is_not_listed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    config = tmp_path / "tables.toml"
    config.write_text(
        '[backbones]\n[[row]]\ntable = "table-2"\nname = "x"\nmodel = "muisc"\nbackbone = "resnet99"\n',
        encoding="utf-8",
    )

    assert "resnet99" in refused("bench", "tables", tmp_path, "-o", tmp_path, "--config", config)


def test_reviews_of_another_split_alone_are_refused(tmp_path: Path) -> None:
    (tmp_path / "reviews.jsonl").write_text("", encoding="utf-8")
    (tmp_path / "model").mkdir()

    assert "no review of the test split" in refused("evaluate", tmp_path / "model", tmp_path / "reviews.jsonl")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param((), "name either REVIEWS or --photos", id="nothing to measure on"),
        pytest.param(("--photos", "shop", "--split", "all"), "measured on one split", id="no split"),
        pytest.param(("--photos", "shop"), "holds no products.jsonl", id="no photos"),
    ],
)
def test_a_model_of_stage_1_is_refused_without_products_to_measure_on(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "primary.safetensors").write_bytes(SHIPPED.read_bytes())
    (tmp_path / "shop").mkdir()

    placed = [tmp_path / "shop" if argument == "shop" else argument for argument in arguments]

    assert said in refused("evaluate", tmp_path, "--component", "primary", *placed)


class TestTrain:
    def test_lists_what_can_be_trained_with_its_options(self) -> None:
        listed = agpis("train").stdout

        assert all(name in listed for name in ("primary", "noncompliance", "duplicates", "muisc"))
        assert "--batch-size" in listed

    def test_an_unknown_component_suggests_the_nearest(self, tmp_path: Path) -> None:
        assert 'did you mean "primary"' in refused("train", "primry", "-o", tmp_path)

    def test_an_unknown_option_suggests_the_nearest(self, tmp_path: Path) -> None:
        said = refused("train", "noncompliance", "-o", tmp_path, "--photos", tmp_path, "--epoch", "3")

        assert "agpis train noncompliance: epoch: unknown key" in said
        assert "epochs" in said

    def test_an_option_of_a_wrong_value_is_named(self, tmp_path: Path) -> None:
        assert "epochs" in refused("train", "noncompliance", "-o", tmp_path, "--epochs", "many")

    def test_a_second_file_of_reviews_is_refused(self, tmp_path: Path) -> None:
        assert "one file too many" in refused("train", "muisc", "a.jsonl", "b.jsonl", "-o", tmp_path)

    def test_the_weights_need_a_folder(self) -> None:
        assert "needs a folder" in refused("train", "primary")


def test_training_all_from_reviews_that_are_not_there_is_an_error(tmp_path: Path) -> None:
    answer = refused("train", "all", "nosuch.jsonl", "-o", tmp_path / "trained")

    assert "nosuch.jsonl: no such file" in answer
    assert "written to" not in answer


class TestImagesWhereverTheReviewsFileLies:
    """A reviews file is moved, sent and kept by its users; its images stay where they are."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "shop").mkdir()
        red_first(tmp_path / "shop")
        return tmp_path / "shop"

    @pytest.fixture
    def elsewhere(self, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Reviews of the shop in a folder that is not above its photos."""
        path = tmp_path_factory.mktemp("sent") / "reviews.jsonl"
        lines = (f"{review.model_dump_json()}\n" for review in read_galleries([folder]))
        path.write_text("".join(lines), encoding="utf-8")
        return path

    def test_primary_learns_and_is_measured(self, elsewhere: Path, tmp_path: Path) -> None:
        result = agpis("train", "primary", elsewhere, "-o", tmp_path / "model", "--json")
        measured = agpis("evaluate", tmp_path / "model", elsewhere, "--json")

        assert (result.exit_code, measured.exit_code) == (0, 0)
        assert json.loads((tmp_path / "model" / "metrics.json").read_text())["train"]["products"] > 20
        assert json.loads(measured.stdout)["products"] > 0

    def test_relative_addresses_are_those_of_the_file_and_not_of_the_shell(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = [json.loads(line) for line in (folder / "products.jsonl").read_text().splitlines()]
        rows = [{"product": name, "sequence": [Path(name["images"][0]).stem], "decision": "accepted"} for name in names]
        (folder / "reviews.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        (tmp_path / "somewhere").mkdir()
        monkeypatch.chdir(tmp_path / "somewhere")

        measured = agpis("evaluate", SHIPPED.parent, folder / "reviews.jsonl", "--component", "primary", "--json")

        assert measured.exit_code == 0
        assert json.loads(measured.stdout)["products"] > 0

    @pytest.mark.slow
    def test_the_sequence_model_learns_and_is_measured(self, folder: Path, elsewhere: Path, tmp_path: Path) -> None:
        kept = [json.loads(line) for line in elsewhere.read_text(encoding="utf-8").splitlines()]
        turned = [
            {**row, "sequence": row["sequence"][::-1], "decision": "rejected", "feedback": "improper order"}
            for row in kept
        ]
        elsewhere.write_text("".join(f"{json.dumps(row)}\n" for row in [*kept, *turned]), encoding="utf-8")
        switches = [part for switch in SMALL for part in ("--switch", switch)]

        trained = agpis("train", "muisc", elsewhere, "-o", tmp_path / "model", "--epochs", 1, *switches)
        measured = agpis("evaluate", tmp_path / "model", elsewhere, "--json")

        assert (trained.exit_code, measured.exit_code) == (0, 0)
        assert json.loads(measured.stdout)["skipped_reviews"] == 0
