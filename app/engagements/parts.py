"""Parts of an upload while it is taken apart: written and read in a worker thread, sealed in the store all the while.

Nothing of an upload ever lies on a disk in clear. A part is an artifact that does not count until the upload is kept.
"""

import asyncio
import io
from collections.abc import Awaitable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, BinaryIO, TypeVar, cast
from uuid import UUID

from app.engagements.files import ADD_CHUNK, CHUNK, chunk_place
from app.models.columns import new_id
from app.models.engagement import Engagement
from app.runtime import Runtime
from app.security import DataKey

PIECE = "upload-piece"
_CACHED = 4
_ARTIFACT = """
    INSERT INTO artifacts (id, tenant_id, engagement_id, run_id, kind, name, content_type, size, sha256, created_at)
    VALUES ($1, $2, $3, NULL, $4, '', 'application/octet-stream', $5, $6, $7)
"""
_SIZE = "UPDATE artifacts SET size = $2, sha256 = $3 WHERE id = $1"
_READ = "SELECT body FROM artifact_chunks WHERE artifact_id = $1 AND number = $2"
_T = TypeVar("_T")


class Stopped(Exception):
    """Nobody waits for the upload any more."""


class NoSuchPlace(OSError, ValueError):
    """A place before the beginning: an OSError as libraries expect it, told apart from a store that fails."""


@dataclass(frozen=True, slots=True)
class PartFile:
    """A stored part: its artifact, bytes and SHA-256."""

    id: UUID
    size: int
    sha256: str


class PartStore:
    """Opens parts of one upload. Made in the event loop, used from one thread beside it."""

    def __init__(self, runtime: Runtime, engagement: Engagement, key: DataKey) -> None:
        self._runtime, self._key = runtime, key
        self._tenant_id, self._engagement_id = engagement.tenant_id, engagement.id
        self._loop = asyncio.get_running_loop()
        self._stopped = False
        self.ids: list[UUID] = []

    def stop(self) -> None:
        """The thread ends at its next step."""
        self._stopped = True

    def open(self) -> "SealedPart":
        """A part to write."""
        part = SealedPart(self, new_id())
        self.ids.append(part.id)
        return part

    def reader(self, artifact_id: UUID, size: int) -> BinaryIO:
        """A stored file that can be read from any place."""
        return cast("BinaryIO", io.BufferedReader(SealedReader(self, artifact_id, size), CHUNK))

    def insert(self, part: PartFile, number: int, piece: bytes, *, first: bool, last: bool) -> None:
        """One chunk in a transaction of its own; the artifact comes with the first, its size with the last."""
        self._wait(self._insert(part, number, piece, first, last))

    def fetch(self, artifact_id: UUID, number: int) -> bytes:
        """One clear chunk, empty behind the end. Raises SealBroken."""
        return self._wait(self._fetch(artifact_id, number))

    def delete(self, artifact_id: UUID) -> None:
        self._wait(self._delete(artifact_id))

    def _wait(self, step: Awaitable[_T]) -> _T:
        if self._stopped:
            step.close()  # type: ignore[attr-defined]  # a coroutine that is never awaited
            raise Stopped
        return cast("_T", asyncio.run_coroutine_threadsafe(cast("Any", step), self._loop).result())

    async def _insert(self, part: PartFile, number: int, piece: bytes, first: bool, last: bool) -> None:
        async with self._runtime.db.connection(self._tenant_id) as connection:
            if first:
                await connection.execute(
                    _ARTIFACT, part.id, self._tenant_id, self._engagement_id, PIECE, part.size, part.sha256,
                    self._runtime.now(),
                )  # fmt: skip
            elif last:
                await connection.execute(_SIZE, part.id, part.size, part.sha256)
            if piece:
                sealed = self._key.seal(piece, chunk_place(part.id, number))
                await connection.execute(ADD_CHUNK, part.id, number, self._tenant_id, sealed)

    async def _fetch(self, artifact_id: UUID, number: int) -> bytes:
        async with self._runtime.db.connection(self._tenant_id) as connection:
            body = await connection.fetchval(_READ, artifact_id, number)
        return self._key.unseal(body, chunk_place(artifact_id, number)) if body is not None else b""

    async def _delete(self, artifact_id: UUID) -> None:
        async with self._runtime.db.connection(self._tenant_id) as connection:
            await connection.execute("DELETE FROM artifact_chunks WHERE artifact_id = $1", artifact_id)
            await connection.execute("DELETE FROM artifacts WHERE id = $1 AND kind = $2", artifact_id, PIECE)


class SealedPart:
    """Implements `connectors.unpacking.Part`: bytes of any sizes, stored a mebibyte at a time."""

    def __init__(self, store: PartStore, part_id: UUID) -> None:
        self.id = part_id
        self._store = store
        self._held = bytearray()
        self._digest = sha256()
        self._size = self._number = 0

    @property
    def file(self) -> PartFile:
        return PartFile(self.id, self._size, self._digest.hexdigest())

    def write(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self._size += len(chunk)
        self._held += chunk
        while len(self._held) >= CHUNK:
            self._store.insert(self.file, self._number, bytes(self._held[:CHUNK]), first=not self._number, last=False)
            self._number += 1
            del self._held[:CHUNK]

    def close(self) -> None:
        self._store.insert(self.file, self._number, bytes(self._held), first=not self._number, last=True)
        self._held.clear()

    def reopen(self) -> BinaryIO:
        return self._store.reader(self.id, self._size)

    def discard(self) -> None:
        self._store.delete(self.id)
        self._store.ids.remove(self.id)


class SealedReader(io.RawIOBase):
    """A sealed file as one that can be read from any place; a few chunks are kept in clear."""

    def __init__(self, store: PartStore, artifact_id: UUID, size: int) -> None:
        super().__init__()
        self._store, self._id, self._size = store, artifact_id, size
        self._at = 0
        self._chunks: dict[int, bytes] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise NoSuchPlace("a place before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        number, start = divmod(self._at, CHUNK)
        if self._at >= self._size:
            return 0
        chunk = self._chunks.get(number)
        if chunk is None:
            if len(self._chunks) >= _CACHED:
                del self._chunks[next(iter(self._chunks))]
            chunk = self._chunks[number] = self._store.fetch(self._id, number)
        piece = chunk[start : start + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
