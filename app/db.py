"""PostgreSQL: one SQLAlchemy engine for the slices, one asyncpg pool for bulk work, both under row-level security.

Every connection runs as the role `tranship_app`, which owns nothing and cannot bypass the policies; a transaction names
its tenant, and without one it sees no row.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import orjson

if TYPE_CHECKING:  # the ORM is imported where it is used: a worker's bulk work needs none of it
    from sqlalchemy.ext.asyncio import AsyncEngine
    from sqlmodel.ext.asyncio.session import AsyncSession

APP_ROLE = "tranship_app"


def plain_url(url: str) -> str:
    """The URL as asyncpg itself takes it."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


async def _as_it_is(_connection: "asyncpg.Connection[Any]") -> None:
    """How a connection goes back to the pool: whatever is set on one ends with its transaction."""


async def _roll_back(connection: "asyncpg.Connection[Any]") -> None:
    """Ends a transaction that failed; a connection that cannot even do this is given up."""
    if connection.is_closed():
        return
    try:
        await connection.execute("ROLLBACK")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()


async def _prepare(connection: "asyncpg.Connection[Any]") -> None:
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda value: orjson.loads(value[1:]),
        schema="pg_catalog",
        format="binary",
    )


class Database:
    """Opens sessions and connections. `close()` when done."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self._url = url
        self._pool_size = pool_size
        self._engine: AsyncEngine | None = None
        self._pool: asyncpg.Pool[Any] | None = None
        self._opening = asyncio.Lock()

    @property
    def engine(self) -> "AsyncEngine":
        if self._engine is None:
            from sqlalchemy.ext.asyncio import create_async_engine

            self._engine = create_async_engine(
                self._url.replace("postgresql://", "postgresql+asyncpg://", 1),
                pool_size=self._pool_size,
                max_overflow=self._pool_size,
                pool_pre_ping=True,
                json_serializer=lambda value: orjson.dumps(value).decode(),
                json_deserializer=orjson.loads,
                connect_args={"server_settings": {"role": APP_ROLE}},
            )
        return self._engine

    async def pool(self) -> "asyncpg.Pool[Any]":
        async with self._opening:  # first callers at once must share one pool
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    plain_url(self._url),
                    min_size=1,
                    max_size=self._pool_size,
                    init=_prepare,
                    reset=_as_it_is,
                    server_settings={"role": APP_ROLE},
                )
            return self._pool

    @asynccontextmanager
    async def transaction(self, tenant_id: UUID | None) -> "AsyncIterator[AsyncSession]":
        """A session in one transaction for one tenant (None: only rows without a tenant and the public functions)."""
        from sqlalchemy import text
        from sqlmodel.ext.asyncio.session import AsyncSession

        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            connection = await session.connection()
            await connection.execute(
                text("SELECT set_config('app.tenant', :tenant, true)"), {"tenant": str(tenant_id) if tenant_id else ""}
            )
            yield session

    @asynccontextmanager
    async def connection(self, tenant_id: UUID | None) -> AsyncIterator["asyncpg.Connection[Any]"]:
        """A raw connection in one transaction for one tenant; for COPY, claims and sweeps."""
        pool = await self.pool()
        async with pool.acquire() as connection:
            tenant = UUID(str(tenant_id)) if tenant_id else ""  # nothing but a UUID gets into the statement
            try:
                await connection.execute(f"BEGIN; SET LOCAL app.tenant = '{tenant}'")  # one way there and back
                yield connection
            except BaseException:
                await _roll_back(connection)
                raise
            await connection.execute("COMMIT")

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None
        if self._engine is not None:
            await self._engine.dispose()
            self._engine = None
