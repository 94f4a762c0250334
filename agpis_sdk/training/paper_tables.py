"""Tables 2 and 3 of the paper: single towers against MUIsC, and what each part of MUIsC adds."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from agpis_sdk.builtin.muisc.model import MuiscConfig
from agpis_sdk.builtin.muisc.text import label_space
from agpis_sdk.components import FeatureSource
from agpis_sdk.datasets.galleries import subsample_accepted
from agpis_sdk.datasets.review_dataset import Collator, Reviews
from agpis_sdk.datasets.review_features import LearnableReviews, ReviewFeatures
from agpis_sdk.evaluation.metrics import evaluate
from agpis_sdk.evaluation.predict import predict
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.records import Review
from agpis_sdk.training.baselines import SingleTower, predict_with_single_tower
from agpis_sdk.training.muisc.initialization import config_for, switched_config
from agpis_sdk.training.muisc.trainer import TrainingPlan, calibrate, fit, learnable, run_trainer
from agpis_sdk.training.provenance import data_hash, drop_checkpoints, git_revision, hardware

RESULTS = "results.jsonl"
COLUMNS = {
    "AUC": "auc", "R@P=0.8": "recall_at_precision_0.8", "R@P=0.85": "recall_at_precision_0.85",
    "R@P=0.9": "recall_at_precision_0.9", "AUC-single": "auc_single", "AUC-pair": "auc_pair", "AUC-multi": "auc_multi",
}  # fmt: skip


class TableRow(BaseModel):
    """One row: a model, its backbone, and how it differs from the default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: Literal["table-2", "table-3", "switches"]
    name: str = Field(description="What the row is called in the table.")
    model: Literal["single-tower", "muisc"]
    backbone: str = Field(default="efficientnet-lite0", description="A backbone of the config file's [backbones].")
    tower: str = Field(default="", description="A tower trained from scratch instead, as timm/NAME; see MuiscConfig.")
    fusion: Literal["late", "early"] = "late"
    classes: Literal["multi", "binary"] = "multi"
    evidence: bool = Field(default=False, description="Whether the model reads what stage 1 measured.")
    switches: tuple[str, ...] = Field(default=(), description="Fields of MuiscConfig as field=value.")
    epochs: int | None = Field(default=None, ge=1)
    batch_size: int | None = Field(default=None, ge=1)
    learning_rate: float | None = Field(default=None, gt=0)


class TablesConfig(BaseModel):
    """The config file of `agpis bench tables`: seeds, training, backbones and rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seeds: Annotated[tuple[int, ...], Field(min_length=1)] = (0, 1, 2)
    train_reviews: int | None = Field(default=None, ge=10, description="Most reviews of the train split; all if unset.")
    accepted_share: float = Field(default=0.5, gt=0, lt=1)
    epochs: int = Field(default=10, ge=1)
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=8e-4, gt=0)
    backbones: Mapping[str, tuple[str, ...]] = Field(description="Name to the --set options that choose it.")
    row: tuple[TableRow, ...]


Sources = Callable[[Sequence[str], bool], FeatureSource]


def run_tables(
    reviews: Sequence[Review], config: TablesConfig, out: Path, sources: Sources, *, cache: Path
) -> list[dict[str, Any]]:
    """Train and measure every row with every seed; rows that `out` already holds are skipped.

    `sources` turns `--set` options, and whether evidence of stage 1 is read, into what gives features. Each result is written at once, so that an interrupted run
    resumes where it stopped.
    """
    out.mkdir(parents=True, exist_ok=True)
    results = read_results(out)
    # Without the line that was cut off, or the next result would be written behind it.
    (out / RESULTS).write_text("".join(json.dumps(result) + "\n" for result in results), encoding="utf-8")
    chosen = _chosen(reviews, config)
    for rows in _by_features(config.row):
        missing = [(row, seed) for row in rows for seed in config.seeds if _find(results, row, seed) is None]
        if not missing:
            continue
        # Rows without evidence read the same features, and leave it out.
        richest = max(rows, key=lambda row: row.evidence)
        given = sources(config.backbones[richest.backbone], richest.evidence)
        source = learnable(chosen, given, _config(richest), cache=cache)
        for row, seed in missing:
            if _find(results, row, seed) is not None:
                continue
            results.append(_measured(row, seed, source, config, out))
            with (out / RESULTS).open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(results[-1]) + "\n")
    return results


def read_results(out: Path) -> list[dict[str, Any]]:
    """Return the results that a folder holds; a last line that was cut off is left out."""
    path = out / RESULTS
    results = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            results.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return results


def _chosen(reviews: Sequence[Review], config: TablesConfig) -> list[Review]:
    """Return all reviews of the validation and test splits, and as many of the train split as the config allows."""
    from agpis_sdk.datasets.galleries import split_of_review

    kept = subsample_accepted(reviews, accepted_share=config.accepted_share)
    train = [review for review in kept if split_of_review(review) == "train"]
    if config.train_reviews is None or len(train) <= config.train_reviews:
        return kept
    drawn = np.random.default_rng(0).permutation(len(train))[: config.train_reviews]
    inside = {id(train[row]) for row in drawn}
    return [review for review in kept if split_of_review(review) != "train" or id(review) in inside]


def _by_features(rows: Sequence[TableRow]) -> Iterator[list[TableRow]]:
    """Yield rows that read the same features, or the same pixels, together."""

    def key(row: TableRow) -> tuple[str, str, str, int]:
        return row.backbone, row.fusion, row.tower, _config(row).tower_size

    for wanted in dict.fromkeys(map(key, rows)):
        yield [row for row in rows if key(row) == wanted]


def _config(row: TableRow) -> MuiscConfig:
    switches = [*row.switches, f"fusion={row.fusion}", f"tower={row.tower}"]
    return switched_config("lite", switches if row.evidence else [*switches, "evidence=[]"])


def _find(results: Sequence[Mapping[str, Any]], row: TableRow, seed: int) -> Mapping[str, Any] | None:
    # The same model may stand in both tables under two names.
    wanted = row.model_dump(mode="json", exclude={"table", "name"})
    return next(
        (result for result in results if result["seed"] == seed and wanted.items() <= result["row"].items()), None
    )


def _measured(row: TableRow, seed: int, source: LearnableReviews, config: TablesConfig, out: Path) -> dict[str, Any]:
    plan = TrainingPlan(
        epochs=row.epochs or config.epochs,
        batch_size=row.batch_size or config.batch_size,
        learning_rate=row.learning_rate or config.learning_rate,
        seed=seed,
    )
    started = time.monotonic()
    folder = out / "runs" / f"{row.table}-{_slug(row)}-{seed}"
    report = (_single_tower if row.model == "single-tower" else _muisc)(row, plan, source, folder)
    drop_checkpoints(folder)
    return {
        "row": row.model_dump(mode="json"),
        "seed": seed,
        "test": {name: value for name, value in report.items() if name not in ("reliability", "confusion", "rules")},
        "seconds": round(time.monotonic() - started),
        "train_reviews": len(source.rows("train")),
        "data_sha256": data_hash(source),
        "git_revision": git_revision(),
        "hardware": hardware(),
        "date": time.strftime("%Y-%m-%d"),
    }


def _slug(row: TableRow) -> str:
    words = f"{row.name} {row.tower or row.backbone} {row.fusion} {row.classes}"
    return "".join(letter if letter.isalnum() else "-" for letter in words.lower())


def _muisc(row: TableRow, plan: TrainingPlan, source: LearnableReviews, folder: Path) -> dict[str, Any]:
    model, text, _ = fit(source, _config(row), plan, folder)
    calibrate(model, text, source)
    model.save_pretrained(folder)
    text.save(folder)
    return evaluate(predict(model, text, source, source.rows("test")), seed=plan.seed).as_dict()


def _single_tower(row: TableRow, plan: TrainingPlan, source: LearnableReviews, folder: Path) -> dict[str, Any]:
    from agpis_sdk.builtin.muisc.text import MuiscText

    config = config_for(source, _config(row))
    if isinstance(source, ReviewFeatures):
        # A single tower reads no patch: batches are many times lighter without them.
        source = replace(source, tokens=source.tokens[:, :0])
    # A single tower reads no word; the collator's own are thrown away.
    collate = Collator(MuiscText.train(["yes"], vocab_size=270, title_tokens=1, feedback_tokens=2))
    torch.manual_seed(plan.seed)
    model = SingleTower(
        channels=config.global_channels,
        max_images=1 if row.fusion == "early" else max(len(review.images) for review in source.reviews),
        classes=2 if row.classes == "binary" else len(config.classes),
        tower=config.tower,
        tower_size=config.tower_size,
    )
    if isinstance(source, ReviewFeatures):
        model.norm.fit(torch.from_numpy(source.global_tokens.astype(np.float32)))

    def split(name: Literal["train", "validation", "test"]) -> Reviews:
        return Reviews(source, source.rows(name), config, two_classes=row.classes == "binary")

    run_trainer(model, collate, split("train"), split("validation"), folder, plan)
    test = [source.reviews[place] for place in source.rows("test")]
    codes: NDArray[np.str_] = np.array([config.classes[config.class_of(review.code)] for review in test])
    products: NDArray[np.str_] = np.array([review.product for review in test])
    predictions = predict_with_single_tower(
        model.cpu(), collate, split("test"), codes, products, label_space(shipped_rules())
    )
    return evaluate(predictions, seed=plan.seed).as_dict()


def render_tables(results: Sequence[Mapping[str, Any]], config: TablesConfig) -> str:
    """Return the tables as Markdown, and what they were measured on.

    A cell is the mean over seeds and the standard deviation between them; the interval of the AUC is a bootstrap over
    test products, averaged over seeds.
    """
    parts, shown = [], []
    for table in ("table-2", "table-3", "switches"):
        rows = [row for row in config.row if row.table == table]
        found = [(row, [hit for seed in config.seeds if (hit := _find(results, row, seed))]) for row in rows]
        lines = [_line(row, hits) for row, hits in found if hits]
        shown += [hit for _, hits in found for hit in hits]
        if lines:
            head = ("Model", "Backbone", "Fusion", "Classes", *COLUMNS, "AUC 95 %", "Seeds")
            parts.append("\n".join([_markdown(head), _markdown(["---"] * len(head)), *lines]))
    if shown:
        parts.append(_measured_on(shown))
    return "\n\n".join(parts) + "\n"


def _line(row: TableRow, hits: Sequence[Mapping[str, Any]]) -> str:
    figures = [_mean([hit["test"].get(key) for hit in hits]) for key in COLUMNS.values()]
    intervals = [interval for hit in hits if (interval := hit["test"].get("intervals", {}).get("auc"))]
    ends = [statistics.fmean(end) for end in zip(*intervals, strict=True)]
    interval = "{:.3f} to {:.3f}".format(*ends) if ends else "–"
    backbone = row.tower or row.backbone
    return _markdown([row.name, backbone, row.fusion, row.classes, *figures, interval, str(len(hits))])


def _measured_on(hits: Sequence[Mapping[str, Any]]) -> str:
    """Return the dates, hardware, data and code revisions of some results, "unknown" where not recorded."""

    def all_of(key: str) -> str:
        return ", ".join(dict.fromkeys(str(hit[key]) for hit in hits if key in hit)) or "unknown"

    return (
        f"Measured on {all_of('date')}; hardware: {all_of('hardware')}; reviews of the train split: "
        f"{all_of('train_reviews')}; code: {all_of('git_revision')}."
    )


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    spread = f" ± {statistics.stdev(known):.3f}" if len(known) > 1 else ""
    return f"{statistics.fmean(known):.3f}{spread}"


def _markdown(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
