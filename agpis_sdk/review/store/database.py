"""Opens the store: SQLite by default, PostgreSQL by its URL; brings its tables up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, NoSuchModuleError
from sqlalchemy.orm import Session

from agpis_sdk.errors import ReviewStoreError

MIGRATIONS = Path(__file__).parent / "migrations"
POSTGRESQL_DRIVER = "postgresql+pg8000"
BUSY_SECONDS = 30  # how long a writer waits for another one


class Store:
    """A database of reviews, with its tables at the newest version."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(writing=True)

    @classmethod
    def open(cls, url: str) -> Store:
        """Open a database, make it where there is none, and migrate it; `url` may also be the path of an SQLite file.

        Raises `ReviewStoreError` where it cannot be reached or was written by a newer version.
        """
        engine = _engine(url)
        try:
            with engine.connect() as connection:
                _migrate(connection)
        except CommandError as error:
            raise ReviewStoreError(
                f"is of another version: {error}", item=_shown(engine), remedy="update agpis-sdk"
            ) from None
        except (DatabaseError, InterfaceError, OSError) as error:
            what = str(getattr(error, "orig", error)).splitlines()[0]
            raise ReviewStoreError(f"cannot be opened: {what}", item=_shown(engine), remedy="check --db") from None
        return cls(engine)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session to read from; what it sees does not change meanwhile."""
        with Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Yield a session whose changes are kept as a whole when the block ends, or not at all."""
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()


def _engine(url: str) -> Engine:
    if "://" not in url:
        Path(url).absolute().parent.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{url}"
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql" and "+" not in parsed.drivername:
            parsed = parsed.set(drivername=POSTGRESQL_DRIVER)
        pooled = {"pool_size": 20, "max_overflow": 20, "pool_pre_ping": True}
        engine = create_engine(parsed, **pooled)
    except (ArgumentError, NoSuchModuleError) as error:
        raise ReviewStoreError(
            str(error), item="--db", remedy="a file, sqlite:///reviews.db or postgresql://user@host/name"
        ) from None
    except ImportError as error:
        raise ReviewStoreError(
            f"needs {error.name}", item="--db", remedy="pip install 'agpis-sdk[postgresql]'"
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin)
    return engine


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # or Python's driver would begin transactions where it likes
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"busy_timeout = {BUSY_SECONDS * 1000}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Lock at once where the transaction writes: one that reads first could not be let in any more."""
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _migrate(connection: Connection) -> None:
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
    connection.commit()


def _shown(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)
