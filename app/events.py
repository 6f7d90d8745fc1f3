"""Records events: the one place that writes the stream which SSE, webhooks and `GET /v1/events` read."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import orjson

from app.db import driver_connection, flush
from app.fresh import new_id

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

_INSERT = """
    WITH event AS (
        INSERT INTO events (id, tenant_id, engagement_id, run_id, type, data, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id, tenant_id, type, created_at)
    INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, event_id, state, attempts, next_at, created_at)
    SELECT gen_random_uuid(), event.tenant_id, endpoint.id, event.id, 'pending', 0, event.created_at, event.created_at
    FROM event JOIN webhook_endpoints endpoint ON endpoint.tenant_id = event.tenant_id
    WHERE endpoint.state = 'enabled' AND (endpoint.events = '{}' OR event.type = ANY (endpoint.events))
"""


async def emit(
    session: "AsyncSession",
    tenant_id: UUID,
    kind: str,
    data: dict[str, Any],
    *,
    at: datetime,
    engagement_id: UUID | None = None,
    run_id: UUID | None = None,
) -> None:
    """Writes an event and its webhook deliveries in the session's transaction. `data` is thin: ids and counts."""
    await flush(session)
    connection = await driver_connection(session)
    await connection.execute(_INSERT, new_id(), tenant_id, engagement_id, run_id, kind, orjson.dumps(data).decode(), at)


async def emit_raw(
    connection: "asyncpg.Connection[Any]",
    tenant_id: UUID,
    kind: str,
    data: dict[str, Any],
    *,
    at: datetime,
    engagement_id: UUID | None = None,
    run_id: UUID | None = None,
) -> None:
    """The same on a raw connection, for the engine."""
    await connection.execute(_INSERT, new_id(), tenant_id, engagement_id, run_id, kind, data, at)
