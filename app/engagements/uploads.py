"""Export files that people upload in place of an API connection: received in a stream, sealed, surveyed, replaced.

A file is kept as chunks under the engagement's key; what was found in it is a sealed report of kind `upload`.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.documents import engagement_key, seal_document, unseal_document
from app.engagements.files import CHUNK, chunk_place, read_file
from app.engagements.questions import ask
from app.engagements.service import find_engagement
from app.errors import AnotherRunActive, AppError, BodyTooLarge, Invalid, NotFound, WrongMediaType
from app.models.columns import new_id
from app.models.engagement import Connection, Engagement, Question
from app.models.file import Artifact
from app.models.mapping import Report
from app.models.run import Run
from app.paging import Paging, Rows, fetch_page
from app.runtime import Runtime
from app.security import DataKey
from connectors.base import ConnectorError
from connectors.table_files import TableProfile, TableSurvey
from connectors.tabular import Probe, Unreadable

UPLOAD = "upload"
MAX_UPLOAD_BYTES = 4 * 1024**3
MAX_FILES = 200
_PART = "upload-part"
_PART_LIFE = timedelta(days=1)
_MARK = "upload:"
_TYPES = frozenset(
    {
        "text/csv", "text/tab-separated-values", "text/plain", "application/csv", "application/vnd.ms-excel",
        "application/octet-stream", "binary/octet-stream",
    }
)  # fmt: skip
_ENDINGS = (".csv", ".tsv", ".txt")


class FileKindUnknown(WrongMediaType):
    title = "This kind of file cannot be read"


class FileUnreadable(Invalid):
    title = "The file cannot be read as a table"


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


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file with what was found in it."""

    artifact: Artifact
    profile: TableProfile


def check_file(name: str, content_type: str) -> str:
    """The file's media type. Raises Invalid for a name that is a path, FileKindUnknown for what is no table."""
    if not 0 < len(name) <= 200 or name.startswith(".") or any(one in '/\\:*?"<>|' or ord(one) < 32 for one in name):
        detail = "Give the file's own name without a folder, for example Account.csv."
        raise Invalid(detail, errors=[{"pointer": "/query/name", "code": "not-a-file-name", "detail": detail}])
    kind = content_type.partition(";")[0].strip().lower() or "application/octet-stream"
    if not name.lower().endswith(_ENDINGS):
        raise FileKindUnknown("Upload CSV or TSV files (.csv, .tsv, .txt); export workbooks and archives as CSV first.")
    if kind not in _TYPES:
        raise FileKindUnknown(f"Send the file's bytes as text/csv or application/octet-stream, not as {kind[:100]}.")
    return kind


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
    try:
        probe = Probe()
        size, digest = await _store(runtime, part, key, stream, probe)
        profile = await _survey(runtime, part, key, probe)
    except Unreadable as problem:
        await drop(runtime, tenant_id, part.id)
        raise _unreadable(name, problem) from None
    except BaseException:
        await drop(runtime, tenant_id, part.id)
        raise
    return Received(part.id, name, kind, size, digest, profile)


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
    artifact.kind, artifact.size, artifact.sha256 = UPLOAD, received.size, received.sha256
    session.add(artifact)
    report_id, profile = new_id(), received.profile
    body = seal_document(engagement_key(runtime, engagement), report_id, profile.model_dump(mode="json"))
    summary = {"upload_id": str(artifact.id), "rows": profile.rows, "rejected": profile.rejected}
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
        detail = {"text": f"{received.name}: {question.text}", "file": received.name, "column": question.column}
        await ask(
            session,
            engagement,
            subject=f"{_MARK}{received.name}:{question.column}:{question.code}",
            code=question.code,
            detail=detail,
            options={"choices": list(question.choices)},
            at=runtime.now(),
        )
    await _source_changed(session, engagement)
    await session.flush()
    return Upload(artifact, profile)


async def drop(runtime: Runtime, tenant_id: UUID, artifact_id: UUID) -> None:
    """Removes a received file that is not to count."""
    async with runtime.db.connection(tenant_id) as connection:
        await connection.execute("DELETE FROM artifact_chunks WHERE artifact_id = $1", artifact_id)
        await connection.execute("DELETE FROM artifacts WHERE id = $1 AND kind = $2", artifact_id, _PART)


async def list_uploads(runtime: Runtime, session: AsyncSession, engagement: Engagement, paging: Paging) -> Rows[Upload]:
    """The engagement's files with their profiles, the newest first. Raises EngagementPurged."""
    statement = select(Artifact).where(Artifact.engagement_id == engagement.id, Artifact.kind == UPLOAD)
    keys = (col(Artifact.created_at), col(Artifact.id))
    rows = await fetch_page(session, statement, keys, paging, name=f"uploads:{engagement.id}")
    profiles = await load_profiles(runtime, session, engagement)
    return Rows([Upload(row, profiles[row.id]) for row in rows.rows if row.id in profiles], rows.next_cursor)


async def find_upload(runtime: Runtime, session: AsyncSession, engagement: Engagement, upload_id: UUID) -> Upload:
    """One file. Raises NotFound, EngagementPurged."""
    artifact = await session.get(Artifact, upload_id)
    if artifact is None or artifact.engagement_id != engagement.id or artifact.kind != UPLOAD:
        raise NotFound("There is no such upload.")
    return Upload(artifact, (await load_profiles(runtime, session, engagement))[upload_id])


async def delete_upload(runtime: Runtime, session: AsyncSession, engagement: Engagement, upload_id: UUID) -> None:
    """Removes a file and its open questions. Raises NotFound, AnotherRunActive."""
    await _check_idle(session, engagement)
    upload = await find_upload(runtime, session, engagement, upload_id)
    await _remove(session, engagement, upload.artifact)
    await _source_changed(session, engagement)
    await session.flush()


async def load_profiles(runtime: Runtime, session: AsyncSession, engagement: Engagement) -> dict[UUID, TableProfile]:
    """What was found in each file, by its id. Raises EngagementPurged."""
    key = engagement_key(runtime, engagement)
    found = await session.exec(select(Report).where(Report.engagement_id == engagement.id, Report.kind == UPLOAD))
    return {
        UUID(report.summary["upload_id"]): TableProfile.model_validate(unseal_document(key, report.id, report.body))
        for report in found.all()
    }


async def load_answers(session: AsyncSession, engagement_id: UUID) -> dict[str, dict[tuple[str, str], str]]:
    """What people said about files: by file, then by column and code."""
    found = await session.exec(
        select(Question).where(
            Question.engagement_id == engagement_id,
            col(Question.subject).startswith(_MARK),
            col(Question.answered_at).is_not(None),
        )
    )
    answers: dict[str, dict[tuple[str, str], str]] = {}
    for one in found.all():
        choice = (one.answer or {}).get("choice", "")
        answers.setdefault(str(one.detail["file"]), {})[str(one.detail["column"]), one.code] = str(choice)
    return answers


async def _store(
    runtime: Runtime, part: Artifact, key: DataKey, stream: AsyncIterator[bytes], probe: Probe
) -> tuple[int, str]:
    digest, size, number = sha256(), 0, 0
    async for piece in _pieces(stream):
        size += len(piece)
        if size > MAX_UPLOAD_BYTES:
            raise FileTooLarge(f"A file may have {MAX_UPLOAD_BYTES // 1024**2} MiB; split it, or leave columns out.")
        await asyncio.to_thread(probe.feed, piece)
        digest.update(piece)
        sealed = key.seal(piece, chunk_place(part.id, number))
        async with runtime.db.connection(part.tenant_id) as connection:
            await connection.execute(
                "INSERT INTO artifact_chunks (artifact_id, number, tenant_id, body) VALUES ($1, $2, $3, $4)",
                *(part.id, number, part.tenant_id, sealed),
            )
        number += 1
    return size, digest.hexdigest()


async def _pieces(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    held = bytearray()
    async for chunk in stream:
        held += chunk
        while len(held) >= CHUNK:
            yield bytes(held[:CHUNK])
            del held[:CHUNK]
    if held:
        yield bytes(held)


async def _survey(runtime: Runtime, part: Artifact, key: DataKey, probe: Probe) -> TableProfile:
    """The second look, at what was stored: now that the encoding of the whole file is known."""
    survey = TableSurvey(await asyncio.to_thread(probe.finish))
    async for piece in read_file(runtime, part.tenant_id, key, part.id):
        await asyncio.to_thread(survey.feed, piece)
    return await asyncio.to_thread(survey.finish)


def _unreadable(name: str, problem: Unreadable) -> FileUnreadable | FileKindUnknown:
    place = f", line {problem.line}" if problem.line else ""
    detail = f"{name}{place}: {problem.detail}. Nothing was stored; the engagement is as it was."
    pointer = [{"pointer": "/body", "code": problem.code, "detail": detail}]
    if problem.code in ("format-not-supported", "binary"):
        return FileKindUnknown(detail, errors=pointer)
    return FileUnreadable(detail, errors=pointer, line=problem.line or None)


async def _check_room(runtime: Runtime, session: AsyncSession, engagement: Engagement, name: str) -> None:
    """Also clears away what uploads left that were cut off long ago."""
    found = await session.exec(
        select(Artifact).where(Artifact.engagement_id == engagement.id, col(Artifact.kind).in_((UPLOAD, _PART)))
    )
    rows = found.all()
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
        select(Artifact).where(Artifact.engagement_id == engagement.id, Artifact.kind == UPLOAD, Artifact.name == name)
    )
    return found.all()


async def _remove(session: AsyncSession, engagement: Engagement, artifact: Artifact) -> None:
    """A file with its report and the questions nobody has answered; answers stay for the next file of that name."""
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
        {"engagement": engagement.id, "subject": f"{_MARK}{artifact.name}:"},
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
