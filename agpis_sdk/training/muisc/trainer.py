"""Trains MUIsC on reviews (paper sections 3.4.3 and 4.2) with the Trainer of transformers."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import (
    EarlyStoppingCallback,
    EvalPrediction,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.trainer_utils import get_last_checkpoint

from agpis_sdk.builtin.muisc.config import MuiscTrainingConfig
from agpis_sdk.builtin.muisc.model import Muisc, MuiscConfig
from agpis_sdk.builtin.muisc.processor import FACTS
from agpis_sdk.builtin.muisc.text import OTHER, QUALIFIED, MuiscText
from agpis_sdk.components import FeatureSource
from agpis_sdk.datasets.galleries import read_reviews, subsample_accepted, with_replaced
from agpis_sdk.datasets.review_dataset import Collator, LengthGroupedSampler, Reviews
from agpis_sdk.datasets.review_features import LearnableReviews, review_features, review_pixels
from agpis_sdk.errors import ConfigError, TrainingDataError
from agpis_sdk.evaluation.calibration import Calibration, calibrated, fit_calibration, objection_limit
from agpis_sdk.evaluation.metrics import evaluate
from agpis_sdk.evaluation.predict import class_logits, predict
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.records import Review
from agpis_sdk.rules import RuleSet
from agpis_sdk.training.muisc.initialization import InitFrom, build_model, initial_config, switched_config
from agpis_sdk.training.provenance import describe_run, drop_checkpoints
from agpis_sdk.training.request import LearningData, TrainingRequest

FEWEST_TO_CHOOSE_BY = 10
"""Accepted and rejected reviews of the validation split, of each as many, from which on they choose the best epoch."""


@dataclass(frozen=True)
class TrainingPlan:
    """How to train; batch size and epochs are those of section 4.2.

    The paper's learning rate of 1.5e-4 fine-tunes pretrained parts; a small model that starts from nothing needs more.
    `patience` is how many epochs may pass without a better validation AUC. Title words of fewer than `title_products`
    products of the train split are not read.
    """

    epochs: int = 10
    batch_size: int = 64
    accumulation: int = 1
    learning_rate: float = 8e-4
    weight_decay: float = 0.05
    warmup: float = 0.1
    patience: int = 4
    title_products: int = 3
    seed: int = 0


def train_muisc(
    reviews: Iterable[Review],
    out: Path,
    source: FeatureSource,
    *,
    config: MuiscConfig | None = None,
    plan: TrainingPlan | None = None,
    begin: InitFrom | None = None,
    cache: Path | None = None,
    resume: bool = False,
    rules: RuleSet | None = None,
) -> dict[str, Any]:
    """Train on the train split, keep the best epoch by validation AUC, calibrate there, and measure on the test split.

    `source` is a backbone, or where the config names evidence, `RunFacts` with `FACTS`.

    A whole model to `begin` from is adapted to these reviews: it keeps its config, and `config` is not read. Feedback is read
    with the names of `rules`, and a new model has a class for each of them; the shipped ones where none are given.

    Writes model, tokenizer, metrics and what was run to `out`; with `resume`, goes on from its last checkpoint.
    Raises `TrainingDataError` when a split cannot be learned from.
    """
    plan, begin = plan or TrainingPlan(), begin or InitFrom()
    config = initial_config(begin, config, rules or shipped_rules())
    if resume:
        last_checkpoint(out)  # To find out now, not after an hour of features, that there is none.
    features = learnable(reviews, source, config, seed=plan.seed, cache=cache, rules=rules)
    model, text, history = fit(features, config, plan, out, begin=begin, resume=resume)
    metrics = {
        "calibrated_on": calibrate(model, text, features, prior=calibration_of(model) if begin.model else None),
        "skipped_reviews": [asdict(skipped) for skipped in features.skipped],
        "unnamed_rules": sum(
            model.config.classes[model.config.class_of(review.code)] == OTHER for review in features.reviews
        ),
        "temperature": round(model.config.mcc_temperature, 4),
        "qualified_bias": round(model.config.mcc_qualified_bias, 4),
        "objection_threshold": round(model.config.objection_threshold, 4),
        "history": history,
        **{
            split: evaluate(predict(model, text, features, features.rows(split)), seed=plan.seed, rules=rules).as_dict()
            for split in ("validation", "test")
            if len(features.rows(split))
        },
    }
    model.save_pretrained(out)
    text.save(out)
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    run = {**describe_run(features, config, plan), "begin": asdict(begin)}
    drop_checkpoints(out)
    (out / "run.json").write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
    return metrics


def train(request: TrainingRequest) -> dict[str, Any]:
    """Train MUIsC as `agpis train muisc` asks; returns the figures of the test split, where there is one."""
    settings = cast("MuiscTrainingConfig", request.settings)
    adapted = settings.adapt is not None
    if adapted and (settings.switch or settings.size != "lite"):
        raise ConfigError(
            "keeps its own config", item=f"--adapt {settings.adapt}", remedy="leave out --size and --switch"
        )
    new_model_rate = 8e-4 if settings.size == "lite" else 1.5e-4
    plan = TrainingPlan(
        epochs=settings.epochs,
        batch_size=settings.batch_size or (16 if adapted else 64),
        accumulation=settings.accumulation,
        learning_rate=settings.learning_rate or (2e-4 if adapted else new_model_rate),
        seed=request.seed,
        title_products=settings.title_products,
    )
    reviews = list(with_replaced(read_reviews(request.reviews_file())))
    begin = InitFrom(settings.tower, settings.decoder, settings.tokenizer, settings.adapt)
    config = initial_config(begin, switched_config(settings.size, settings.switch, request.rules), request.rules)
    metrics = train_muisc(
        subsample_accepted(reviews, accepted_share=settings.accepted_share, seed=request.seed),
        request.out,
        feature_source(request, config),
        config=config,
        plan=plan,
        begin=begin,
        cache=request.reviews_file().parent / "features",
        resume=request.resume,
        rules=request.rules,
    )
    for skipped in metrics["skipped_reviews"]:
        request.note(f"skipped {skipped['product']}: {skipped['reason']}")
    if metrics["unnamed_rules"]:
        request.note(f"{metrics['unnamed_rules']} rejected reviews name no rule of the run: class other")
    if not metrics["calibrated_on"]:
        request.note("the validation split does not hold both decisions: p^t is not calibrated to these reviews")
    test: dict[str, Any] = metrics.get("test", metrics)
    return test


def learnable(
    reviews: Iterable[Review],
    source: FeatureSource,
    config: MuiscConfig,
    *,
    seed: int = 0,
    cache: Path | None = None,
    rules: RuleSet | None = None,
) -> LearnableReviews:
    """Return reviews with what a model of `config` reads: pixels for its own tower, else the source's features."""
    if config.tower:
        return review_pixels(reviews, size=config.tower_size, seed=seed, max_images=config.max_images, rules=rules)
    return review_features(
        reviews, source, fusion=config.fusion, with_evidence=bool(config.evidence), seed=seed,
        max_images=config.max_images, cache=cache, rules=rules,
    )  # fmt: skip


def feature_source(request: LearningData, config: MuiscConfig) -> FeatureSource:
    """Return what gives a model of `config` its features: the backbone, or a run's facts where it reads evidence."""
    return request.run_facts(FACTS) if config.evidence else request.backbone()


def fit(
    features: LearnableReviews,
    config: MuiscConfig,
    plan: TrainingPlan,
    out: Path,
    *,
    begin: InitFrom | None = None,
    resume: bool = False,
) -> tuple[Muisc, MuiscText, list[dict[str, Any]]]:
    """Train a model of `config` on the train split; return it with its tokenizer and the loss curve.

    Raises `TrainingDataError` when the train split has no accepted or no rejected review.
    """
    train, validation = features.rows("train"), features.rows("validation")
    if begin is not None and begin.model is not None and min(decided(features, validation)) < FEWEST_TO_CHOOSE_BY:
        validation = validation[:0]  # Which epoch is best would be chance: a model that goes on takes the last.
    decisions = {features.reviews[row].code != QUALIFIED for row in train}
    if len(decisions) < 2:
        found = {frozenset(): "no review", frozenset({True}): "rejected reviews alone"}.get(
            frozenset(decisions), "accepted reviews alone"
        )
        raise TrainingDataError(
            f"the train split has {found}", item="reviews", remedy="training needs accepted and rejected ones"
        )
    torch.manual_seed(plan.seed)
    model, text = build_model(features, train, config, begin or InitFrom(), plan.title_products)
    history = run_trainer(
        model,
        Collator(text),
        Reviews(features, train, model.config),
        Reviews(features, validation, model.config) if len(validation) else None,
        out,
        plan,
        resume=resume,
    )
    return model.cpu().eval().requires_grad_(False), text, history


class Progress(TrainerCallback):  # type: ignore[misc]
    """Says on stderr how far training is; stdout is for data."""

    def on_log(self, args: Any, state: Any, _control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Print the loss, or the validation AUC, of an epoch."""
        for name, words in (("loss", "loss"), ("eval_auc", "validation AUC")):
            if logs and name in logs:
                sys.stderr.write(f"epoch {state.epoch:.0f} of {args.num_train_epochs}: {words} {logs[name]:.4f}\n")


class ReviewTrainer(Trainer):  # type: ignore[misc]
    """The Trainer of transformers, with batches of sequences of one length."""

    def _get_train_sampler(self, train_dataset: Reviews | None = None) -> LengthGroupedSampler:
        reviews = train_dataset if train_dataset is not None else self.train_dataset
        return LengthGroupedSampler(reviews.lengths, self.args.train_batch_size, self.args.seed)


def run_trainer(
    model: torch.nn.Module,
    collate: Collator,
    train: Reviews,
    validation: Reviews | None,
    out: Path,
    plan: TrainingPlan,
    *,
    resume: bool = False,
) -> list[dict[str, Any]]:
    """Train a model in place, back to its best epoch by validation AUC; return the loss curve.

    Raises `TrainingDataError` when it shall go on from a checkpoint and `out` holds none.
    """
    trainer = ReviewTrainer(
        model=model,
        args=_arguments(out, plan, validated=validation is not None),
        train_dataset=train,
        eval_dataset=validation,
        data_collator=collate,
        compute_metrics=_validation_auc,
        # Word logits of a whole split would fill the memory; only class logits are measured.
        preprocess_logits_for_metrics=lambda logits, _: logits[0] if isinstance(logits, tuple) else logits,
        callbacks=[Progress(), *([EarlyStoppingCallback(plan.patience)] if validation is not None else [])],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=last_checkpoint(out) if resume else None)
    return [dict(entry) for entry in trainer.state.log_history]


def last_checkpoint(out: Path) -> str:
    """Return the last checkpoint of a run folder; raises `TrainingDataError` where there is none."""
    checkpoint = get_last_checkpoint(str(out)) if out.is_dir() else None
    if checkpoint is None:
        raise TrainingDataError("there is no checkpoint to go on from", item=str(out), remedy="leave out --resume")
    return str(checkpoint)


def calibrate(model: Muisc, text: MuiscText, features: LearnableReviews, *, prior: Calibration | None = None) -> int:
    """Set temperature, bias and objection limit from the validation split, whose share of accepted ones is the shop's.

    Few reviews move them little from those of `prior`, where it is given.

    Returns from how many reviews: 0 where the split does not hold both decisions, and all stays as it was.
    """
    rows = features.rows("validation")
    if not min(decided(features, rows)):
        return 0
    qualified = np.array([features.reviews[row].code == QUALIFIED for row in rows])
    logits = class_logits(model, text, features, rows)
    set_calibration(model, logits, qualified, fit_calibration(logits, qualified, prior))
    return len(rows)


def set_calibration(
    model: Muisc, logits: NDArray[np.float64], qualified: NDArray[np.bool_], calibration: Calibration
) -> None:
    """Set temperature, bias and the objection limit that goes with them, given class logits (n, C) and decisions (n,)."""
    model.config.mcc_temperature, model.config.mcc_qualified_bias = calibration.temperature, calibration.bias
    model.config.objection_threshold = objection_limit(calibrated(logits, calibration)[:, 0], qualified)


def calibration_of(model: Muisc) -> Calibration:
    """Return the calibration that a model carries."""
    return Calibration(model.config.mcc_temperature, model.config.mcc_qualified_bias)


def decided(features: LearnableReviews, rows: NDArray[np.int64]) -> tuple[int, int]:
    """Return how many of some reviews are accepted, and how many are rejected."""
    accepted = sum(features.reviews[row].code == QUALIFIED for row in rows)
    return accepted, len(rows) - accepted


def _arguments(out: Path, plan: TrainingPlan, *, validated: bool) -> TrainingArguments:
    on_gpu = torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(out),
        per_device_train_batch_size=plan.batch_size,
        per_device_eval_batch_size=2 * plan.batch_size,
        gradient_accumulation_steps=plan.accumulation,
        num_train_epochs=plan.epochs,
        learning_rate=plan.learning_rate,
        weight_decay=plan.weight_decay,
        warmup_steps=plan.warmup,
        lr_scheduler_type="cosine",
        optim="adamw_torch",
        max_grad_norm=1.0,
        bf16=bf16_is_fast(),
        use_cpu=not on_gpu,
        dataloader_pin_memory=on_gpu,
        eval_strategy="epoch" if validated else "no",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=validated,
        metric_for_best_model="auc" if validated else None,
        greater_is_better=True if validated else None,
        logging_strategy="epoch",
        report_to=["tensorboard"],
        remove_unused_columns=False,
        label_names=["labels"],
        disable_tqdm=True,
        seed=plan.seed,
        data_seed=plan.seed,
    )


def bf16_is_fast() -> bool:
    """Tell whether bfloat16 pays on this machine: on a GPU that has it, or a CPU with AMX.

    With AVX512-BF16 alone an epoch took as long as in float32.
    """
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_amx_tile_supported())


def _validation_auc(prediction: EvalPrediction) -> dict[str, float]:
    """Return the AUC of p^t on the validation split; 0.5 where it holds one decision only."""
    from scipy.special import softmax
    from sklearn.metrics import roc_auc_score

    qualified = np.asarray(prediction.label_ids) == 0
    if len(set(qualified.tolist())) < 2:
        return {"auc": 0.5}
    return {
        "auc": float(roc_auc_score(qualified, softmax(np.asarray(prediction.predictions, np.float64), axis=1)[:, 0]))
    }
