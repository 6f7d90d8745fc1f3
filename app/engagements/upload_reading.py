"""Uploaded files as they are shown: profiles, answers, and lists of what was left out and of documents, as CSV."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.documents import engagement_key, unseal_document
from app.domain.cells import guarded
from app.engagements.bundles import BUNDLE, INDEX
from app.engagements.files import read_file
from app.errors import NotFound
from app.models.engagement import Engagement, Question
from app.models.file import Artifact
from app.models.mapping import Report
from app.paging import Paging, Rows, fetch_page
from app.runtime import Runtime
from app.security import DataKey
from connectors.table_files import TableProfile
from connectors.table_rows import open_reader
from connectors.table_shape import Unreadable
from connectors.tabular import Reject

UPLOAD = "upload"
MARK = "upload:"
"""What the subjects of questions about uploads begin with."""
_REJECTS = 1_000_000
_CSV_HEAD = b"\xef\xbb\xbf"  # so that Excel reads names right


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file with what was found in it; of a bundle also its tables and how many documents it has."""

    artifact: Artifact
    profile: TableProfile
    tables: tuple["Upload", ...] = ()
    documents: int = 0
    document_bytes: int = 0

    @property
    def is_bundle(self) -> bool:
        """Whether the file was taken apart into tables."""
        return self.artifact.kind == BUNDLE


async def list_uploads(runtime: Runtime, session: AsyncSession, engagement: Engagement, paging: Paging) -> Rows[Upload]:
    """The engagement's files with their profiles, the newest first. Raises EngagementPurged."""
    kinds = col(Artifact.kind).in_((UPLOAD, BUNDLE))
    statement = select(Artifact).where(Artifact.engagement_id == engagement.id, kinds)
    keys = (col(Artifact.created_at), col(Artifact.id))
    rows = await fetch_page(session, statement, keys, paging, name=f"uploads:{engagement.id}")
    profiles = await load_profiles(runtime, session, engagement)
    return Rows([Upload(row, profiles[row.id]) for row in rows.rows if row.id in profiles], rows.next_cursor)


async def find_upload(runtime: Runtime, session: AsyncSession, engagement: Engagement, upload_id: UUID) -> Upload:
    """One file. Raises NotFound, EngagementPurged."""
    artifact = await session.get(Artifact, upload_id)
    if artifact is None or artifact.engagement_id != engagement.id or artifact.kind not in (UPLOAD, BUNDLE):
        raise NotFound("There is no such upload.")
    profiles = await load_profiles(runtime, session, engagement)
    if artifact.kind == UPLOAD:
        return Upload(artifact, profiles[upload_id])
    summary = await _summary(session, engagement, upload_id)
    tables = [Upload(one, profiles[one.id]) for one in await tables_of(session, engagement, upload_id)]
    figures = (int(summary["documents"]), int(summary["document_bytes"]))
    return Upload(artifact, profiles[upload_id], tuple(tables), *figures)


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
            col(Question.subject).startswith(MARK),
            col(Question.answered_at).is_not(None),
        )
    )
    answers: dict[str, dict[tuple[str, str], str]] = {}
    for one in found.all():
        choice = (one.answer or {}).get("choice", "")
        answers.setdefault(str(one.detail["file"]), {})[str(one.detail["column"]), one.code] = str(choice)
    return answers


async def _summary(session: AsyncSession, engagement: Engagement, upload_id: UUID) -> dict[str, Any]:
    found = await session.exec(select(Report).where(Report.engagement_id == engagement.id, Report.kind == UPLOAD))
    return next(one.summary for one in found.all() if one.summary["upload_id"] == str(upload_id))


async def tables_of(session: AsyncSession, engagement: Engagement, bundle_id: UUID) -> Sequence[Artifact]:
    """A bundle's tables by name."""
    found = await session.exec(select(Report).where(Report.engagement_id == engagement.id, Report.kind == UPLOAD))
    ids = [UUID(one.summary["upload_id"]) for one in found.all() if one.summary.get("bundle_id") == str(bundle_id)]
    tables = await session.exec(select(Artifact).where(col(Artifact.id).in_(ids)))
    return sorted(tables.all(), key=lambda one: one.name)


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(map(guarded, row) for row in rows)
    return out.getvalue().encode("utf-8", "replace")


async def rejects_csv(runtime: Runtime, key: DataKey, upload: Upload) -> AsyncIterator[bytes]:
    """Every row that was left out, of a bundle those of all its tables, as CSV: file, line, column, code, row.

    `row` is the original text. The tables are read again, so that the list is whole however long it is. Cells that a
    spreadsheet would run begin with an apostrophe. Raises SealBroken.
    """
    yield _CSV_HEAD + _lines([("file", "line", "column", "code", "row")])
    for one in upload.tables or (upload,):
        if not one.profile.rejected:
            continue
        reader = open_reader(one.profile.dialect, _REJECTS)
        try:
            async for chunk in read_file(runtime, one.artifact.tenant_id, key, one.artifact.id):
                await asyncio.to_thread(reader.feed, chunk)
                yield _lines([_reject_row(one, reject) for reject in reader.take_rejects()])
            await asyncio.to_thread(reader.finish)
        except Unreadable as problem:  # what was read at the upload can only be other bytes now
            raise NotFound(f"{one.artifact.name} cannot be read any more: {problem.detail}.") from None
        yield _lines([_reject_row(one, reject) for reject in reader.take_rejects()])


def _reject_row(upload: Upload, reject: Reject) -> tuple[str, ...]:
    columns, column = upload.profile.dialect.columns, ""
    if reject.code == "too-few-cells":
        column = columns[reject.cells]
    elif reject.code == "too-many-cells":
        column = f"{len(columns) + 1}"
    row = reject.text.rstrip("\r\n") + (" …" if reject.cut else "")
    return upload.artifact.name, str(reject.line), column, reject.code, row


async def documents_csv(
    runtime: Runtime, session: AsyncSession, engagement: Engagement, upload: Upload
) -> AsyncIterator[bytes]:
    """The documents of an archive as CSV: path, size, sha256. Raises EngagementPurged, SealBroken."""
    key = engagement_key(runtime, engagement)
    found = await session.exec(
        select(Artifact.id).where(
            Artifact.engagement_id == engagement.id, Artifact.kind == INDEX, Artifact.name == str(upload.artifact.id)
        )
    )
    index = found.first()
    return _documents(runtime, engagement.tenant_id, key, index)


async def _documents(runtime: Runtime, tenant_id: UUID, key: DataKey, index: UUID | None) -> AsyncIterator[bytes]:
    yield _CSV_HEAD + _lines([("path", "size", "sha256")])
    if index is not None:
        async for known in read_index(runtime, tenant_id, key, index):
            yield _lines([(known["path"], str(known["size"]), known["sha256"])])


async def read_index(runtime: Runtime, tenant_id: UUID, key: DataKey, index_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """The documents of a bundle: path, size, sha256 and id. Raises SealBroken."""
    held = b""
    async for chunk in read_file(runtime, tenant_id, key, index_id):
        *lines, held = (held + chunk).split(b"\n")
        for line in lines:
            yield orjson.loads(line)
