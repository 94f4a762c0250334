"""Old queues go as a whole, and only they; everything else can be copied out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import DatabaseError

from agpis_sdk.review.store.claims import claim
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.decisions import decide, judged, undo
from agpis_sdk.review.store.queues import add_queue
from agpis_sdk.review.store.retention import everything, old_queues, purge
from agpis_sdk.review.store.tables import Decision
from tests.review.runs import accepting, run_of
from tests.review.settings import EACH_ONCE, NOW, VERSIONS

YEAR_LATER = NOW + timedelta(days=365)


def accept_one(store: Store, queue: int, reviewer: int, now) -> None:
    [item] = claim(store, queue, reviewer, now=now, minutes=20)
    decide(store, reviewer, item, accepting(), now)


def test_a_queue_that_was_decided_in_lately_is_not_old(store: Store, queue: int, ann: int) -> None:
    accept_one(store, queue, ann, YEAR_LATER)

    assert old_queues(store, before=YEAR_LATER) == []


def test_an_old_queue_goes_with_its_decisions_and_a_newer_one_stays(store: Store, queue: int, ann: int) -> None:
    accept_one(store, queue, ann, NOW)
    undo(store, ann, queue, now=NOW, minutes=20)
    accept_one(store, queue, ann, NOW)
    newer = add_queue(store, run_of(2), EACH_ONCE, VERSIONS, YEAR_LATER)
    accept_one(store, newer, ann, YEAR_LATER)

    [old] = old_queues(store, before=YEAR_LATER)
    purge(store, [old.id], NOW)

    assert (old.id, old.decisions) == (queue, 3)
    assert [one.item.queue_id for one in judged(store)] == [newer]
    assert {row["id"] for row in everything(store) if row["table"] == "queues"} == {newer}


def test_the_decisions_that_stay_are_final_again(store: Store, queue: int, ann: int) -> None:
    newer = add_queue(store, run_of(2), EACH_ONCE, VERSIONS, YEAR_LATER)
    accept_one(store, newer, ann, YEAR_LATER)

    purge(store, [queue], NOW)

    with pytest.raises(DatabaseError, match="never changed or deleted"), store.writing() as session:
        session.execute(delete(Decision))


def test_a_copy_of_everything_holds_no_password(store: Store, queue: int, ann: int) -> None:
    accept_one(store, queue, ann, NOW)

    rows = list(everything(store))

    assert {row["table"] for row in rows} == {"users", "queues", "items", "assignments", "decisions"}
    assert not [row for row in rows if "password" in row]
    [decision] = [row for row in rows if row["table"] == "decisions"]
    assert (decision["verdict"], decision["reviewer_id"], decision["decided_at"]) == ("accepted", ann, NOW.isoformat())
