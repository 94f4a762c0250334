"""What an operator takes out of a store as a whole: queues that nobody has touched for long, and a copy of everything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.tables import Assignment, Base, Decision, Item, Login, Queue, User

SECRETS = ("password",)
COPIED = (User, Queue, Item, Assignment, Decision)


@dataclass(frozen=True)
class OldQueue:
    """A queue, when it was touched last, and how much goes with it."""

    id: int
    name: str
    touched_at: datetime
    items: int
    decisions: int


def old_queues(store: Store, before: datetime) -> list[OldQueue]:
    """Return the queues that were made, and decided in last, before a moment."""
    with store.reading() as session:
        queues = list(session.scalars(select(Queue).order_by(Queue.id)))
        found = [_described(session, queue) for queue in queues]
    return [queue for queue in found if queue.touched_at < before]


def purge(store: Store, queue_ids: Sequence[int], sessions_before: datetime) -> None:
    """Delete queues with their items, claims and decisions, and the sessions that were used last before a moment.

    All in one transaction: it is the one way in which a decision ever goes, with its whole queue.
    """
    items = select(Item.id).where(Item.queue_id.in_(queue_ids))
    with store.writing() as session, _decisions_may_go(session):
        session.execute(delete(Decision).where(Decision.item_id.in_(items)))
        session.execute(delete(Assignment).where(Assignment.queue_id.in_(queue_ids)))
        session.execute(delete(Item).where(Item.queue_id.in_(queue_ids)))
        session.execute(delete(Queue).where(Queue.id.in_(queue_ids)))
        session.execute(delete(Login).where(Login.used_at < sessions_before))


def everything(store: Store) -> Iterator[dict[str, Any]]:
    """Yield every row of the store but sessions, with the name of its table; passwords stay here."""
    with store.reading() as session:
        for table in COPIED:
            rows = session.scalars(select(table).order_by(table.id).execution_options(yield_per=500))
            for row in rows:
                yield {"table": table.__tablename__, **_values(row)}


def _values(row: Base) -> dict[str, Any]:
    names = [column.key for column in row.__table__.columns if column.key not in SECRETS]
    values = {name: getattr(row, name) for name in names}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def _described(session: Session, queue: Queue) -> OldQueue:
    items = session.scalar(select(func.count()).select_from(Item).where(Item.queue_id == queue.id))
    decided = select(func.count(), func.max(Decision.decided_at)).join(Item, Item.id == Decision.item_id)
    decisions, latest = session.execute(decided.where(Item.queue_id == queue.id)).one()
    return OldQueue(queue.id, queue.name, max(queue.created_at, latest or queue.created_at), items or 0, decisions)


@contextmanager
def _decisions_may_go(session: Session) -> Iterator[None]:
    """Lift the triggers that keep decisions for the length of a transaction."""
    if session.get_bind().dialect.name != "sqlite":
        session.execute(text("ALTER TABLE decisions DISABLE TRIGGER decisions_are_final"))
        yield
        session.execute(text("ALTER TABLE decisions ENABLE TRIGGER decisions_are_final"))
        return
    query = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'decisions'")
    triggers = session.execute(query).all()
    for name, _ in triggers:
        session.execute(text(f'DROP TRIGGER "{name}"'))
    yield
    for _, definition in triggers:
        session.execute(text(definition))
