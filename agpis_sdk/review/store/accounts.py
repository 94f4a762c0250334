"""Users, their passwords and their sessions."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from agpis_sdk.errors import ReviewStoreError
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.tables import Login, Role, User

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 1000  # hashing a longer one would be work for nothing
SESSION_HOURS = 12
"""How long a session lasts after it was used last."""
NOTED_EVERY = timedelta(minutes=5)


@dataclass(frozen=True)
class Account:
    """Who somebody is; `csrf_token` belongs to their session."""

    id: int
    name: str
    role: str
    csrf_token: str

    @property
    def is_admin(self) -> bool:
        """Whether this user may see metrics of all, and manage users."""
        return self.role == "admin"


def add_user(store: Store, name: str, password: str, role: Role, now: datetime) -> int:
    """Add a user; raises `ReviewStoreError` where the name is taken or the password too short."""
    check_password(password)
    name = name.strip()
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise ReviewStoreError("is no name: write 1 to 80 printable characters", item="user")
    try:
        with store.writing() as session:
            user = User(name=name, password=_hasher().hash(password), role=role, active=True, created_at=now)
            session.add(user)
            session.flush()
            return user.id
    except IntegrityError:
        raise ReviewStoreError("exists already", item=f'user "{name}"', remedy="choose another name") from None


def set_password(store: Store, name: str, password: str) -> None:
    """Change a password and end all sessions of its user."""
    check_password(password)
    _change(store, name, {"password": _hasher().hash(password)})


def set_active(store: Store, name: str, *, active: bool) -> None:
    """Let a user in, or keep them out and end their sessions; their decisions stay."""
    _change(store, name, {"active": active})


def users(store: Store) -> list[User]:
    """Return all users by name."""
    with store.reading() as session:
        return list(session.scalars(select(User).order_by(User.name)))


def has_users(store: Store) -> bool:
    """Say whether anybody can log in yet."""
    with store.reading() as session:
        return bool(session.scalar(select(func.count()).select_from(User)))


def user_with(store: Store, name: str, password: str) -> User | None:
    """Return the active user whose password this is; the answer takes as long for an unknown name as for a wrong password."""
    with store.reading() as session:
        user = session.scalar(select(User).where(User.name == name.strip()))
    if len(password) > LONGEST_PASSWORD:
        return None
    matches = _matches(user.password if user is not None else _nobodys_hash(), password)
    return user if user is not None and user.active and matches else None


def log_in(store: Store, name: str, password: str, now: datetime) -> str | None:
    """Return the token of a new session; None where name and password do not belong together."""
    user = user_with(store, name, password)
    if user is None:
        return None
    token = secrets.token_urlsafe(32)
    with store.writing() as session:
        session.execute(delete(Login).where(Login.used_at < now - timedelta(hours=SESSION_HOURS)))
        session.add(
            Login(
                token_sha256=_digest(token),
                user_id=user.id,
                csrf_token=secrets.token_urlsafe(32),
                created_at=now,
                used_at=now,
            )
        )
    return token


# Made once: SQLAlchemy needs longer to make a query than to run it.
_OF_TOKEN = select(User, Login).join(Login, Login.user_id == User.id).where(Login.token_sha256 == bindparam("token"))


def account_of(store: Store, token: str, now: datetime) -> Account | None:
    """Return whose session a token is; None where there is none, or it is too old."""
    with store.reading() as session:
        row = session.execute(_OF_TOKEN, {"token": _digest(token)}).one_or_none()
    if row is None:
        return None
    user, login = row
    if not user.active or login.used_at < now - timedelta(hours=SESSION_HOURS):
        return None
    if login.used_at < now - NOTED_EVERY:
        with store.writing() as session:
            session.execute(update(Login).where(Login.token_sha256 == login.token_sha256).values(used_at=now))
    return Account(id=user.id, name=user.name, role=user.role, csrf_token=login.csrf_token)


def log_out(store: Store, token: str) -> None:
    """End a session."""
    with store.writing() as session:
        session.execute(delete(Login).where(Login.token_sha256 == _digest(token)))


def check_password(password: str) -> None:
    """Raise `ReviewStoreError` where a password is too short or too long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        what = f"needs {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
        raise ReviewStoreError(what, item="the password", remedy="a few words are easy to remember")


def _change(store: Store, name: str, values: dict[str, object]) -> None:
    with store.writing() as session:
        user_id = session.scalar(select(User.id).where(User.name == name))
        if user_id is None:
            raise ReviewStoreError("is not known", item=f'user "{name}"', remedy="agpis review users list")
        session.execute(update(User).where(User.id == user_id).values(**values))
        session.execute(delete(Login).where(Login.user_id == user_id))


def _matches(known: str, password: str) -> bool:
    try:
        return _hasher().verify(known, password)
    except (VerificationError, InvalidHashError):
        return False


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))
