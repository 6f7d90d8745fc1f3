"""Access tokens of a connection, cached sealed in PostgreSQL so that a restart costs no refresh (ruling 7)."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from app.runtime import Runtime
from app.security import SealBroken

_READ = "SELECT token FROM connections WHERE id = $1"
_WRITE = "UPDATE connections SET token = $2 WHERE id = $1 AND credentials = $3"


def token_place(tenant_id: UUID, connection_id: UUID) -> str:
    """What a connection's sealed token is bound to."""
    return f"connection:{tenant_id}:{connection_id}:token"


class ConnectionTokens:
    """Implements `connectors.base.TokenStore` for one row of `connections`.

    The right to refresh is an advisory lock of PostgreSQL: it ends with the holder, however that ends. A token is only
    stored while the credentials are those it was obtained with, so changed credentials never meet an old token.
    """

    def __init__(self, runtime: Runtime, tenant_id: UUID, connection_id: UUID, credentials: bytes) -> None:
        """`credentials` are the sealed bytes of the row as this store's owner read them."""
        self._runtime = runtime
        self._tenant_id = tenant_id
        self._connection_id = connection_id
        self._credentials = credentials
        self._place = token_place(tenant_id, connection_id)
        self._lock = int.from_bytes(connection_id.bytes[-8:], "big", signed=True)
        self._turn = asyncio.Lock()  # one waiter per store in the database, whatever the number of calls in flight
        self._wire = asyncio.Lock()  # the holder's connection takes one statement at a time
        self._holder: asyncpg.pool.PoolConnectionProxy[Any] | None = None

    async def load(self) -> Mapping[str, str] | None:
        """The cached token fields, or None when there is none that opens."""
        return self._open(await self._run(_READ, self._connection_id))

    @asynccontextmanager
    async def refreshing(self) -> AsyncIterator[Mapping[str, str] | None]:
        """Held by one worker at a time, outside any transaction; yields what is cached once it is our turn."""
        pool = await self._runtime.db.pool()
        async with self._turn, pool.acquire() as holder:
            await holder.execute("SELECT pg_advisory_lock($1)", self._lock)
            self._holder = holder
            try:
                yield await self.load()
            finally:
                async with self._wire:
                    self._holder = None
                    await self._let_go(holder)

    async def _let_go(self, holder: "asyncpg.pool.PoolConnectionProxy[Any]") -> None:
        """Gives the right back, if need be with the connection: no other user of the pool may inherit it."""
        if holder.is_closed():
            return
        try:
            await holder.execute("SELECT pg_advisory_unlock($1)", self._lock)
        except BaseException:
            holder.terminate()
            raise

    async def save(self, token: Mapping[str, str]) -> None:
        """Stores a fresh token, unless the credentials have changed meanwhile."""
        sealed = self._runtime.keys.seal(orjson.dumps(dict(token)), place=self._place)
        await self._run(_WRITE, self._connection_id, sealed, self._credentials)

    async def _run(self, statement: str, *arguments: Any) -> Any:
        """While we hold the right to refresh, its connection is used: asking the pool for a second one could starve."""
        async with self._wire:
            if self._holder is not None:
                async with self._holder.transaction():
                    await self._holder.execute("SELECT set_config('app.tenant', $1, true)", str(self._tenant_id))
                    return await self._holder.fetchval(statement, *arguments)
        async with self._runtime.db.connection(self._tenant_id) as connection:
            return await connection.fetchval(statement, *arguments)

    def _open(self, sealed: bytes | None) -> dict[str, str] | None:
        """A token that does not open any more (a key left the ring) is no token; the next refresh replaces it."""
        if sealed is None:
            return None
        try:
            token: dict[str, str] = orjson.loads(self._runtime.keys.unseal(sealed, place=self._place))
        except SealBroken:
            return None
        return token
