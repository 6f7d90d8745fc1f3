"""Brings the database to the newest schema, and tells whether it is there."""

import threading
from collections.abc import Callable
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from app.db import plain_url

_ROOT = Path(__file__).resolve().parent.parent


def _config(url: str = "") -> Config:
    config = Config(_ROOT / "alembic.ini")
    config.attributes["url"] = url
    return config


def upgrade(database_url: str, revision: str = "head") -> None:
    """Migrates up to `revision`; the URL's role must own the schema. Runs its own event loop in a thread."""
    _in_thread(lambda: command.upgrade(_config(database_url), revision))


def downgrade(database_url: str, revision: str) -> None:
    """Migrates down to `revision` ("base" for none)."""
    _in_thread(lambda: command.downgrade(_config(database_url), revision))


def check(database_url: str) -> None:
    """Raises when the models and the migrations disagree."""
    _in_thread(lambda: command.check(_config(database_url)))


def head() -> str:
    """The newest revision in the code."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


async def current(database_url: str) -> str:
    """The database's revision, "" when it was never migrated."""
    connection = await asyncpg.connect(plain_url(database_url))
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return ""
        return str(await connection.fetchval("SELECT version_num FROM alembic_version"))
    finally:
        await connection.close()


def _in_thread(work: Callable[[], object]) -> None:
    """alembic's async template calls asyncio.run; a caller may already be inside a loop."""
    problems: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as problem:  # noqa: BLE001  handed to the caller below
            problems.append(problem)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if problems:
        raise problems[0]
