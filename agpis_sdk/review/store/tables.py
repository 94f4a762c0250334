"""The tables of the store, and what in them never changes.

Times are in UTC. A row of `decisions` is written once: triggers refuse to change or delete it, so an undo is a further
row. A decision counts as long as no other one withdraws it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Role = Literal["reviewer", "admin"]
Verdict = Literal["accepted", "rejected", "corrected", "unusable", "skipped", "withdrawn"]
"""What a decision says.

accepted: the sequence as proposed. corrected: another sequence is accepted in its place. unusable: nothing can be built
from these images. skipped: let somebody else decide. withdrawn: an earlier decision no longer counts.
"""
JUDGMENTS: tuple[Verdict, ...] = ("accepted", "rejected", "corrected", "unusable")


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC, whether or not the database keeps time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse a time without a zone: it could mean any moment."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the time with its zone; SQLite gives it without."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Base(DeclarativeBase):
    """Every table; constraints have names, by which migrations find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class User(Base):
    """Somebody who may log in; `password` is an Argon2 hash."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    password: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Login(Base):
    """A session of a user; the cookie's token is kept as its SHA-256 alone."""

    __tablename__ = "logins"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    csrf_token: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Queue(Base):
    """The outcomes of one run that were put up for review; `digest` is that of the file.

    `root` is the folder below which files of images must be; "" where the images are known from the outcomes alone.
    """

    __tablename__ = "queues"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    model_version: Mapped[str] = mapped_column(String(80))
    config_version: Mapped[str] = mapped_column(String(80))
    threshold: Mapped[float]
    root: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Item(Base):
    """A product with its outcome, as records in JSON; `audit` where it was drawn at random."""

    __tablename__ = "items"
    __table_args__ = (UniqueConstraint("queue_id", "product_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("queues.id"))
    product_id: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    seller: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16))
    probability: Mapped[float | None]
    audit: Mapped[bool]
    product: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)


class Assignment(Base):
    """A review that an item needs, the `number`-th of it; the smallest `rank`, 0..1, comes first.

    `reviewer_id` has claimed it until `expires_at`, or has decided it. No reviewer has two of one item.
    """

    __tablename__ = "assignments"
    __table_args__ = (
        UniqueConstraint("item_id", "number"),
        UniqueConstraint("item_id", "reviewer_id"),
        Index("ix_assignments_open", "queue_id", "decided", "rank", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("queues.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    number: Mapped[int]
    rank: Mapped[float]
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided: Mapped[bool] = mapped_column(default=False)


class Decision(Base):
    """What a reviewer decided, when, and about which versions; written once.

    `key` is given by the reviewer's browser: a decision that is sent again is the same one. `withdraws` is the decision
    that this one takes back. `seconds` are those between opening the product and deciding.
    """

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), index=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignments.id"))
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    verdict: Mapped[str] = mapped_column(String(16))
    withdraws: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"), unique=True)
    sequence: Mapped[list[str]] = mapped_column(JSON)
    feedback: Mapped[str] = mapped_column(Text)
    rules: Mapped[list[str]] = mapped_column(JSON)
    marks: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    seconds: Mapped[float | None]
    model_version: Mapped[str] = mapped_column(String(80))
    config_version: Mapped[str] = mapped_column(String(80))
