"""Keeps files of a run: sealed in chunks of at most one MiB, with a checksum of the clear bytes."""

import hashlib
import hmac
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from app.domain.ids import encode_id
from app.fresh import new_id
from app.runs.work import Work
from app.runtime import Runtime
from connectors.base import FileRef, Source

CHUNK = 1024 * 1024
LINK_DAYS = 90


def chunk_place(artifact_id: UUID, number: int) -> bytes:
    """What a sealed chunk is bound to."""
    return artifact_id.bytes + number.to_bytes(4, "big")


class ArtifactWriter:
    """Collects bytes into sealed chunks; `finish` stores the file's row. Works in the caller's transaction."""

    def __init__(
        self, work: Work, connection: "asyncpg.Connection[Any]", kind: str, name: str, content_type: str
    ) -> None:
        self.id = new_id()
        self._work = work
        self._connection = connection
        self._row = (kind, name, content_type)
        self._buffer = bytearray()
        self._hash = hashlib.sha256()
        self._size = 0
        self._number = 0
        self._started = False

    async def write(self, data: bytes) -> None:
        await self._start()
        self._hash.update(data)
        self._size += len(data)
        self._buffer += data
        while len(self._buffer) >= CHUNK:
            await self._store(bytes(self._buffer[:CHUNK]))
            del self._buffer[:CHUNK]

    async def finish(self) -> UUID:
        """Stores the rest; returns the file's id."""
        await self._start()
        if self._buffer:
            await self._store(bytes(self._buffer))
        await self._connection.execute(
            "UPDATE artifacts SET size = $2, sha256 = $3 WHERE id = $1", self.id, self._size, self._hash.hexdigest()
        )
        return self.id

    async def _start(self) -> None:
        if self._started:
            return
        self._started = True
        work, run = self._work, self._work.run
        await self._connection.execute(
            "INSERT INTO artifacts (id, tenant_id, engagement_id, run_id, kind, name, content_type, size, sha256,"
            " created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '', $8)",
            *(self.id, run.tenant_id, run.engagement_id, run.id, *self._row, work.now()),
        )

    async def _store(self, clear: bytes) -> None:
        sealed = self._work.key.seal(clear, chunk_place(self.id, self._number))
        await self._connection.execute(
            "INSERT INTO artifact_chunks (artifact_id, number, tenant_id, body) VALUES ($1, $2, $3, $4)",
            *(self.id, self._number, self._work.run.tenant_id, sealed),
        )
        self._number += 1


async def keep_file(work: Work, kind: str, name: str, content_type: str, parts: Iterable[bytes]) -> UUID:
    """Stores a file from parts in memory; an earlier file of this run with the same name is replaced."""
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await _forget(work, connection, kind, name)
        writer = ArtifactWriter(work, connection, kind, name, content_type)
        for part in parts:
            await writer.write(part)
        return await writer.finish()


async def keep_stream(work: Work, name: str, content_type: str, chunks: AsyncIterator[bytes]) -> UUID:
    """Stores a file as it arrives, never whole in memory."""
    async with work.transaction() as connection:
        writer = ArtifactWriter(work, connection, "attachment", name, content_type)
        async for chunk in chunks:
            await writer.write(chunk)
        return await writer.finish()


async def _forget(work: Work, connection: "asyncpg.Connection[Any]", kind: str, name: str) -> None:
    condition = "run_id = $1 AND kind = $2 AND name = $3"
    arguments = (work.run.id, kind, name)
    await connection.execute(
        f"DELETE FROM artifact_chunks WHERE artifact_id IN (SELECT id FROM artifacts WHERE {condition})",  # noqa: S608
        *arguments,
    )
    await connection.execute(f"DELETE FROM artifacts WHERE {condition}", *arguments)  # noqa: S608


def link_signature(runtime: Runtime, artifact_id: UUID, expires: int) -> str:
    """The signature of a download link; `expires` in Unix seconds."""
    return hmac.new(runtime.keys.pepper(b"download links"), f"{artifact_id}:{expires}".encode(), "sha256").hexdigest()[
        :40
    ]


def signed_link(runtime: Runtime, artifact_id: UUID, now: datetime) -> str:
    """A link that needs no key and ends by itself (ruling 25)."""
    expires = int((now + timedelta(days=LINK_DAYS)).timestamp())
    base = runtime.settings.public_base_url.rstrip("/")
    signature = link_signature(runtime, artifact_id, expires)
    return f"{base}/v1/downloads/{encode_id('artifact', artifact_id)}?expires={expires}&signature={signature}"


class OversizeFiles:
    """Files above the destination's limit: kept by us, reached by a signed link that the destination stores."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def archive(self, source: Source, ref: FileRef, name: str) -> str:
        """Stores the file's bytes and returns the link."""
        async with source.open_file(ref) as stream:
            artifact_id = await keep_stream(self._work, name, stream.content_type, stream.chunks)
        return signed_link(self._work.runtime, artifact_id, self._work.now())
