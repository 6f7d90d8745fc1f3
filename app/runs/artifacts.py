"""Files that a run makes: exports, and archives of what is too large for the destination."""

from collections.abc import AsyncIterator, Iterable
from typing import Any
from uuid import UUID

import asyncpg

from app.downloads.service import signed_link
from app.engagements.files import store_file
from app.runs.work import Work
from connectors.base import FileRef, Source


async def keep_file(work: Work, kind: str, name: str, content_type: str, parts: Iterable[bytes]) -> UUID:
    """Stores a file from parts in memory; an earlier file of this run with the same name is replaced."""

    async def stream() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await _forget(work, connection, kind, name)
        return await _store(work, connection, kind, name, content_type, stream())


async def _store(
    work: Work,
    connection: "asyncpg.Connection[Any]",
    kind: str,
    name: str,
    content_type: str,
    chunks: AsyncIterator[bytes],
) -> UUID:
    return await store_file(
        connection,
        work.key,
        chunks,
        tenant_id=work.run.tenant_id,
        engagement_id=work.run.engagement_id,
        kind=kind,
        name=name,
        content_type=content_type,
        at=work.now(),
        run_id=work.run.id,
    )


async def _forget(work: Work, connection: "asyncpg.Connection[Any]", kind: str, name: str) -> None:
    condition = "run_id = $1 AND kind = $2 AND name = $3"
    arguments = (work.run.id, kind, name)
    await connection.execute(
        f"DELETE FROM artifact_chunks WHERE artifact_id IN (SELECT id FROM artifacts WHERE {condition})",  # noqa: S608
        *arguments,
    )
    await connection.execute(f"DELETE FROM artifacts WHERE {condition}", *arguments)  # noqa: S608


class OversizeFiles:
    """Files above the destination's limit: kept by us, reached by a signed link that the destination stores."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def archive(self, source: Source, ref: FileRef, name: str) -> str:
        """Stores the file's bytes as they arrive and returns the link."""
        work = self._work
        async with source.open_file(ref) as stream, work.transaction() as connection:
            artifact_id = await _store(work, connection, "attachment", name, stream.content_type, stream.chunks)
        return signed_link(work.runtime, artifact_id, work.now())
