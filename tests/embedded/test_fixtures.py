"""The fixtures of the whole suite: clones of a migrated template, and an empty Valkey database."""

import asyncpg
import redis.asyncio


async def tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url.replace("+asyncpg", "", 1))
    try:
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {row["tablename"] for row in rows}
    finally:
        await connection.close()


async def test_a_database_is_migrated_and_apart(
    database_url: str, fresh_database_url: str, empty_database_url: str
) -> None:
    assert len({database_url, fresh_database_url, empty_database_url}) == 3
    assert "alembic_version" in await tables(database_url)
    assert await tables(database_url) == await tables(fresh_database_url)
    assert await tables(empty_database_url) == set()


class TestModuleDatabase:
    async def test_one(self, database_url: str) -> None:
        connection = await asyncpg.connect(database_url.replace("+asyncpg", "", 1))
        await connection.execute("CREATE TABLE left_by_one ()")
        await connection.close()

    async def test_two(self, database_url: str, fresh_database_url: str) -> None:
        assert "left_by_one" in await tables(database_url)
        assert "left_by_one" not in await tables(fresh_database_url)


class TestValkey:
    async def test_one(self, redis_url: str) -> None:
        client = redis.asyncio.from_url(redis_url)
        assert await client.dbsize() == 0
        await client.set("left", "here")
        await client.aclose()

    async def test_two(self, redis_url: str) -> None:
        client = redis.asyncio.from_url(redis_url)
        assert await client.dbsize() == 0
        await client.aclose()
