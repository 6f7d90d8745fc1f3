"""A demo begins with nothing: unfinished runs of an earlier one would lead to stand-ins that are gone."""

import asyncio

import asyncpg
import redis

from app.db import plain_url
from app.settings import Settings


def empty_servers(settings: Settings) -> None:
    """Empties the demo's own embedded servers; never called for servers that somebody configured."""
    assert settings.database_url is not None
    assert settings.redis_url is not None
    asyncio.run(_empty_database(settings.database_url.get_secret_value()))
    with redis.Redis.from_url(settings.redis_url.get_secret_value()) as client:
        client.flushall()


async def _empty_database(url: str) -> None:
    connection = await asyncpg.connect(plain_url(url))
    try:
        await connection.execute("DROP SCHEMA IF EXISTS public CASCADE")
        await connection.execute("CREATE SCHEMA public")
    finally:
        await connection.close()
