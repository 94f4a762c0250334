"""What reviewers decide: each decision is one more row, taken once however often it is sent, and never changed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from agpis_sdk.errors import ReviewConflictError
from agpis_sdk.records import Mark, Outcome, Product, Record
from agpis_sdk.review.store.claims import counts, held, release
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.tables import JUDGMENTS, Assignment, Decision, Item, Queue, User, Verdict

LONGEST_FEEDBACK = 2000


class Judgment(Record):
    """What a reviewer says about an item; `key` is new for each decision, and the same where one is sent again."""

    key: str = Field(min_length=8, max_length=64)
    verdict: Verdict
    sequence: tuple[str, ...] = ()
    feedback: str = Field(default="", max_length=LONGEST_FEEDBACK)
    rules: tuple[str, ...] = Field(default=(), max_length=20)
    marks: tuple[Mark, ...] = Field(default=(), max_length=100)
    seconds: float | None = Field(default=None, ge=0)


@dataclass(frozen=True)
class Judged:
    """A decision that counts, with the item it is about and who took it."""

    decision: Decision
    item: Item
    reviewer: str
    threshold: float


def decide(store: Store, reviewer_id: int, item_id: int, judgment: Judgment, now: datetime) -> None:
    """Keep a reviewer's judgment of an item that they have claimed; one with a known key is there already.

    Raises `ReviewConflictError` where the claim has gone to somebody else, the item is decided, or the judgment names
    images that the product does not have.
    """
    try:
        with store.writing() as session:
            if not _is_known(session, reviewer_id, item_id, judgment.key):
                _keep(session, reviewer_id, item_id, judgment, now)
    except IntegrityError:
        # The same decision was sent twice at one moment: one of the two is there now.
        with store.reading() as session:
            if not _is_known(session, reviewer_id, item_id, judgment.key):
                raise


def undo(store: Store, reviewer_id: int, queue_id: int, *, now: datetime, minutes: float) -> int | None:
    """Take back a reviewer's last decision in a queue and return its item, claimed again; None where there is none."""
    with store.writing() as session:
        last = session.scalar(
            select(Decision)
            .join(Item, Item.id == Decision.item_id)
            .where(Item.queue_id == queue_id, Decision.reviewer_id == reviewer_id)
            .where(Decision.verdict != "withdrawn", counts())
            .order_by(Decision.id.desc())
            .limit(1)
        )
        if last is None:
            return None
        assignment = session.scalars(
            select(Assignment).where(Assignment.id == last.assignment_id).with_for_update()
        ).one()
        taken = assignment.reviewer_id not in (None, reviewer_id) or (last.verdict == "skipped" and assignment.decided)
        if taken:  # a skipped item that somebody else has by now
            return None
        session.add(_withdrawal(last, now))
        assignment.decided = False
        assignment.reviewer_id = reviewer_id
        assignment.expires_at = now + timedelta(minutes=minutes)
        return last.item_id


def judged(store: Store, queue_id: int | None = None) -> Iterator[Judged]:
    """Yield the judgments that count, of one queue or of all, in the order in which they were taken."""
    query = (
        select(Decision, Item, User.name, Queue.threshold)
        .join(Item, Item.id == Decision.item_id)
        .join(Queue, Queue.id == Item.queue_id)
        .join(User, User.id == Decision.reviewer_id)
        .where(Decision.verdict.in_(JUDGMENTS), counts())
        .order_by(Decision.id)
    )
    if queue_id is not None:
        query = query.where(Item.queue_id == queue_id)
    with store.reading() as session:
        for row in session.execute(query.execution_options(yield_per=500)):
            yield Judged(*row)


def _is_known(session: Session, reviewer_id: int, item_id: int, key: str) -> bool:
    known = session.scalar(select(Decision).where(Decision.key == key))
    if known is not None and (known.reviewer_id, known.item_id) != (reviewer_id, item_id):
        raise ReviewConflictError("is the key of another decision", item=f"decision {key}", remedy="make a new key")
    return known is not None


def _keep(session: Session, reviewer_id: int, item_id: int, judgment: Judgment, now: datetime) -> None:
    assignment = held(session, item_id, reviewer_id)
    if assignment is None:
        raise ReviewConflictError(
            "was given to somebody else meanwhile", item="this product", remedy="go to the next one"
        )
    if assignment.decided:
        raise ReviewConflictError("is decided already", item="this product", remedy="take the decision back first")
    item, queue = session.execute(
        select(Item, Queue).join(Queue, Queue.id == Item.queue_id).where(Item.id == item_id)
    ).one()
    _check(judgment, Product.model_validate_json(item.product), Outcome.model_validate_json(item.outcome))
    session.add(
        Decision(
            key=judgment.key,
            item_id=item_id,
            assignment_id=assignment.id,
            reviewer_id=reviewer_id,
            decided_at=now,
            verdict=judgment.verdict,
            sequence=list(judgment.sequence),
            feedback=judgment.feedback,
            rules=list(judgment.rules),
            marks=[mark.model_dump(mode="json") for mark in judgment.marks],
            seconds=judgment.seconds,
            model_version=queue.model_version,
            config_version=queue.config_version,
        )
    )
    if judgment.verdict == "skipped":
        release(assignment)
    else:
        assignment.decided = True
        assignment.expires_at = None


def _withdrawal(decision: Decision, now: datetime) -> Decision:
    return Decision(
        key=uuid.uuid4().hex,
        item_id=decision.item_id,
        assignment_id=decision.assignment_id,
        reviewer_id=decision.reviewer_id,
        decided_at=now,
        verdict="withdrawn",
        withdraws=decision.id,
        sequence=[],
        feedback="",
        rules=[],
        marks=[],
        model_version=decision.model_version,
        config_version=decision.config_version,
    )


def _check(judgment: Judgment, product: Product, outcome: Outcome) -> None:
    """Refuse a judgment that contradicts itself or the product."""
    known = {image.id for image in product.images}
    named = {*judgment.sequence, *(mark.image for mark in judgment.marks)}
    proposed = outcome.sequence
    faults = {
        "names images that the product does not have": bool(named - known),
        "names an image twice": len(set(judgment.sequence)) < len(judgment.sequence),
        "is no judgment": judgment.verdict == "withdrawn",
        "accepts a sequence that was not proposed": judgment.verdict == "accepted" and judgment.sequence != proposed,
        "accepts a sequence without an image": judgment.verdict in ("accepted", "corrected") and not judgment.sequence,
        "corrects nothing": judgment.verdict == "corrected" and judgment.sequence == proposed,
        "rejects a sequence that was not proposed": judgment.verdict == "rejected" and judgment.sequence != proposed,
        "rejects without a rule or a word": judgment.verdict == "rejected"
        and not (judgment.rules or judgment.feedback.strip()),
        "rejects where no sequence was built": judgment.verdict == "rejected" and not proposed,
    }
    for fault, found in faults.items():
        if found:
            raise ReviewConflictError(fault, item="this decision", remedy="load the page again")
