"""Who judges what: a reviewer claims assignments for a time, and no two reviewers ever have the same one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, exists, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.tables import JUDGMENTS, Assignment, Decision, Item

ATTEMPTS = 5
RENEWED_AFTER = 0.1
"""Share of a claim's time after which it is renewed: pages that only read write nothing."""
# Made once, as the queries below: SQLAlchemy needs longer to make them than to run them.
_LATER, _OTHER = aliased(Decision), aliased(Assignment)


@dataclass(frozen=True)
class Progress:
    """How far a queue is: reviews decided and needed, and those that this reviewer has decided since a moment."""

    decided: int
    needed: int
    own: int


def claim(store: Store, queue_id: int, reviewer_id: int, *, now: datetime, minutes: float, count: int = 1) -> list[int]:
    """Return the ids of the next items for a reviewer, at most `count`: those claimed before first, then new ones.

    A claim holds for `minutes`; after that, whoever comes first takes it over. A reviewer never gets an item that they
    have judged or skipped.
    """
    until = now + timedelta(minutes=minutes)
    own = {"queue": queue_id, "reviewer": reviewer_id, "count": count}
    with store.reading() as session:
        kept = list(session.scalars(_OWN, own))
    renewed = until - RENEWED_AFTER * timedelta(minutes=minutes)
    if len(kept) == count and all(one.expires_at is not None and one.expires_at >= renewed for one in kept):
        return [one.item_id for one in kept]
    for _ in range(ATTEMPTS):
        with suppress(IntegrityError), store.writing() as session:  # both reviews of an item, in two tabs at one moment
            held_now = list(session.scalars(_OWN_LOCKED, own))
            while len(held_now) < count:
                free = session.scalar(_FREE, {"queue": queue_id, "reviewer": reviewer_id, "now": now})
                if free is None:
                    break
                free.reviewer_id = reviewer_id
                session.flush()
                held_now.append(free)
            for assignment in held_now:
                assignment.expires_at = until
            return [assignment.item_id for assignment in held_now]
    return []


def release(assignment: Assignment) -> None:
    """Give a claim up, so that somebody else can have it."""
    assignment.reviewer_id = None
    assignment.expires_at = None


def held(session: Session, item_id: int, reviewer_id: int) -> Assignment | None:
    """Return the assignment of an item that a reviewer has, decided or not; it is locked until the session ends."""
    return session.scalar(
        select(Assignment).where(Assignment.item_id == item_id, Assignment.reviewer_id == reviewer_id).with_for_update()
    )


def progress(store: Store, queue_id: int, reviewer_id: int, since: datetime) -> Progress:
    """Return how far a queue is, and how much of it a reviewer has decided since a moment."""
    with store.reading() as session:
        needed, decided = session.execute(_COUNTED, {"queue": queue_id}).one()
        own = session.scalar(_DECIDED_SINCE, {"queue": queue_id, "reviewer": reviewer_id, "since": since})
    return Progress(decided=decided, needed=needed, own=own or 0)


def counts() -> ColumnElement[bool]:
    """Say that no other decision has withdrawn a decision."""
    return ~exists(select(_LATER.id).where(_LATER.withdraws == Decision.id))


def _free() -> Select[Assignment]:
    """Select the first assignment that nobody has, or had until now, of an item that the reviewer has not seen."""
    reviewer: BindParameter[int] = bindparam("reviewer")
    seen = exists(select(_OTHER.id).where(_OTHER.item_id == Assignment.item_id, _OTHER.reviewer_id == reviewer))
    skipped = exists(
        select(Decision.id).where(
            Decision.item_id == Assignment.item_id,
            Decision.reviewer_id == reviewer,
            Decision.verdict == "skipped",
            counts(),
        )
    )
    expired = and_(
        Assignment.reviewer_id != reviewer, Assignment.expires_at < bindparam("now", type_=Assignment.expires_at.type)
    )
    return (
        select(Assignment)
        .where(Assignment.queue_id == bindparam("queue"), ~Assignment.decided)
        .where(or_(Assignment.reviewer_id.is_(None), expired), ~seen, ~skipped)
        .order_by(Assignment.rank, Assignment.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


_FREE = _free()
_OWN = (
    select(Assignment)
    .where(
        Assignment.queue_id == bindparam("queue"), ~Assignment.decided, Assignment.reviewer_id == bindparam("reviewer")
    )
    .order_by(Assignment.rank, Assignment.id)
    .limit(bindparam("count"))
)
_OWN_LOCKED = _OWN.with_for_update()
_COUNTED = select(func.count(), func.count().filter(Assignment.decided)).where(
    Assignment.queue_id == bindparam("queue")
)
_DECIDED_SINCE = (
    select(func.count())
    .select_from(Decision)
    .join(Item, Item.id == Decision.item_id)
    .where(Item.queue_id == bindparam("queue"), Decision.reviewer_id == bindparam("reviewer"))
    .where(Decision.decided_at >= bindparam("since", type_=Decision.decided_at.type))
    .where(Decision.verdict.in_(JUDGMENTS), counts())
)
