"""Measures a MUIsC on reviews (paper section 4.1) as `agpis evaluate` asks."""

from __future__ import annotations

from pathlib import Path

from agpis_sdk.builtin.muisc.checkpoints import load_muisc
from agpis_sdk.datasets.galleries import read_reviews, split_of_review, with_replaced
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.evaluation.metrics import evaluate as measured
from agpis_sdk.evaluation.predict import predict
from agpis_sdk.evaluation.table import evaluation_table
from agpis_sdk.training.muisc.trainer import feature_source, learnable
from agpis_sdk.training.request import Evaluation, EvaluationRequest, JudgedExamples


def evaluate(request: EvaluationRequest) -> Evaluation:
    """Measure a model, by folder, hub id or "muisc-lite", on one split of some reviews, or on all of them.

    Raises `TrainingDataError` where no review is of the split.
    """
    path = request.reviews_file()
    chosen = [
        review
        for review in with_replaced(read_reviews(path))
        if request.split == "all" or split_of_review(review, seed=request.seed) == request.split
    ]
    if not chosen:
        raise TrainingDataError(f"has no review of the {request.split} split", item=str(path), remedy="--split all")
    muisc, text = load_muisc(Path(request.model) if Path(request.model).exists() else request.model)
    source = learnable(
        chosen, feature_source(request, muisc.config), muisc.config, seed=request.seed, rules=request.rules
    )
    predictions = predict(muisc, text, source, source.every_row)
    report = measured(predictions, seed=request.seed, rules=request.rules)
    for skipped in source.skipped:
        request.note(f"skipped {skipped.product}: {skipped.reason}")
    if request.plots:
        from agpis_sdk.evaluation.plots import write_plots

        for written in write_plots(predictions, report, request.plots, rules=request.rules):
            request.note(f"written to {written}")
    figures = {**report.as_dict(), "skipped_reviews": len(source.skipped)}
    examples = JudgedExamples(predictions.products, predictions.p_qualified, predictions.qualified)
    return Evaluation(figures, evaluation_table(report, rules=request.rules), examples)
