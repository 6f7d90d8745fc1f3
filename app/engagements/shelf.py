"""Uploaded files as a connector reads them, chunk by chunk, and the context of a connection that has no account."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlmodel import col, select

from app.documents import engagement_key
from app.engagements.bundles import BUNDLE, INDEX
from app.engagements.files import read_file
from app.engagements.upload_reading import UPLOAD, load_answers, load_profiles, read_index
from app.models.engagement import Connection, Engagement
from app.models.file import Artifact
from app.runtime import Runtime
from app.security import DataKey
from connectors.base import CallMeter, ConnectionContext
from connectors.registry import load_blueprint
from connectors.table_files import StoredDocument, StoredTable
from connectors.throttle import Unlimited

MODE = "mode"
_IDS = 50_000
_KNOWN = """
    SELECT source_id FROM staged
    WHERE engagement_id = $1 AND object = $2 AND deleted_at IS NULL AND source_id COLLATE "C" > $3
    ORDER BY source_id COLLATE "C" LIMIT $4
"""


class NoCredentials(BaseModel):
    """What a connection holds that signs in nowhere."""


def is_upload(config: Mapping[str, Any]) -> bool:
    """Whether a connection's config says that files stand in for the account."""
    return config.get(MODE) == UPLOAD


def upload_context(runtime: Runtime, connection: Connection, meter: CallMeter | None = None) -> ConnectionContext:
    """What a connector that reads uploaded files is built from: no credentials, no limits, the files in `tables`."""
    shelf = UploadShelf(runtime, connection.tenant_id, connection.engagement_id)
    return ConnectionContext(
        credentials=NoCredentials(),
        config={**connection.config, "tables": shelf},
        tokens=_NoTokens(),
        throttle=Unlimited(),
        clock=runtime.now,
        meter=meter or CallMeter(),
    )


class UploadShelf:
    """Implements `connectors.table_files.TableShelf` for one engagement."""

    def __init__(self, runtime: Runtime, tenant_id: UUID, engagement_id: UUID) -> None:
        self._runtime = runtime
        self._tenant_id = tenant_id
        self._engagement_id = engagement_id
        self._ids: dict[str, UUID] = {}
        self._document_ids: dict[tuple[str, str], UUID] = {}
        self._key: DataKey | None = None

    async def tables(self) -> Sequence[StoredTable]:
        """Raises EngagementPurged."""
        async with self._runtime.db.transaction(self._tenant_id) as session:
            engagement = await session.get_one(Engagement, self._engagement_id)
            self._key = engagement_key(self._runtime, engagement)
            found = await session.exec(
                select(Artifact).where(Artifact.engagement_id == self._engagement_id, Artifact.kind == UPLOAD)
            )
            artifacts = sorted(found.all(), key=lambda one: one.name)
            profiles = await load_profiles(self._runtime, session, engagement)
            answers = await load_answers(session, self._engagement_id)
        self._ids = {one.name: one.id for one in artifacts}
        return [
            StoredTable(one.name, one.size, one.created_at, profiles[one.id], answers.get(one.name, {}))
            for one in artifacts
        ]

    async def read(self, table: StoredTable) -> AsyncIterator[bytes]:
        """Raises SealBroken."""
        assert self._key is not None, "tables() names the files"
        async for chunk in read_file(self._runtime, self._tenant_id, self._key, self._ids[table.name]):
            yield chunk

    async def documents(self) -> Sequence[StoredDocument]:
        """Raises EngagementPurged, SealBroken."""
        async with self._runtime.db.transaction(self._tenant_id) as session:
            engagement = await session.get_one(Engagement, self._engagement_id)
            self._key = engagement_key(self._runtime, engagement)
            kinds = col(Artifact.kind).in_((BUNDLE, INDEX))
            found = (
                await session.exec(select(Artifact).where(Artifact.engagement_id == self._engagement_id, kinds))
            ).all()
        names = {str(one.id): one.name for one in found if one.kind == BUNDLE}
        documents: list[StoredDocument] = []
        for index in (one for one in found if one.kind == INDEX):
            bundle = names[index.name]
            async for known in read_index(self._runtime, self._tenant_id, self._key, index.id):
                document = StoredDocument(known["path"], known["size"], known["sha256"], bundle)
                self._document_ids[bundle, document.path] = UUID(known["id"])
                documents.append(document)
        return sorted(documents, key=lambda one: (one.bundle, one.path))

    async def read_document(self, document: StoredDocument) -> AsyncIterator[bytes]:
        """Raises SealBroken."""
        if (document.bundle, document.path) not in self._document_ids:
            await self.documents()
        assert self._key is not None, "documents() opens the key"
        artifact_id = self._document_ids[document.bundle, document.path]
        async for chunk in read_file(self._runtime, self._tenant_id, self._key, artifact_id):
            yield chunk

    async def needed(self) -> Sequence[str]:
        """What the pair's blueprint reads: its loads' objects, and what their references lead to."""
        async with self._runtime.db.transaction(self._tenant_id) as session:
            engagement = await session.get_one(Engagement, self._engagement_id)
        blueprint = load_blueprint(engagement.source, engagement.destination)
        paths = dict.fromkeys(load.source_object for load in blueprint.loads)
        for load in blueprint.loads:
            steps = (path for rule in load.fields for path in rule.sources if "." in path)
            paths |= dict.fromkeys(f"{load.source_object}.{path}" for path in steps)
        return list(paths)

    async def known_ids(self, object_name: str) -> AsyncIterator[Sequence[str]]:
        """Ids that are staged and live, in blocks."""
        after = ""
        while True:
            async with self._runtime.db.connection(self._tenant_id) as connection:
                rows = await connection.fetch(_KNOWN, self._engagement_id, object_name, after, _IDS)
            if not rows:
                return
            after = rows[-1]["source_id"]
            yield [row["source_id"] for row in rows]


class _NoTokens:
    """Implements `connectors.base.TokenStore` where nobody signs in."""

    async def load(self) -> Mapping[str, str] | None:
        return None

    def refreshing(self) -> AbstractAsyncContextManager[Mapping[str, str] | None]:
        return nullcontext(None)

    async def save(self, token: Mapping[str, str]) -> None:  # noqa: ARG002
        raise RuntimeError("an upload connection has no token to keep")
