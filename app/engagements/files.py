"""Files of an engagement: sealed in chunks when they are written, opened chunk by chunk when they are read."""

from collections.abc import AsyncIterator
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import asyncpg
from sqlmodel.ext.asyncio.session import AsyncSession

from app.documents import engagement_key
from app.errors import NotFound
from app.models.columns import new_id
from app.models.engagement import Engagement
from app.models.file import Artifact
from app.runtime import Runtime
from app.security import DataKey

CHUNK = 1024 * 1024

_ARTIFACT = """
    INSERT INTO artifacts (id, tenant_id, engagement_id, run_id, kind, name, content_type, size, sha256, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
ADD_CHUNK = "INSERT INTO artifact_chunks (artifact_id, number, tenant_id, body) VALUES ($1, $2, $3, $4)"
_FINISH = "UPDATE artifacts SET size = $2, sha256 = $3 WHERE id = $1"


def chunk_place(artifact_id: UUID, number: int) -> bytes:
    """What a sealed chunk is bound to: its file and its position."""
    return artifact_id.bytes + number.to_bytes(4, "big")


async def store_file(
    connection: "asyncpg.Connection[Any]",
    key: DataKey,
    chunks: AsyncIterator[bytes],
    *,
    tenant_id: UUID,
    engagement_id: UUID,
    kind: str,
    name: str,
    content_type: str,
    at: datetime,
    run_id: UUID | None = None,
) -> UUID:
    """Writes a file in the caller's transaction, a mebibyte at a time, and returns its id.

    `kind`: export | report | attachment | upload. `chunks` may come in any sizes.
    """
    artifact_id = new_id()
    await connection.execute(
        _ARTIFACT, artifact_id, tenant_id, engagement_id, run_id, kind, name, content_type, 0, "", at
    )
    digest, size, number = sha256(), 0, 0
    async for piece in sliced(chunks):
        digest.update(piece)
        size += len(piece)
        await connection.execute(
            ADD_CHUNK, artifact_id, number, tenant_id, key.seal(piece, chunk_place(artifact_id, number))
        )
        number += 1
    await connection.execute(_FINISH, artifact_id, size, digest.hexdigest())
    return artifact_id


async def sliced(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces of `CHUNK`, the last one shorter."""
    held = bytearray()
    async for chunk in chunks:
        held += chunk
        while len(held) >= CHUNK:
            yield bytes(held[:CHUNK])
            del held[:CHUNK]
    if held:
        yield bytes(held)


async def find_file(session: AsyncSession, tenant_id: UUID, artifact_id: UUID) -> Artifact:
    """The file's row. Raises NotFound."""
    artifact = await session.get(Artifact, artifact_id)
    if artifact is None or artifact.tenant_id != tenant_id:
        raise NotFound("There is no such file.")
    return artifact


async def open_file(runtime: Runtime, tenant_id: UUID, artifact_id: UUID) -> tuple[Artifact, DataKey]:
    """The file's row and the key that opens it. Raises NotFound, EngagementPurged."""
    async with runtime.db.transaction(tenant_id) as session:
        artifact = await find_file(session, tenant_id, artifact_id)
        engagement = await session.get_one(Engagement, artifact.engagement_id)
    return artifact, engagement_key(runtime, engagement)


async def read_file(runtime: Runtime, tenant_id: UUID, key: DataKey, artifact_id: UUID) -> AsyncIterator[bytes]:
    """The clear bytes, chunk by chunk, each read in a transaction of its own. Raises SealBroken."""
    number = 0
    while True:
        async with runtime.db.connection(tenant_id) as connection:
            body = await connection.fetchval(
                "SELECT body FROM artifact_chunks WHERE artifact_id = $1 AND number = $2", artifact_id, number
            )
        if body is None:
            return
        clear = key.unseal(body, chunk_place(artifact_id, number))
        yield clear
        if len(clear) < CHUNK:
            return  # the last one: nobody is asked for more, who may have hung up already
        number += 1
