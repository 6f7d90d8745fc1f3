"""Runs migrations over asyncpg; the URL comes from the caller's configuration or TRANSHIP_DATABASE_URL."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import app.models  # noqa: F401  registers the tables

LOCK = 0x7472616E  # one migration at a time, whoever starts it


def _run(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    connection.execute(text("SET LOCAL lock_timeout = '10s'"))
    context.configure(connection=connection, target_metadata=SQLModel.metadata, compare_type=True)
    context.run_migrations()


async def _main() -> None:
    url = context.config.attributes.get("url") or os.environ["TRANSHIP_DATABASE_URL"]
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.begin() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


asyncio.run(_main())
