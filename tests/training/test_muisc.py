"""MUIsC training: what it writes, what it skips and counts, what it refuses, and that it goes on where it stopped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from agpis_sdk.builtin.muisc.checkpoints import load_muisc
from agpis_sdk.builtin.muisc.model import MuiscConfig
from agpis_sdk.builtin.muisc.text import label_space
from agpis_sdk.datasets.galleries import read_reviews, split_of_review, subsample_accepted
from agpis_sdk.datasets.review_dataset import LengthGroupedSampler
from agpis_sdk.datasets.review_features import review_features
from agpis_sdk.errors import ConfigError, TrainingDataError, WeightsError
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.records import Review
from agpis_sdk.rules import Rule
from agpis_sdk.synthetic.reviews import build_reviews
from agpis_sdk.training.muisc import trainer
from agpis_sdk.training.muisc.initialization import InitFrom, switched_config, with_shared_title_words
from agpis_sdk.training.muisc.trainer import TrainingPlan, fit, train_muisc
from tests.training.color_shop import ColorBackbone

SMALL = MuiscConfig.lite(hidden_size=16, num_attention_heads=2, num_decoder_layers=1, vocab_size=400, dropout=0.0)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    from tests.training.conftest import red_first

    red_first(folder)
    build_reviews([folder], folder / "bench", per_product=6)
    return folder / "bench" / "reviews.jsonl"


@pytest.fixture
def reviews(bench: Path) -> list[Review]:
    return list(read_reviews(bench))


def test_a_run_folder_says_what_was_run(reviews: list[Review], tmp_path: Path) -> None:
    metrics = train_muisc(reviews, tmp_path, ColorBackbone(), config=SMALL, plan=TrainingPlan(epochs=1))

    names = {path.name for path in tmp_path.iterdir()}
    assert {"config.json", "metrics.json", "model.safetensors", "tokenizer.json", "run.json"} <= names
    assert not [name for name in names if name.startswith("checkpoint")]
    assert 0 <= metrics["test"]["auc"] <= 1
    run = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert run["plan"]["epochs"] == 1
    assert len(run["data_sha256"]) == 64
    load_muisc(tmp_path)


@pytest.mark.slow
def test_a_plugin_s_rule_that_reviewers_name_is_learned_like_any_other(reviews: list[Review], tmp_path: Path) -> None:
    rules = shipped_rules().copy()
    shiny = Rule(
        code="SHY101", name="shiny-picture", category="single-image", summary="It shines.", aliases=("too shiny",)
    )
    rules.add(shiny, owner="agpis-shiny")
    named = [
        review if review.decision == "accepted" else changed(review, feedback="the picture is too shiny", rules=())
        for review in reviews
    ]
    config = MuiscConfig.lite(
        hidden_size=16, num_attention_heads=2, num_decoder_layers=1, vocab_size=400, classes=label_space(rules)
    )

    metrics = train_muisc(named, tmp_path, ColorBackbone(), config=config, plan=TrainingPlan(epochs=1), rules=rules)

    model, _ = load_muisc(tmp_path)
    assert "SHY101" in model.config.classes
    assert metrics["unnamed_rules"] == 0


def test_features_are_computed_once(reviews: list[Review], tmp_path: Path) -> None:
    class Counting(ColorBackbone):
        calls = 0

        def features(self, images):  # type: ignore[no-untyped-def]
            Counting.calls += len(images)
            return super().features(images)

    first = review_features(reviews, Counting(), cache=tmp_path)
    before = Counting.calls
    second = review_features(reviews, Counting(), cache=tmp_path)

    assert Counting.calls - before == 1  # the picture by which the backbone is told from others
    assert second.reviews == first.reviews
    assert (second.tokens == first.tokens).all()


@pytest.mark.slow
def test_a_run_that_was_cut_off_goes_on_as_if_it_had_not_been(reviews: list[Review], tmp_path: Path) -> None:
    features = review_features(reviews, ColorBackbone(), with_evidence=True)
    plan = TrainingPlan(epochs=3, patience=9)
    _, _, whole = fit(features, SMALL, plan, tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    # As if the power had failed in the last epoch: the checkpoint before it is the last one there is.
    last = max((tmp_path / "cut").glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    shutil.rmtree(last)

    _, _, resumed = fit(features, SMALL, plan, tmp_path / "cut", resume=True)

    def curve(history: list[dict[str, float]]) -> list[tuple[float, float]]:
        return [(entry["epoch"], round(entry["loss"], 5)) for entry in history if "loss" in entry]

    assert curve(resumed) == curve(whole)
    assert len(curve(whole)) == 3


def test_there_must_be_a_checkpoint_to_go_on_from(reviews: list[Review], tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="no checkpoint"):
        train_muisc(reviews, tmp_path, ColorBackbone(), config=SMALL, resume=True)


def changed(review: Review, **fields: object) -> Review:
    return review.model_copy(update=fields)


def test_reviews_that_cannot_be_learned_from_are_listed_with_the_reason(reviews: list[Review], tmp_path: Path) -> None:
    gone = reviews[0].product.images[0].model_copy(update={"uri": str(tmp_path / "gone.jpg")})
    one = changed(reviews[0], product=reviews[0].product.model_copy(update={"images": (gone,)}), sequence=(gone.id,))
    missing = changed(reviews[1], sequence=("nobody",))
    twice = changed(reviews[2], sequence=(reviews[2].sequence[0],) * 2)

    features = review_features([one, missing, twice, reviews[3]], ColorBackbone())

    assert len(features.reviews) == 1
    assert ["gone.jpg" in features.skipped[0].reason, features.skipped[1].reason, features.skipped[2].reason] == [
        True, "its sequence names nobody, which is none of its images", "its sequence names an image twice",
    ]  # fmt: skip


def test_an_unknown_rule_is_learned_as_other_and_counted(reviews: list[Review], tmp_path: Path) -> None:
    row = next(number for number, review in enumerate(reviews) if split_of_review(review) == "train")
    reviews[row] = changed(reviews[row], decision="rejected", rules=("XYZ999",), feedback="I do not like it")

    metrics = train_muisc(reviews, tmp_path, ColorBackbone(), config=SMALL, plan=TrainingPlan(epochs=1))

    assert metrics["unnamed_rules"] == 1


def test_one_decision_alone_is_refused(reviews: list[Review], tmp_path: Path) -> None:
    accepted = [review for review in reviews if review.decision == "accepted"]

    with pytest.raises(TrainingDataError, match="accepted reviews alone"):
        train_muisc(accepted, tmp_path, ColorBackbone(), config=SMALL)


def test_no_review_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="there is no review"):
        train_muisc([], tmp_path, ColorBackbone(), config=SMALL)


def test_a_line_that_is_no_review_is_named(tmp_path: Path) -> None:
    (tmp_path / "reviews.jsonl").write_text('{"product": 3}\n', encoding="utf-8")

    with pytest.raises(TrainingDataError, match="line 1"):
        list(read_reviews(tmp_path / "reviews.jsonl"))


def test_accepted_reviews_are_subsampled_in_the_train_split_alone(reviews: list[Review]) -> None:
    kept = subsample_accepted(reviews, accepted_share=0.5)

    def accepted(given: list[Review], train: bool) -> int:
        return sum(r.decision == "accepted" and (split_of_review(r) == "train") == train for r in given)

    rejected = sum(r.decision == "rejected" and split_of_review(r) == "train" for r in reviews)
    assert accepted(kept, train=True) == rejected
    assert accepted(kept, train=False) == accepted(reviews, train=False)
    assert [review for review in reviews if review in kept] == kept


def test_switches_are_fields_of_the_config() -> None:
    config = switched_config("lite", ["use_title=false", "num_decoder_layers=2", "cross_attention_layers=[1]"])

    assert (config.use_title, config.num_decoder_layers, config.cross_attention_layers) == (False, 2, [1])


def test_a_switch_that_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigError, match="use_title"):
        switched_config("lite", ["use_titel=false"])


def test_words_that_one_product_alone_bears_are_not_read(reviews: list[Review]) -> None:
    # Titles are "Thing 0", "Thing 1", …; categories are 0, 1 and 2.
    features = review_features(reviews, ColorBackbone())

    config = with_shared_title_words(SMALL, features, features.rows("train"), title_products=3)

    assert "thing" in config.title_words
    assert "17" not in config.title_words
    assert config.title_input("Thing 17, new", "1") == "thing 1"


@pytest.mark.slow
def test_a_model_with_its_own_tower_is_trained_on_pixels(reviews: list[Review], tmp_path: Path) -> None:
    config = MuiscConfig.paper(
        tower="timm/test_vit", tower_size=160, hidden_size=64, num_attention_heads=4, num_decoder_layers=1, vocab_size=400,
    )  # fmt: skip
    few = [
        *[r for r in reviews if split_of_review(r) == "train"][:24],
        *[r for r in reviews if split_of_review(r) == "test"][:8],
    ]

    train_muisc(few, tmp_path, ColorBackbone(), config=config, plan=TrainingPlan(epochs=1, batch_size=8))

    model, _ = load_muisc(tmp_path)
    assert model.tower is not None


def test_a_tower_needs_a_config_that_has_one(reviews: list[Review], tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no tower"):
        train_muisc(reviews, tmp_path, ColorBackbone(), config=SMALL, begin=InitFrom(tower="vit.pth"))


@pytest.fixture(scope="module")
def trained(bench: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    train_muisc(read_reviews(bench), folder, ColorBackbone(), config=SMALL, plan=TrainingPlan(epochs=1))
    return folder


class TestAdapting:
    """A trained model goes on learning from the reviews of another shop."""

    def adapted(self, trained: Path, reviews: list[Review], out: Path) -> Path:
        train_muisc(reviews, out, ColorBackbone(), plan=TrainingPlan(epochs=1), begin=InitFrom(model=str(trained)))
        return out

    def test_the_model_keeps_its_config_and_words_and_learns(
        self, trained: Path, reviews: list[Review], tmp_path: Path
    ) -> None:
        before, words = load_muisc(trained)

        after, words_after = load_muisc(self.adapted(trained, reviews, tmp_path))

        assert (after.config.hidden_size, after.config.classes) == (SMALL.hidden_size, before.config.classes)
        assert words_after.vocab_size == words.vocab_size
        assert (after.additions.token_norm.mean == before.additions.token_norm.mean).all()
        assert not (after.classifier.weight == before.classifier.weight).all()

    @pytest.mark.parametrize(("fewest", "chosen"), [(1, True), (1000, False)], ids=["enough", "few"])
    def test_a_few_reviews_do_not_choose_the_epoch(
        self,
        trained: Path,
        reviews: list[Review],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        fewest: int,
        chosen: bool,
    ) -> None:
        monkeypatch.setattr(trainer, "FEWEST_TO_CHOOSE_BY", fewest)

        self.adapted(trained, reviews, tmp_path)

        history = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["history"]
        assert any("eval_auc" in entry for entry in history) is chosen

    def test_the_run_says_what_it_began_from(self, trained: Path, reviews: list[Review], tmp_path: Path) -> None:
        self.adapted(trained, reviews, tmp_path)

        run = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
        assert run["begin"]["model"] == str(trained)

    def test_it_also_reads_the_title_words_of_the_new_shop(
        self, trained: Path, reviews: list[Review], tmp_path: Path
    ) -> None:
        renamed = [
            changed(review, product=review.product.model_copy(update={"title": f"Gadget {review.product.title}"}))
            for review in reviews
        ]

        model, _ = load_muisc(self.adapted(trained, renamed, tmp_path))

        assert {"gadget", "thing"} <= set(model.config.title_words)

    def test_a_model_of_another_backbone_is_refused(self, trained: Path, reviews: list[Review], tmp_path: Path) -> None:
        class Shorter(ColorBackbone):
            def features(self, images):  # type: ignore[no-untyped-def]
                return [{**facts, "embedding": facts["embedding"][:8]} for facts in super().features(images)]

        with pytest.raises(WeightsError, match="another backbone"):
            train_muisc(reviews, tmp_path, Shorter(), begin=InitFrom(model=str(trained)))


def test_the_model_that_ships_is_known_by_name() -> None:
    model, _ = load_muisc("muisc-lite")

    assert model.config.classes[0] == "yes"

    def test_a_whole_model_and_parts_of_others_are_refused(self) -> None:
        with pytest.raises(ConfigError, match="its own decoder and tokenizer"):
            InitFrom(model="muisc-lite", decoder="gpt2", tokenizer="gpt2")


def test_reviews_of_which_none_calibrates_are_counted(reviews: list[Review], tmp_path: Path) -> None:
    without = [review for review in reviews if split_of_review(review) != "validation"]

    metrics = train_muisc(without, tmp_path, ColorBackbone(), config=SMALL, plan=TrainingPlan(epochs=1))

    assert metrics["calibrated_on"] == 0


@pytest.mark.parametrize("epoch", [0, 3])
def test_batches_hold_sequences_of_one_length(epoch: int) -> None:
    lengths = [1, 2, 3] * 20
    order = LengthGroupedSampler(lengths, batch_size=4, seed=0)
    order.set_epoch(epoch)

    rows = list(order)

    assert sorted(rows) == list(range(60))
    assert all(len({lengths[row] for row in rows[start : start + 4]}) == 1 for start in range(0, 60, 4))


def test_the_order_changes_with_the_epoch_and_comes_back_with_it() -> None:
    order = LengthGroupedSampler([1] * 30, batch_size=4, seed=0)
    first = list(order)
    order.set_epoch(1)
    second = list(order)
    order.set_epoch(0)

    assert first != second
    assert list(order) == first
