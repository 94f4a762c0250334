"""The queue at a glance, and the users."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import func, select
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from agpis_sdk.errors import ReviewStoreError
from agpis_sdk.records import Product
from agpis_sdk.report.phrases import spoken
from agpis_sdk.review.store import accounts
from agpis_sdk.review.store.claims import counts, progress
from agpis_sdk.review.store.tables import JUDGMENTS, Assignment, Decision, Item, Queue, Role, User
from agpis_sdk.review.web.rendering import page
from agpis_sdk.review.web.requests import Ask

RECENT = 30


@dataclass(frozen=True)
class RecentDecision:
    """One of the latest decisions."""

    title: str
    reviewer: str
    verdict: str
    words: str
    decided_at: datetime


def queue(ask: Ask) -> Response:
    """Show how far the queue is, and the latest decisions: a reviewer's own, or for admins those of all."""
    store, queue_id = ask.site.store, ask.site.queue_id
    with store.reading() as session:
        described = session.get_one(Queue, queue_id)
        judged = session.execute(
            select(Decision.verdict, func.count())
            .join(Item, Item.id == Decision.item_id)
            .where(Item.queue_id == queue_id, Decision.verdict.in_(JUDGMENTS), counts())
            .group_by(Decision.verdict)
        )
        by_verdict = {verdict: count for verdict, count in judged}  # noqa: C416
        claimed = session.scalar(
            select(func.count())
            .select_from(Assignment)
            .where(Assignment.queue_id == queue_id, ~Assignment.decided, Assignment.expires_at > ask.site.clock())
        )
    known = progress(store, queue_id, ask.user.id, since=described.created_at)
    return page(
        ask, "queue.html", queue=described, verdicts=by_verdict, claimed=claimed, progress=known, recent=_recent(ask)
    )


def user_list(ask: Ask, fault: str = "", status: int = 200) -> Response:
    """Show all users with how much they have decided."""
    with ask.site.store.reading() as session:
        judged = session.execute(
            select(Decision.reviewer_id, func.count())
            .where(Decision.verdict.in_(JUDGMENTS), counts())
            .group_by(Decision.reviewer_id)
        )
        totals = {reviewer: count for reviewer, count in judged}  # noqa: C416
    return page(ask, "users.html", status=status, users=accounts.users(ask.site.store), totals=totals, fault=fault)


def add_user(ask: Ask) -> Response:
    """Add a user with a first password."""
    name, password = str(ask.fields.get("name", "")), str(ask.fields.get("password", ""))
    role = ask.fields.get("role")
    if role not in ("reviewer", "admin"):
        raise HTTPException(422, "A role is reviewer or admin.")
    try:
        accounts.add_user(ask.site.store, name, password, cast("Role", role), ask.site.clock())
    except ReviewStoreError as error:
        return user_list(ask, f"{error.item.capitalize()} {error.what}.", 422)
    return RedirectResponse("/users", status_code=303)


def change_user(ask: Ask) -> Response:
    """Let a user in or keep them out; nobody keeps themselves out."""
    name, active = str(ask.fields.get("name", "")), ask.fields.get("active") == "yes"
    if name == ask.user.name:
        return user_list(ask, "You cannot deactivate yourself.", 422)
    try:
        accounts.set_active(ask.site.store, name, active=active)
    except ReviewStoreError as error:
        return user_list(ask, f"{error.item.capitalize()} {error.what}.", 422)
    return RedirectResponse("/users", status_code=303)


def password_form(ask: Ask, fault: str = "", status: int = 200) -> Response:
    """Show the form for a new password."""
    return page(ask, "password.html", status=status, fault=fault)


def change_password(ask: Ask) -> Response:
    """Change one's own password, for which the present one is needed; all sessions end."""
    site = ask.site
    if not site.logins_by_name.allows(ask.user.name.lower(), site.clock().timestamp()):
        raise HTTPException(429, "Too many attempts; wait a minute.", {"Retry-After": "60"})
    if accounts.user_with(site.store, ask.user.name, str(ask.fields.get("present", ""))) is None:
        return password_form(ask, "The present password is not right.", 422)
    try:
        accounts.set_password(site.store, ask.user.name, str(ask.fields.get("password", "")))
    except ReviewStoreError as error:
        return password_form(ask, f"{error.item.capitalize()} {error.what}.", 422)
    return RedirectResponse("/login", status_code=303)


def _recent(ask: Ask) -> list[RecentDecision]:
    query = (
        select(Decision, Item.product, User.name)
        .join(Item, Item.id == Decision.item_id)
        .join(User, User.id == Decision.reviewer_id)
        .where(Item.queue_id == ask.site.queue_id, Decision.verdict.in_(JUDGMENTS), counts())
        .order_by(Decision.id.desc())
        .limit(RECENT)
    )
    if not ask.user.is_admin:
        query = query.where(Decision.reviewer_id == ask.user.id)
    with ask.site.store.reading() as session:
        rows = session.execute(query).all()
    return [
        RecentDecision(
            title=Product.model_validate_json(product).title or Product.model_validate_json(product).id,
            reviewer=name,
            verdict=decision.verdict,
            words=_words(decision, ask),
            decided_at=decision.decided_at,
        )
        for decision, product, name in rows
    ]


def _words(decision: Decision, ask: Ask) -> str:
    named = [spoken(ask.site.rules[code].name) if code in ask.site.rules else code for code in decision.rules]
    return decision.feedback or ", ".join(named)
