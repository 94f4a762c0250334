"""A run of small products, a store of each kind that there is here, and a clock that only moves when it is told to."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy")

from argon2 import PasswordHasher
from sqlalchemy import text

from agpis_sdk.review.store import accounts
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.queues import add_queue
from tests.review.runs import run_of
from tests.review.settings import EACH_ONCE, NOW, PASSWORD, VERSIONS

POSTGRES_TOOLS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Start a PostgreSQL server for the session, and return the URL of its only user."""
    if not POSTGRES_TOOLS:
        pytest.skip("needs PostgreSQL (Debian: postgresql)")
    pytest.importorskip("pg8000")
    tools = POSTGRES_TOOLS[-1].parent
    user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="agpis-pg-"))
    if user is not None:
        shutil.chown(folder, user)
    data = folder / "data"
    as_user = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user is not None else {}

    def call(*command: object) -> None:
        subprocess.run([str(part) for part in command], check=True, capture_output=True, cwd=folder, **as_user)  # type: ignore[call-overload]

    call(tools / "initdb", "-D", data, "-U", "agpis", "--auth=trust", "--no-sync")

    def started(attempts: int = 5) -> int:
        port = _free_port()
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        try:
            call(tools / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
        except subprocess.CalledProcessError:  # another process may have taken the port meanwhile
            if attempts == 1:
                raise
            return started(attempts - 1)
        return port

    port = started()
    try:
        yield f"postgresql://agpis@127.0.0.1:{port}"
    finally:
        call(tools / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords with little work: tests make many."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(accounts, "_hasher", lambda: cheap)


@pytest.fixture
def empty_postgresql(postgresql: str) -> str:
    """Return the URL of the server's database, with all tables empty."""
    url = f"{postgresql}/postgres"
    opened = Store.open(url)
    with opened.writing() as session:  # row triggers do not see it
        session.execute(text("TRUNCATE users, logins, queues, items, assignments, decisions RESTART IDENTITY CASCADE"))
    opened.close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("empty_postgresql"))
    return f"sqlite:///{tmp_path}/reviews.db"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Return an empty store."""
    opened = Store.open(store_url)
    yield opened
    opened.close()


@pytest.fixture
def queue(store: Store) -> int:
    """Return a queue of ten products that each need one review, the first one first."""
    return add_queue(store, run_of(10), EACH_ONCE, VERSIONS, NOW)


@pytest.fixture
def ann(store: Store) -> int:
    """Return a reviewer."""
    return accounts.add_user(store, "Ann", PASSWORD, "reviewer", NOW)


@pytest.fixture
def bob(store: Store) -> int:
    """Return another reviewer."""
    return accounts.add_user(store, "Bob", PASSWORD, "reviewer", NOW)
