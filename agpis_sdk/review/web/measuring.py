"""The metrics page: how often reviewers refuse, whether they agree, which threshold to choose, and what changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from agpis_sdk.records import Outcome
from agpis_sdk.report.phrases import spoken
from agpis_sdk.review.metrics.agreement import agreement
from agpis_sdk.review.metrics.drift import Drift, drift, scores_of
from agpis_sdk.review.metrics.rates import Rate, Reviewed, compare, rate, rates_by, rates_by_rule, reviewed
from agpis_sdk.review.metrics.threshold import ThresholdRow, for_budget, for_reject_rate, threshold_rows
from agpis_sdk.review.store.decisions import judged
from agpis_sdk.review.store.tables import Item, Queue
from agpis_sdk.review.web.rendering import page
from agpis_sdk.review.web.requests import Ask

SHOWN = 12
DRIFT_ITEMS = 3000
PLOT_WIDTH, PLOT_HEIGHT = 720.0, 150.0


@dataclass(frozen=True)
class Point:
    """A rate of the chart over time, in its coordinates; the interval is `top` to `bottom`."""

    x: float
    y: float
    top: float
    bottom: float
    rate: Rate


def metrics(ask: Ask) -> Response:
    """Show the metrics of all decisions."""
    rows = reviewed(judged(ask.site.store))
    wanted = _number(ask, "reject_rate", 0.15, 1.0)
    budget = _number(ask, "budget", 1000.0, 1e9)
    thresholds = _thresholds(ask, rows)
    by_model = rates_by(rows, lambda row: row.model_version)
    by_config = rates_by(rows, lambda row: f"{row.model_version} · {row.config_version}")
    return page(
        ask,
        "metrics.html",
        overall=rate("all", sum(row.refused for row in rows), len(rows)),
        points=_points(rates_by(rows, lambda row: row.week)),
        width=PLOT_WIDTH,
        height=PLOT_HEIGHT,
        groups=_groups(ask, rows, by_model),
        agreed=agreement(rows),
        thresholds=thresholds,
        wanted=wanted,
        budget=round(budget),
        by_rate=for_reject_rate(thresholds, wanted),
        by_budget=for_budget(thresholds, round(budget)),
        configs=by_config,
        comparison=compare(*_compared(ask, by_config)) if len(by_config) > 1 else None,
        drifts=_drifts(ask),
    )


def _groups(ask: Ask, rows: Sequence[Reviewed], by_model: list[Rate]) -> list[tuple[str, list[Rate]]]:
    rules = ask.site.rules
    named = [
        rate(
            f"{spoken(rules[one.name].name)} ({one.name})" if one.name in rules else one.name, one.refused, one.reviewed
        )
        for one in rates_by_rule(rows)
    ]
    groups = [
        ("Model", by_model),
        ("Rule", named),
        ("Category", rates_by(rows, lambda row: row.category or "none")),
        ("Seller", rates_by(rows, lambda row: row.seller or "none")),
        ("Drawn at random", rates_by(rows, lambda row: "audit share" if row.audit else "chosen by the order")),
    ]
    largest_first = [(title, sorted(group, key=lambda one: -one.reviewed)[:SHOWN]) for title, group in groups]
    return [(title, group) for title, group in largest_first if group and [one.name for one in group] != ["none"]]


def _points(weeks: list[Rate]) -> list[Point]:
    """Place the weeks from left to right; a rate of 1 is at the top."""
    step = PLOT_WIDTH / max(1, len(weeks))
    return [
        Point(
            x=(place + 0.5) * step,
            y=PLOT_HEIGHT * (1 - (one.value or 0)),
            top=PLOT_HEIGHT * (1 - (one.high or 0)),
            bottom=PLOT_HEIGHT * (1 - (one.low or 0)),
            rate=one,
        )
        for place, one in enumerate(weeks)
    ]


def _thresholds(ask: Ask, rows: Sequence[Reviewed]) -> list[ThresholdRow]:
    """Return the thresholds for the present queue; a product that only the audit share brought in stands for many."""
    settings = ask.site.settings
    with ask.site.store.reading() as session:
        found = session.execute(
            select(Item.probability, Item.status, Item.audit).where(
                Item.queue_id == ask.site.queue_id, Item.probability.is_not(None)
            )
        ).all()
    probabilities = np.array([probability for probability, _, _ in found], dtype=np.float64)
    share = max(settings.audit_share, 1e-6)
    weights = np.array([1.0 if status in settings.statuses else 1 / share for _, status, _ in found])
    return threshold_rows(rows, probabilities, weights)


def _drifts(ask: Ask) -> list[tuple[str, list[Drift]]]:
    """Compare the present queue with the one before it, and with what the models learned from."""
    query = select(Queue.id).where(Queue.id < ask.site.queue_id).order_by(Queue.id.desc()).limit(1)
    with ask.site.store.reading() as session:
        before = session.scalar(query)
        now = _scores(session, ask.site.queue_id)
        earlier = _scores(session, before) if before is not None else {}
    learned = {name: np.array(values, dtype=np.float64) for name, values in ask.site.reference.items()}
    compared = [("the queue before", drift(earlier, now)), ("what the models learned from", drift(learned, now))]
    return [(title, found) for title, found in compared if found]


def _scores(session: Session, queue_id: int) -> dict[str, NDArray[np.float64]]:
    outcomes = session.scalars(select(Item.outcome).where(Item.queue_id == queue_id).limit(DRIFT_ITEMS))
    return scores_of([Outcome.model_validate_json(one) for one in outcomes])


def _compared(ask: Ask, configs: list[Rate]) -> tuple[Rate, Rate]:
    """Return the two versions that are asked for, else the two with the most reviews."""
    by_name = {one.name: one for one in configs}
    asked = [by_name.get(ask.request.query_params.get(name, "")) for name in ("first", "second")]
    first, second = sorted(configs, key=lambda one: -one.reviewed)[:2]
    return asked[0] or first, asked[1] or second


def _number(ask: Ask, name: str, default: float, largest: float) -> float:
    try:
        value = float(ask.request.query_params.get(name, default))
    except ValueError:
        return default
    return value if 0 <= value <= largest else default
