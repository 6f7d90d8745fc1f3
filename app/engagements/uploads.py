"""Export files that people upload in place of an API connection: received in a stream, sealed, surveyed, replaced.

A file is kept as chunks under the engagement's key; what was found in it is a sealed report of kind `upload`. Files of
several tables are taken apart (`bundles`): each table is an upload then, and the file itself is one without bytes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.documents import engagement_key, seal_document
from app.engagements.bundles import (
    BUNDLE,
    Bundle,
    BundleTable,
    discard_parts,
    keep_documents,
    remove_documents,
    unpack_upload,
)
from app.engagements.files import ADD_CHUNK, chunk_place, read_file, sliced
from app.engagements.parts import PIECE, PartFile
from app.engagements.questions import ask
from app.engagements.service import find_engagement
from app.engagements.upload_kinds import Head, unreadable
from app.engagements.upload_reading import MARK, UPLOAD, Upload, find_upload, tables_of
from app.errors import AnotherRunActive, AppError, BodyTooLarge, Invalid, NotFound
from app.models.columns import new_id
from app.models.engagement import Connection, Engagement
from app.models.file import Artifact
from app.models.mapping import Report
from app.models.run import Run
from app.runtime import Runtime
from app.security import DataKey
from connectors.errors import ConnectorError
from connectors.file_formats import TEXT, format_of
from connectors.table_files import TableProfile, TableSurvey
from connectors.tabular import Probe, Unreadable

MAX_UPLOAD_BYTES = 4 * 1024**3
MAX_FILES = 200
_PART = "upload-part"
_PART_LIFE = timedelta(days=1)


class FileTooLarge(BodyTooLarge):
    title = "The file is too large"


class UploadsIncomplete(Invalid):
    title = "The uploaded files cannot be used as they are"


class TooManyFiles(Invalid):
    title = "The engagement holds as many files as it can"


@dataclass(frozen=True, slots=True)
class Received:
    """A file whose bytes are stored but which does not count yet; `keep` makes it count, `drop` removes it."""

    id: UUID
    name: str
    content_type: str
    size: int
    sha256: str
    profile: TableProfile
    bundle: Bundle | None = None


def uploads_problem(error: ConnectorError) -> AppError:
    """The problem behind what a file-backed connector did not like; its text says what to upload or to answer."""
    detail = f"{error.detail[:1].upper()}{error.detail[1:]}."
    return UploadsIncomplete(detail, reason=error.code.lower().replace("_", "-") or None)


async def receive(
    runtime: Runtime, tenant_id: UUID, engagement_id: UUID, name: str, kind: str, stream: AsyncIterator[bytes]
) -> Received:
    """Stores the bytes as they come, each mebibyte in a transaction of its own, and surveys the table.

    Raises NotFound, EngagementPurged, AnotherRunActive, TooManyFiles, FileTooLarge, FileKindUnknown, FileUnreadable;
    nothing is left behind then.
    """
    async with runtime.db.transaction(tenant_id) as session:
        engagement = await find_engagement(session, tenant_id, engagement_id)
        key = engagement_key(runtime, engagement)
        await _check_idle(session, engagement)
        await _check_room(runtime, session, engagement, name)
        part = Artifact(
            id=new_id(),
            tenant_id=tenant_id,
            engagement_id=engagement_id,
            kind=_PART,
            name=name,
            content_type=kind,
            created_at=runtime.now(),
        )
        session.add(part)
    text_kind = format_of(name) == TEXT
    bundle: Bundle | None = None
    try:
        probe, head = Probe(), Head(format_of(name))
        size, digest = await _store(runtime, part, key, stream, probe.feed if text_kind else head.feed)
        if text_kind:
            profile = await _survey(runtime, part, key, probe)
        else:
            whole = PartFile(part.id, size, digest)
            bundle = await unpack_upload(runtime, engagement, key, whole, head.settle(), name)
            profile = bundle.profile
            await _forget_bytes(runtime, part)
    except Unreadable as problem:
        await drop(runtime, tenant_id, part.id)
        raise unreadable(name, problem) from None
    except BaseException:
        await drop(runtime, tenant_id, part.id)
        raise
    return Received(part.id, name, kind, size, digest, profile, bundle)


async def keep(runtime: Runtime, session: AsyncSession, engagement: Engagement, received: Received) -> Upload:
    """Makes a received file the one of its name, in the caller's transaction; the source has to be tested again.

    The engagement must be locked. Raises AnotherRunActive, NotFound when it has been cleared away.
    """
    await _check_idle(session, engagement)
    artifact = await session.get(Artifact, received.id)
    if artifact is None:
        raise NotFound("The upload was cleared away before it was whole; send it again.")
    for earlier in await _named(session, engagement, received.name):
        await _remove(session, engagement, earlier)
    bundle = received.bundle
    artifact.kind, artifact.size, artifact.sha256 = BUNDLE if bundle else UPLOAD, received.size, received.sha256
    session.add(artifact)
    if bundle is None:
        await _keep_profile(runtime, session, engagement, artifact, received.profile)
        upload = Upload(artifact, received.profile)
    else:
        upload = await _keep_bundle(runtime, session, engagement, artifact, bundle)
    await _source_changed(session, engagement)
    await session.flush()
    return upload


async def _keep_bundle(
    runtime: Runtime, session: AsyncSession, engagement: Engagement, artifact: Artifact, bundle: Bundle
) -> Upload:
    held = select(Artifact.id).where(Artifact.engagement_id == engagement.id, Artifact.kind == UPLOAD)
    if len((await session.exec(held)).all()) + len(bundle.tables) > MAX_FILES:
        raise TooManyFiles(f"An engagement holds {MAX_FILES} tables. DELETE uploads that are not needed first.")
    in_order = sorted(bundle.tables, key=lambda one: one.name)
    tables = [await _keep_table(runtime, session, engagement, artifact, one) for one in in_order]
    if await keep_documents(session, artifact.id, bundle) != len(bundle.document_ids):
        raise NotFound("The upload was cleared away before it was whole; send it again.")
    figures = {"documents": len(bundle.documents), "document_bytes": sum(one.size for one in bundle.documents)}
    await _keep_profile(runtime, session, engagement, artifact, bundle.profile, **figures)
    return Upload(artifact, bundle.profile, tuple(tables), **figures)


async def _keep_table(
    runtime: Runtime, session: AsyncSession, engagement: Engagement, bundle: Artifact, table: BundleTable
) -> Upload:
    artifact = await session.get(Artifact, table.file.id)
    if artifact is None:
        raise NotFound("The upload was cleared away before it was whole; send it again.")
    artifact.kind, artifact.name = UPLOAD, table.name
    artifact.content_type = "application/x-ndjson" if table.profile.dialect.stored == "rows" else "text/csv"
    session.add(artifact)
    await _keep_profile(runtime, session, engagement, artifact, table.profile, bundle_id=str(bundle.id))
    return Upload(artifact, table.profile)


async def _keep_profile(
    runtime: Runtime,
    session: AsyncSession,
    engagement: Engagement,
    artifact: Artifact,
    profile: TableProfile,
    **more: str | int,
) -> None:
    """The sealed report of a file, and its questions."""
    report_id = new_id()
    body = seal_document(engagement_key(runtime, engagement), report_id, profile.model_dump(mode="json"))
    summary = {"upload_id": str(artifact.id), "rows": profile.rows, "rejected": profile.rejected, **more}
    session.add(
        Report(
            id=report_id,
            tenant_id=engagement.tenant_id,
            engagement_id=engagement.id,
            kind=UPLOAD,
            summary=summary,
            body=body,
            created_at=runtime.now(),
        )
    )
    for question in profile.questions():
        detail: dict[str, Any] = {
            "text": f"{artifact.name}: {question.text}",
            "file": artifact.name,
            "column": question.column,
        }
        if question.examples:
            detail["examples"] = list(question.examples)
        options: dict[str, Any] = {"choices": list(question.choices)}
        if question.suggested:
            options["suggested"] = question.suggested
        await ask(
            session,
            engagement,
            subject=f"{MARK}{artifact.name}:{question.column}:{question.code}",
            code=question.code,
            detail=detail,
            options=options,
            at=runtime.now(),
        )


async def drop(runtime: Runtime, tenant_id: UUID, artifact_id: UUID, bundle: Bundle | None = None) -> None:
    """Removes a received file that is not to count, with the parts of a bundle."""
    await discard_parts(runtime, tenant_id, bundle.ids if bundle else ())
    async with runtime.db.connection(tenant_id) as connection:
        await connection.execute("DELETE FROM artifact_chunks WHERE artifact_id = $1", artifact_id)
        await connection.execute("DELETE FROM artifacts WHERE id = $1 AND kind = $2", artifact_id, _PART)


async def delete_upload(runtime: Runtime, session: AsyncSession, engagement: Engagement, upload_id: UUID) -> None:
    """Removes a file and its open questions. Raises NotFound, AnotherRunActive."""
    await _check_idle(session, engagement)
    upload = await find_upload(runtime, session, engagement, upload_id)
    await _remove(session, engagement, upload.artifact)
    await _source_changed(session, engagement)
    await session.flush()


async def _store(
    runtime: Runtime, part: Artifact, key: DataKey, stream: AsyncIterator[bytes], look: Callable[[bytes], None]
) -> tuple[int, str]:
    digest, size, number = sha256(), 0, 0
    async for piece in sliced(stream):
        size += len(piece)
        if size > MAX_UPLOAD_BYTES:
            raise FileTooLarge(f"A file may have {MAX_UPLOAD_BYTES // 1024**2} MiB; split it, or leave columns out.")
        await asyncio.to_thread(look, piece)
        digest.update(piece)
        sealed = key.seal(piece, chunk_place(part.id, number))
        async with runtime.db.connection(part.tenant_id) as connection:
            await connection.execute(ADD_CHUNK, part.id, number, part.tenant_id, sealed)
        number += 1
    return size, digest.hexdigest()


async def _forget_bytes(runtime: Runtime, part: Artifact) -> None:
    """A file that was taken apart is kept as its parts."""
    async with runtime.db.connection(part.tenant_id) as connection:
        await connection.execute("DELETE FROM artifact_chunks WHERE artifact_id = $1", part.id)


async def _survey(runtime: Runtime, part: Artifact, key: DataKey, probe: Probe) -> TableProfile:
    """The second look, at what was stored: now that the encoding of the whole file is known."""
    survey = TableSurvey(await asyncio.to_thread(probe.finish), runtime.now().year)
    async for piece in read_file(runtime, part.tenant_id, key, part.id):
        await asyncio.to_thread(survey.feed, piece)
    return await asyncio.to_thread(survey.finish)


async def _check_room(runtime: Runtime, session: AsyncSession, engagement: Engagement, name: str) -> None:
    """Also clears away what uploads left that were cut off long ago."""
    found = await session.exec(
        select(Artifact).where(Artifact.engagement_id == engagement.id, col(Artifact.kind).in_((UPLOAD, _PART)))
    )
    rows = found.all()
    stale = "SELECT id FROM artifacts WHERE engagement_id = :engagement AND kind = :piece AND created_at < :before"
    old = {"engagement": engagement.id, "piece": PIECE, "before": runtime.now() - _PART_LIFE}
    await session.execute(text(f"DELETE FROM artifact_chunks WHERE artifact_id IN ({stale})"), old)  # noqa: S608
    await session.execute(text(f"DELETE FROM artifacts WHERE id IN ({stale})"), old)  # noqa: S608
    for row in rows:
        if row.kind == _PART and row.created_at < runtime.now() - _PART_LIFE:
            await _delete_file(session, row)
    names = {row.name for row in rows if row.kind == UPLOAD}
    if len(names - {name}) >= MAX_FILES or sum(row.kind == _PART for row in rows) >= MAX_FILES:
        raise TooManyFiles(f"An engagement holds {MAX_FILES} files. DELETE one that is not needed first.")


async def _check_idle(session: AsyncSession, engagement: Engagement) -> None:
    """A file is not exchanged under a run that reads it."""
    states = ("queued", "running", "cancelling")
    busy = select(Run.id).where(Run.engagement_id == engagement.id, col(Run.state).in_(states))
    if (await session.exec(busy)).first() is not None:
        raise AnotherRunActive("A run of this engagement is active. Wait for it, or pause or cancel it, then upload.")


async def _named(session: AsyncSession, engagement: Engagement, name: str) -> Sequence[Artifact]:
    found = await session.exec(
        select(Artifact).where(
            Artifact.engagement_id == engagement.id, col(Artifact.kind).in_((UPLOAD, BUNDLE)), Artifact.name == name
        )
    )
    return found.all()


async def _remove(session: AsyncSession, engagement: Engagement, artifact: Artifact) -> None:
    """A file with its report and the questions nobody has answered; answers stay for the next file of that name.

    Of a bundle everything that came in it.
    """
    if artifact.kind == BUNDLE:
        for table in await tables_of(session, engagement, artifact.id):
            await _remove(session, engagement, table)
        await remove_documents(session, engagement.id, artifact.id)
    arguments: dict[str, Any] = {"engagement": engagement.id, "upload": str(artifact.id)}
    await session.execute(
        text(
            "DELETE FROM reports WHERE engagement_id = :engagement AND kind = 'upload'"
            " AND summary ->> 'upload_id' = :upload"
        ),
        arguments,
    )
    await session.execute(
        text(
            "DELETE FROM questions WHERE engagement_id = :engagement AND answered_at IS NULL"
            " AND starts_with(subject, :subject)"
        ),
        {"engagement": engagement.id, "subject": f"{MARK}{artifact.name}:"},
    )
    await _delete_file(session, artifact)


async def _delete_file(session: AsyncSession, artifact: Artifact) -> None:
    await session.execute(text("DELETE FROM artifact_chunks WHERE artifact_id = :id"), {"id": artifact.id})
    await session.delete(artifact)
    await session.flush()


async def _source_changed(session: AsyncSession, engagement: Engagement) -> None:
    """Other files are another source: what was proven of it is not proven any more."""
    found = await session.exec(
        select(Connection).where(Connection.engagement_id == engagement.id, Connection.role == "source")
    )
    connection = found.first()
    if connection is not None and connection.config.get("mode") == UPLOAD:
        connection.state, connection.tested_at, connection.problem = "untested", None, {}
        session.add(connection)
