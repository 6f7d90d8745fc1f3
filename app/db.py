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
SERVER_TROUBLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""How a server that is gone shows; the last one where it ended the session while nobody was listening."""
# What a connection answers whose server is gone, in the moment between the server's last word and the closed socket too
_DEAD = (
    *(OSError, asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError),
    *(asyncpg.InterfaceError, asyncpg.InternalClientError),
)
_ALL_DEAD = "no connection to the database holds"


class ConditionFailed(Exception):
    """The condition under which a transaction was to be opened does not hold."""


def plain_url(url: str) -> str:
    """The URL as asyncpg itself takes it."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


async def _as_it_is(_connection: "asyncpg.Connection[Any]") -> None:
    """How a connection goes back to the pool: whatever is set on one ends with its transaction."""


async def _roll_back(connection: Any) -> None:
    """Ends a transaction that failed; a connection that cannot even do this is given up."""
    if connection.is_closed():
        return
    try:
        await connection.execute("ROLLBACK")
    except SERVER_TROUBLE:
        connection.terminate()
    except BaseException:  # nobody may meet this transaction again
        connection.terminate()
        raise


async def _begin(connection: Any, tenant_id: UUID | None, condition: str = "", idle_seconds: float = 0.0) -> bool:
    """Opens a transaction for one tenant on a connection of asyncpg's; False if the connection was a dead one.

    Raises ConditionFailed.
    """
    tenant = UUID(str(tenant_id)) if tenant_id else ""  # nothing but a UUID gets into the statement
    try:
        idle = f"SET LOCAL idle_in_transaction_session_timeout = {int(idle_seconds * 1000)}; " if idle_seconds else ""
        # one way there and back
        await connection.execute(f"BEGIN; SET LOCAL app.tenant = '{tenant}'; {idle}{condition}")
    except asyncpg.DivisionByZeroError:
        await _roll_back(connection)
        raise ConditionFailed from None
    except _DEAD:
        connection.terminate()
        return False
    except BaseException:
        await _roll_back(connection)
        raise
    return True


@asynccontextmanager
async def _ending(connection: Any) -> AsyncIterator[None]:
    """Commits what is done inside, or rolls it back."""
    try:
        yield
    except BaseException:
        await _roll_back(connection)
        raise
    await connection.execute("COMMIT")


async def driver_connection(session: "AsyncSession") -> "asyncpg.Connection[Any]":
    """asyncpg's own connection under a session, in the same transaction, for statements that need no ORM.

    JSON comes parsed and is given as text. What the session holds is not written before: see `flush`.
    """
    connection: asyncpg.Connection[Any] | None = session.info.get("driver")
    if connection is None:
        raw = await (await session.connection()).get_raw_connection()
        connection = session.info["driver"] = raw.driver_connection
    return connection


async def flush(session: "AsyncSession") -> None:
    """Writes what the session holds, if it holds anything."""
    if session.new or session.dirty or session.deleted:
        await session.flush()


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    """The pool opens another connection in place of one whose server is gone; asking the server would cost a way."""
    from sqlalchemy.exc import DisconnectionError

    if connection.driver_connection.is_closed():
        raise DisconnectionError


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
        self._connections = 2 * pool_size + 1  # after a restart of the server each pooled one may be found dead once

    @property
    def engine(self) -> "AsyncEngine":
        if self._engine is None:
            from sqlalchemy import event
            from sqlalchemy.ext.asyncio import create_async_engine

            self._engine = create_async_engine(
                self._url.replace("postgresql://", "postgresql+asyncpg://", 1),
                pool_size=self._pool_size,
                max_overflow=self._pool_size,
                pool_use_lifo=True,  # few connections stay warm; the others are for the rush
                isolation_level="AUTOCOMMIT",  # a transaction is opened and ended here, with its tenant in one way
                json_serializer=lambda value: orjson.dumps(value).decode(),
                json_deserializer=orjson.loads,
                connect_args={"server_settings": {"role": APP_ROLE}},
            )
            event.listen(self._engine.sync_engine, "checkout", _refuse_closed)
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
    async def transaction(self, tenant_id: UUID | None, condition: str = "") -> "AsyncIterator[AsyncSession]":
        """A session in one transaction for one tenant (None: only rows without a tenant and the public functions).

        `condition` is a statement that divides by zero where it does not hold. Raises ConditionFailed then.
        """
        from sqlmodel.ext.asyncio.session import AsyncSession

        for _ in range(self._connections):
            async with AsyncSession(self.engine, expire_on_commit=False) as session:
                connection = await driver_connection(session)
                if await _begin(connection, tenant_id, condition):
                    async with _ending(connection):
                        yield session
                        await flush(session)
                    return
        raise ConnectionError(_ALL_DEAD)

    @asynccontextmanager
    async def connection(
        self, tenant_id: UUID | None, *, idle_seconds: float = 0.0
    ) -> AsyncIterator["asyncpg.Connection[Any]"]:
        """A raw connection in one transaction for one tenant; for COPY, claims and sweeps.

        Whoever says nothing for `idle_seconds` (0: for ever) loses it: a stopped process keeps no lock.
        """
        pool = await self.pool()
        for _ in range(self._connections):
            async with pool.acquire() as connection:
                if await _begin(connection, tenant_id, idle_seconds=idle_seconds):
                    async with _ending(connection):
                        yield connection
                    return
        raise ConnectionError(_ALL_DEAD)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None
        if self._engine is not None:
            await self._engine.dispose()
            self._engine = None
