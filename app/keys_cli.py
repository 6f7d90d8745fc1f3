"""Keys for people at the terminal: the first tenant and key, and what there is. Works as the database's owner."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from app.access import KEY_PREFIX, Role, Scope, digest, make_secret
from app.db import plain_url
from app.domain.ids import decode_id, encode_id
from app.keys.service import HINT_LETTERS
from app.models.columns import new_id
from app.security import KeyRing
from app.settings import Settings

Result = TypeVar("Result")
DEFAULT_TENANT = "default"


def create(
    configured: Settings,
    database_url: str,
    *,
    tenant: str = DEFAULT_TENANT,
    label: str = "",
    scopes: list[str] | None = None,
    role: str = Role.OWNER,
) -> str:
    """Makes a key, and the tenant when there is none of that name; returns the key, shown this once.

    Raises ValueError for an unknown scope or role.
    """
    made = create_record(configured, database_url, tenant=tenant, label=label, scopes=scopes, role=role)
    return str(made["key"])


def create_record(
    configured: Settings,
    database_url: str,
    *,
    tenant: str = DEFAULT_TENANT,
    label: str = "",
    scopes: list[str] | None = None,
    role: str = Role.OWNER,
) -> dict[str, Any]:
    """`create` with all that is known of the key: key, id, tenant_id, tenant, name, role, scopes."""
    chosen = [Scope(each) for each in scopes or []]
    key_id, kind = new_id(), Role(role)
    secret = make_secret(KEY_PREFIX, key_id)
    ring = key_ring(configured)
    now = configured.make_clock()()

    async def work(connection: "asyncpg.Connection[Any]") -> UUID:
        async with connection.transaction():
            # one tenant per name, also when two commands run at once
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext('tenant:' || $1))", tenant)
            tenant_id: UUID | None = await connection.fetchval(
                "SELECT id FROM tenants WHERE name = $1 AND kind <> 'public' ORDER BY created_at LIMIT 1", tenant
            )
            if tenant_id is None:
                tenant_id = new_id()
                await connection.execute(
                    "INSERT INTO tenants (id, name, kind, created_at) VALUES ($1, $2, 'customer', $3)",
                    *(tenant_id, tenant, now),
                )
            await connection.execute(
                "INSERT INTO api_keys (id, tenant_id, name, role, scopes, digest, hint, created_at)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                *(key_id, tenant_id, label, kind, [*chosen], digest(ring, secret), "…" + secret[-HINT_LETTERS:], now),
            )
        return tenant_id

    tenant_id = _with_connection(database_url, work)
    return {
        "key": secret,
        "id": encode_id("api_key", key_id),
        "tenant_id": encode_id("tenant", tenant_id),
        "tenant": tenant,
        "name": label,
        "role": str(kind),
        "scopes": [str(each) for each in chosen],
    }


def list_all(configured: Settings, database_url: str, *, tenant: str | None = None) -> list[dict[str, Any]]:
    """Every key, or those of the tenants of one name, oldest first; without secrets."""
    del configured

    async def work(connection: "asyncpg.Connection[Any]") -> list[dict[str, Any]]:
        rows = await connection.fetch(
            "SELECT k.id, t.id AS tenant_id, t.name AS tenant, k.name, k.role, k.scopes, k.hint, k.created_at,"
            " k.expires_at, k.revoked_at, k.last_used_at FROM api_keys k JOIN tenants t ON t.id = k.tenant_id"
            " WHERE $1::text IS NULL OR t.name = $1 ORDER BY k.created_at, k.id",
            tenant,
        )
        return [
            {**row, "id": encode_id("api_key", row["id"]), "tenant_id": encode_id("tenant", row["tenant_id"])}
            for row in rows
        ]

    return _with_connection(database_url, work)


def revoke(configured: Settings, database_url: str, *, key_id: str) -> bool:
    """Ends a key; False when no live key has this id."""
    del configured
    try:
        wanted = decode_id("api_key", key_id)
    except ValueError:
        return False

    async def work(connection: "asyncpg.Connection[Any]") -> bool:
        done = await connection.execute(
            "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", wanted, datetime.now(UTC)
        )
        return bool(done == "UPDATE 1")

    return _with_connection(database_url, work)


def key_ring(configured: Settings) -> KeyRing:
    """The key ring of these settings, the current key first, as a running service has it."""
    ring = configured.load_master_keys()
    return KeyRing({ring.current: ring.keys[ring.current], **ring.keys})


def _with_connection(database_url: str, work: Callable[["asyncpg.Connection[Any]"], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        connection = await asyncpg.connect(plain_url(database_url))
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(run())
