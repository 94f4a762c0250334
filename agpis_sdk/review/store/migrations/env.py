"""Runs migrations on the connection that the store hands over; two servers that start at once wait for each other."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

from agpis_sdk.review.store.tables import Base

LOCK = 2204519  # any number, the same for every server
connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
    context.run_migrations()
