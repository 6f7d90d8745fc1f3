"""Routes of uploaded export files: send one, see what was found in it, take it away."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect

from app.dependencies import CallerDep, IdempotencyHeader, PagingDep, RuntimeDep, SessionDep, require
from app.documents import engagement_key
from app.engagements import upload_kinds, upload_reading, uploads
from app.engagements.service import find_engagement
from app.errors import (
    AnotherRunActive,
    BadRequest,
    EngagementPurged,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    RequestInFlight,
)
from app.idempotency import begin, keep_answer, request_hash
from app.identifiers import EngagementId, UploadId
from app.paging import Page
from app.problems import responses
from app.routing import api_router
from connectors.file_formats import ENDINGS

router = api_router("/engagements", "engagements")

UPLOAD_SECONDS = 4 * 3600  # for a file of the largest size over a slow line
_BYTES = {"schema": {"type": "string", "format": "binary", "minLength": 1}}
_ENDINGS = "|".join("".join(f"[{sign}{sign.upper()}]" for sign in ending[1:]) for ending in ENDINGS)
_NAME = rf'^[^./\\:*?"<>|\x00-\x1f][^/\\:*?"<>|\x00-\x1f]*\.({_ENDINGS})$'
NameQuery = Annotated[
    str,
    Query(
        min_length=1,
        max_length=200,
        description="The file's name: {Object}.csv, by the object's API name or label. Also .tsv, .xlsx, .json, .zip.",
        examples=["Account.csv"],
        json_schema_extra={"pattern": _NAME},  # judged in app.engagements.uploads
    ),
]


class FindingView(BaseModel):
    """Something noticed: `encoding-assumed-cp1252`, `headings-doubled`, `nul-removed`, `precision-lost` and such."""

    code: str = Field(examples=["headings-doubled"])
    count: int
    column: str = Field(description="Empty when it is about the whole file.")


class ColumnView(BaseModel):
    """A column: `label` as it stands in the file, `kind` as all its rows vote."""

    name: str
    label: str
    kind: str = Field(examples=["date"])
    filled: int
    date_order: str | None = Field(description="year-first | day-first | month-first | ambiguous | contradictory")
    decimal_mark: str | None = Field(description="none | point | comma | ambiguous | contradictory")


class RejectView(BaseModel):
    """A row that was left out, as it stands in the file; `cut` says that `text` is not all of it."""

    line: int
    cells: int
    code: str = Field(examples=["too-many-cells"])
    text: str
    cut: bool


class UploadSummary(BaseModel):
    """A file with how it is written and what was left out.

    A workbook, JSON or archive is a file without a table of its own (`encoding` and `delimiter` are empty); each table
    that came in it is an upload too and names it in `bundle`.
    """

    object: Literal["upload"] = "upload"
    id: UploadId
    engagement_id: EngagementId
    name: str
    content_type: str
    format: str = Field(description="What it came in: text | xlsx | json | ndjson | zip.", examples=["text"])
    table: str = Field(description="What the table is called: the file's stem, the sheet, the JSON list.")
    bundle: str = Field(description="The uploaded file that the table came in; empty for one by itself.")
    parent: str = Field(description="The table in whose records this one is nested; empty for most.")
    path: str = Field(description="The nested list's path in the parent's records.")
    size: int
    sha256: str
    encoding: str = Field(examples=["utf-8"])
    delimiter: str = Field(examples=[";"])
    first_data_line: int
    rows: int
    rejected: dict[str, int] = Field(examples=[{"too-many-cells": 2}])
    findings: list[FindingView]
    questions: int = Field(description="Questions that this file raises; they stand among the engagement's questions.")
    created_at: datetime


class UploadView(UploadSummary):
    """The same with columns and, up to a thousand, the rows that were left out; of a bundle its tables."""

    tables: list[UploadSummary] = Field(description="Tables that came in this file, each an upload of its own.")
    documents: int = Field(description="Files that came beside the tables of an archive.")
    document_bytes: int
    columns: list[ColumnView]
    rejects: list[RejectView]


def _summary(upload: upload_reading.Upload) -> dict[str, Any]:
    profile, dialect = upload.profile, upload.profile.dialect
    known = upload.artifact.model_dump(
        include={"id", "engagement_id", "name", "content_type", "size", "sha256", "created_at"}
    )
    return {
        **known,
        "format": dialect.source,
        "table": profile.stem or ("" if upload.is_bundle else upload.artifact.name.rpartition(".")[0]),
        "bundle": profile.bundle,
        "parent": profile.parent,
        "path": profile.path,
        "encoding": dialect.encoding.removesuffix("-sig"),
        "delimiter": dialect.delimiter,
        "first_data_line": dialect.data_line,
        "rows": profile.rows,
        "rejected": profile.rejected,
        "findings": [FindingView(**finding.model_dump()) for finding in profile.findings],
        "questions": sum(len(one.profile.questions()) for one in (upload, *upload.tables)),
    }


def _view(upload: upload_reading.Upload) -> UploadView:
    columns = [
        ColumnView(
            name=column.name,
            label=column.label,
            kind=column.kind,
            filled=column.filled,
            date_order=column.order,
            decimal_mark=column.mark,
        )
        for column in upload.profile.columns
    ]
    rejects = [RejectView(**reject.model_dump()) for reject in upload.profile.rejects]
    return UploadView(
        **_summary(upload),
        tables=[UploadSummary(**_summary(table)) for table in upload.tables],
        documents=upload.documents,
        document_bytes=upload.document_bytes,
        columns=columns,
        rejects=rejects,
    )


@router.post(
    "/{engagement_id}/uploads",
    operation_id="upload_file",
    summary="Upload an export file",
    status_code=201,
    response_model=UploadView,
    dependencies=[require("engagements:write")],
    max_body_size=uploads.MAX_UPLOAD_BYTES,
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The file's bytes as they are.",
            "content": {**dict.fromkeys(upload_kinds.SHOWN_TYPES, _BYTES), "application/json": {"schema": {}}},
        }
    },
    responses=responses(
        AnotherRunActive,
        EngagementPurged,
        RequestInFlight,
        uploads.FileTooLarge,
        upload_kinds.FileKindUnknown,
        upload_kinds.FileUnreadable,
        uploads.TooManyFiles,
        IdempotencyKeyReused,
    ),
)
async def upload_file(
    engagement_id: EngagementId,
    name: NameQuery,
    request: Request,
    caller: CallerDep,
    runtime: RuntimeDep,
    key: IdempotencyHeader = None,
) -> Response:
    """Stores one file of an export, sealed, and says what was found in it. A file of the same name is replaced.

    Delimited text is one table. Sheets of a workbook and lists of JSON (nested ones too) become tables of their own;
    of a ZIP archive the CSV, XLSX and JSON files do, and all else, or what lies in a folder such as `documents`, is
    kept as a document. A file that is damaged, encrypted or hostile is refused whole.

    The source connection says `"mode": "upload"` in its config then and needs no credentials; its test names the
    files that are missing.
    """
    if key is None:
        raise IdempotencyKeyMissing("Send an Idempotency-Key header, new for each file.")
    request.state.deadline.reschedule(asyncio.get_running_loop().time() + UPLOAD_SECONDS)
    kind = upload_kinds.check_file(name, request.headers.get("content-type", ""))
    tenant_id = caller.tenant_id
    try:
        received = await uploads.receive(runtime, tenant_id, engagement_id, name, kind, request.stream())
    except ClientDisconnect:
        raise BadRequest("The connection ended before the file was whole; send it again.") from None
    route = f"{request.method} {request.url.path}"
    content = request_hash(route, request.url.query, received.sha256.encode())
    try:
        async with runtime.db.transaction(tenant_id) as session:
            pending = await begin(runtime, session, tenant_id, route, key, content)
            engagement = await find_engagement(session, tenant_id, engagement_id, lock=True)
            view = _view(await uploads.keep(runtime, session, engagement, received))
            answer = Response(view.model_dump_json(), status_code=201, media_type="application/json")
            answer.headers["Location"] = f"{request.url.path}/{view.model_dump()['id']}"
            await keep_answer(pending, answer.status_code, dict(answer.headers), bytes(answer.body))
    except BaseException:  # an earlier answer is given again in the same way
        await uploads.drop(runtime, tenant_id, received.id, received.bundle)
        raise
    return answer


@router.get(
    "/{engagement_id}/uploads",
    operation_id="list_uploads",
    summary="List uploaded files",
    dependencies=[require("engagements:read")],
    responses=responses(EngagementPurged),
)
async def list_uploads(
    engagement_id: EngagementId, caller: CallerDep, runtime: RuntimeDep, session: SessionDep, paging: PagingDep
) -> Page[UploadSummary]:
    """The newest first, with dialect, findings and counts of rows left out."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id)
    rows = await upload_reading.list_uploads(runtime, session, engagement, paging)
    return rows.page(lambda upload: UploadSummary(**_summary(upload)))


@router.get(
    "/{engagement_id}/uploads/{upload_id}",
    operation_id="get_upload",
    summary="See an uploaded file",
    dependencies=[require("engagements:read")],
    responses=responses(EngagementPurged),
)
async def get_upload(
    engagement_id: EngagementId, upload_id: UploadId, caller: CallerDep, runtime: RuntimeDep, session: SessionDep
) -> UploadView:
    """Columns with their votes, and the rows that were left out with line, code and their own text."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id)
    return _view(await upload_reading.find_upload(runtime, session, engagement, upload_id))


@router.get(
    "/{engagement_id}/uploads/{upload_id}/rejects",
    operation_id="list_upload_rejects",
    summary="Get the rows that were left out",
    response_class=StreamingResponse,
    dependencies=[require("engagements:read")],
    responses={200: {"content": {"text/csv": {}}, "description": "CSV"}, **responses(EngagementPurged)},
)
async def list_upload_rejects(
    engagement_id: EngagementId, upload_id: UploadId, caller: CallerDep, runtime: RuntimeDep
) -> StreamingResponse:
    """All of them as CSV, with file, line, column, code and the original row, safe to open in a spreadsheet."""
    async with runtime.db.transaction(caller.tenant_id) as session:  # closed before the body is sent
        engagement = await find_engagement(session, caller.tenant_id, engagement_id)
        upload = await upload_reading.find_upload(runtime, session, engagement, upload_id)
        key = engagement_key(runtime, engagement)
    return _csv(upload_reading.rejects_csv(runtime, key, upload), "rejects.csv")


@router.get(
    "/{engagement_id}/uploads/{upload_id}/documents",
    operation_id="list_upload_documents",
    summary="List the documents of an archive",
    response_class=StreamingResponse,
    dependencies=[require("engagements:read")],
    responses={200: {"content": {"text/csv": {}}, "description": "CSV"}, **responses(EngagementPurged)},
)
async def list_upload_documents(
    engagement_id: EngagementId, upload_id: UploadId, caller: CallerDep, runtime: RuntimeDep
) -> StreamingResponse:
    """Path, size and SHA-256 of each as CSV; only headings for what is no archive."""
    async with runtime.db.transaction(caller.tenant_id) as session:
        engagement = await find_engagement(session, caller.tenant_id, engagement_id)
        upload = await upload_reading.find_upload(runtime, session, engagement, upload_id)
        body = await upload_reading.documents_csv(runtime, session, engagement, upload)
    return _csv(body, "documents.csv")


def _csv(body: AsyncIterator[bytes], name: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(body, media_type="text/csv; charset=utf-8", headers=headers)


@router.delete(
    "/{engagement_id}/uploads/{upload_id}",
    operation_id="delete_upload",
    summary="Take an uploaded file away",
    status_code=204,
    dependencies=[require("engagements:write")],
    responses=responses(AnotherRunActive, EngagementPurged),
)
async def delete_upload(
    engagement_id: EngagementId, upload_id: UploadId, caller: CallerDep, runtime: RuntimeDep, session: SessionDep
) -> None:
    """With its findings and the questions that nobody has answered. What was read from it stays staged."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id, lock=True)
    await uploads.delete_upload(runtime, session, engagement, upload_id)
