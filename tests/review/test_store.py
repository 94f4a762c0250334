"""The store: who gets what, and that no decision is lost, doubled or changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError

from agpis_sdk.config import ReviewSection
from agpis_sdk.errors import ReviewConflictError, ReviewStoreError
from agpis_sdk.records import Mark
from agpis_sdk.review.store import accounts
from agpis_sdk.review.store.claims import claim, progress
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.decisions import decide, judged, undo
from agpis_sdk.review.store.queues import add_queue
from agpis_sdk.review.store.tables import Decision
from tests.review.runs import accepting, rejecting, run_of, run_product
from tests.review.settings import EACH_ONCE, NOW, PASSWORD, VERSIONS

LATER = NOW + timedelta(minutes=21)


def next_of(store: Store, queue: int, reviewer: int, now=NOW, count: int = 1) -> list[int]:
    return claim(store, queue, reviewer, now=now, minutes=20, count=count)


def verdicts(store: Store) -> list[str]:
    return [one.decision.verdict for one in judged(store)]


def test_the_same_outcomes_are_queued_once(store: Store) -> None:
    run = run_of(3)

    assert add_queue(store, run, EACH_ONCE, VERSIONS, NOW) == add_queue(store, run, EACH_ONCE, VERSIONS, LATER)


def test_two_reviewers_get_different_products(store: Store, queue: int, ann: int, bob: int) -> None:
    assert set(next_of(store, queue, ann, count=5)).isdisjoint(next_of(store, queue, bob, count=5))


def test_a_claim_is_kept_when_the_page_is_loaded_again(store: Store, queue: int, ann: int) -> None:
    assert next_of(store, queue, ann) == next_of(store, queue, ann)


def test_a_claim_that_ran_out_goes_to_another(store: Store, queue: int, ann: int, bob: int) -> None:
    [item] = next_of(store, queue, ann)

    assert next_of(store, queue, bob, now=LATER) == [item]
    with pytest.raises(ReviewConflictError, match="somebody else"):
        decide(store, ann, item, accepting(), LATER)


def test_a_late_decision_counts_where_nobody_took_over(store: Store, queue: int, ann: int) -> None:
    [item] = next_of(store, queue, ann)

    decide(store, ann, item, accepting(), LATER)

    assert verdicts(store) == ["accepted"]


def test_a_product_that_was_not_claimed_cannot_be_decided(store: Store, queue: int, ann: int, bob: int) -> None:
    [item] = next_of(store, queue, ann)

    with pytest.raises(ReviewConflictError):
        decide(store, bob, item, accepting(), NOW)


def test_a_decision_sent_again_is_kept_once(store: Store, queue: int, ann: int) -> None:
    [item] = next_of(store, queue, ann)
    judgment = accepting("the-same-key")

    decide(store, ann, item, judgment, NOW)
    decide(store, ann, item, judgment, NOW)

    assert verdicts(store) == ["accepted"]


def test_a_second_decision_on_one_product_is_refused(store: Store, queue: int, ann: int) -> None:
    [item] = next_of(store, queue, ann)
    decide(store, ann, item, accepting(), NOW)

    with pytest.raises(ReviewConflictError, match="decided already"):
        decide(store, ann, item, rejecting(), NOW)


def test_undo_gives_the_product_back_and_keeps_both_rows(store: Store, queue: int, ann: int) -> None:
    [item] = next_of(store, queue, ann)
    decide(store, ann, item, accepting(), NOW)

    assert undo(store, ann, queue, now=NOW, minutes=20) == item
    decide(store, ann, item, rejecting(), NOW)

    assert verdicts(store) == ["rejected"]
    with store.reading() as session:
        assert list(session.scalars(select(Decision.verdict).order_by(Decision.id))) == [
            "accepted",
            "withdrawn",
            "rejected",
        ]


def test_undo_takes_back_own_decisions_alone(store: Store, queue: int, ann: int, bob: int) -> None:
    [item] = next_of(store, queue, ann)
    decide(store, ann, item, accepting(), NOW)

    assert undo(store, bob, queue, now=NOW, minutes=20) is None


def test_a_skipped_product_goes_to_another_reviewer(store: Store, queue: int, ann: int, bob: int) -> None:
    [item] = next_of(store, queue, ann)
    decide(store, ann, item, accepting(verdict="skipped"), NOW)

    assert item not in next_of(store, queue, ann, count=10)
    assert next_of(store, queue, bob) == [item]


def test_a_second_opinion_comes_from_another_reviewer(store: Store, ann: int, bob: int) -> None:
    twice = ReviewSection(audit_share=0, double_share=1)
    queue = add_queue(store, run_of(1), twice, VERSIONS, NOW)
    [item] = next_of(store, queue, ann, count=2)
    decide(store, ann, item, accepting(), NOW)

    assert next_of(store, queue, ann) == []
    assert next_of(store, queue, bob) == [item]


def test_decisions_carry_who_when_and_the_versions(store: Store, queue: int, ann: int) -> None:
    [item] = next_of(store, queue, ann)
    mark = Mark(image="b", box=(1, 2, 30, 40), rule="AGP121")
    decide(store, ann, item, rejecting(marks=(mark,), seconds=4.5), NOW)

    [one] = judged(store)
    assert (one.reviewer, one.decision.decided_at) == ("Ann", NOW)
    assert (one.decision.model_version, one.decision.config_version) == ("m1", "c1")
    assert Mark.model_validate(one.decision.marks[0]) == mark


@pytest.mark.parametrize("change", [delete(Decision), update(Decision).values(verdict="accepted")])
def test_the_database_itself_refuses_to_change_a_decision(store: Store, queue: int, ann: int, change: object) -> None:
    [item] = next_of(store, queue, ann)
    decide(store, ann, item, rejecting(), NOW)

    with pytest.raises(DatabaseError, match="never changed or deleted"), store.writing() as session:
        session.execute(change)  # type: ignore[call-overload]

    assert verdicts(store) == ["rejected"]


@pytest.mark.parametrize(
    ("judgment", "fault"),
    [
        (accepting(sequence=("a", "x")), "does not have"),
        (accepting(sequence=("a", "a")), "twice"),
        (accepting(sequence=("b", "a", "c")), "was not proposed"),
        (accepting(verdict="corrected"), "corrects nothing"),
        (rejecting(rules=(), feedback=" "), "without a rule or a word"),
        (accepting(verdict="withdrawn"), "no judgment"),
    ],
)
def test_a_judgment_that_contradicts_itself_is_refused(
    store: Store, queue: int, ann: int, judgment: object, fault: str
) -> None:
    [item] = next_of(store, queue, ann)

    with pytest.raises(ReviewConflictError, match=fault):
        decide(store, ann, item, judgment, NOW)  # type: ignore[arg-type]

    assert verdicts(store) == []


def test_a_sequence_may_be_started_where_none_was_built(store: Store, ann: int) -> None:
    run = run_of(1, status="none", sequence=(), probability=None)
    queue = add_queue(store, run, ReviewSection(statuses=("none",)), VERSIONS, NOW)
    [item] = next_of(store, queue, ann)

    decide(store, ann, item, accepting(verdict="corrected", sequence=("d", "a")), NOW)

    assert [one.decision.sequence for one in judged(store)] == [["d", "a"]]


def test_many_reviewers_at_once_decide_every_product_once(store: Store) -> None:
    queue = add_queue(store, run_of(40), EACH_ONCE, VERSIONS, NOW)
    reviewers = [accounts.add_user(store, f"reviewer {n}", PASSWORD, "reviewer", NOW) for n in range(4)]

    def work(reviewer: int) -> None:
        while items := next_of(store, queue, reviewer, count=2):
            decide(store, reviewer, items[0], accepting(), NOW)

    with ThreadPoolExecutor(8) as pool:  # each reviewer in two tabs
        for result in [pool.submit(_forgiving(work), one) for one in reviewers * 2]:
            result.result()

    products = [one.item.product_id for one in judged(store)]
    assert sorted(products) == sorted(run_product(n).product.id for n in range(40))


def _forgiving(work):
    """Go on where the other tab of the same reviewer was quicker."""

    def until_done(reviewer: int) -> None:
        while True:
            try:
                return work(reviewer)
            except ReviewConflictError:
                continue

    return until_done


def test_progress_counts_reviews(store: Store, queue: int, ann: int) -> None:
    for _ in range(3):
        [item] = next_of(store, queue, ann)
        decide(store, ann, item, accepting(), NOW)
    undo(store, ann, queue, now=NOW, minutes=20)

    known = progress(store, queue, ann, since=NOW - timedelta(hours=1))
    assert (known.decided, known.needed, known.own) == (2, 10, 2)


def test_a_session_ends_with_a_new_password(store: Store, ann: int) -> None:
    token = accounts.log_in(store, "Ann", PASSWORD, NOW)
    assert token is not None
    assert accounts.account_of(store, token, NOW) is not None

    accounts.set_password(store, "Ann", "another afternoon")

    assert accounts.account_of(store, token, NOW) is None
    assert accounts.log_in(store, "Ann", PASSWORD, NOW) is None


def test_a_session_that_is_not_used_ends(store: Store, ann: int) -> None:
    token = accounts.log_in(store, "Ann", PASSWORD, NOW)
    assert token is not None

    assert accounts.account_of(store, token, NOW + timedelta(hours=13)) is None


def test_passwords_are_kept_as_argon2_hashes(store: Store, ann: int) -> None:
    [user] = accounts.users(store)

    assert user.password.startswith("$argon2id$")
    assert PASSWORD not in user.password


def test_a_name_is_given_once(store: Store, ann: int) -> None:
    with pytest.raises(ReviewStoreError, match="exists already"):
        accounts.add_user(store, "Ann", PASSWORD, "reviewer", NOW)


def test_a_short_password_is_refused(store: Store) -> None:
    with pytest.raises(ReviewStoreError, match="10 to 1000 characters"):
        accounts.add_user(store, "Cleo", "short", "reviewer", NOW)


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "nonsense://x", "sqlite:////proc/none/x.db"])
def test_a_store_that_cannot_be_opened_is_named(url: str) -> None:
    with pytest.raises(ReviewStoreError):
        Store.open(url)
