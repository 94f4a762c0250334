"""Fail closed (law 7): what a checker of an error rule could not judge is held, never submitted."""

from __future__ import annotations

from agpis_sdk.pipeline.batch import Batch, ProductState, engine_finding
from agpis_sdk.pipeline.guard import Component
from agpis_sdk.pipeline.plan import ENGINE_FACTS
from agpis_sdk.pipeline.run import Run
from agpis_sdk.records import Unjudged

NOT_JUDGED = "not-judged"
NAMED = 3  # further reasons are counted


def note_unjudged(run: Run, component: Component, progress: ProductState, images: tuple[str, ...], reason: str) -> None:
    """Note that a component could not judge some images, if a rule of severity "error" depends on it."""
    if _decides(run, component):
        progress.unjudged.append((images, reason))


def note_unjudged_rule(run: Run, component: Component, progress: ProductState, unjudged: Unjudged) -> None:
    """Note AGP902 where a component says itself that it could not judge a rule; only an error rule holds the product."""
    if unjudged.code not in run.thresholds:
        return
    message = f"{component.label} could not judge {unjudged.code}: {unjudged.reason}"
    progress.findings.append(engine_finding(run.rules, "AGP902", unjudged.images, message))
    run.guard.note_unjudged(component, unjudged.reason)
    if run.rules[unjudged.code].severity == "error":
        progress.unjudged.append((unjudged.images, message))


def hold_unjudged(run: Run, batch: Batch) -> None:
    """Hold the products that were to be submitted although something of them was not judged.

    An image that another rule has removed does no harm any more.
    """
    if not run.config.run.hold_unjudged:
        return
    for progress in batch.values():
        if progress.status != "submit":
            continue
        reasons = [
            f"{', '.join(images)}: {reason}"
            for images, reason in progress.unjudged
            if progress.removed.isdisjoint(images)
        ]
        if reasons:
            more = [f"and {len(reasons) - NAMED} more"] if len(reasons) > NAMED else []
            before = [progress.detail] if progress.detail else []
            progress.end("hold", NOT_JUDGED, "; ".join([*before, *reasons[:NAMED], *more]))


def _decides(run: Run, component: Component) -> bool:
    """Return whether an image, a pair or a sequence can be refused by what a component says."""
    spec = component.owned.spec
    if spec.provides & ENGINE_FACTS:
        return True
    return any(run.rules[code].severity == "error" and spec.raises(code) for code in run.thresholds)
