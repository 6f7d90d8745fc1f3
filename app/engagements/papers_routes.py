"""Routes of an engagement's papers: inventories, owners, questions, checklist, reports and files."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Query, Response
from fastapi.responses import StreamingResponse

from app.dependencies import CallerDep, IdempotencyDep, IfMatchDep, PagingDep, RuntimeDep, SessionDep, require
from app.documents import engagement_key
from app.domain.matching.columns import schema_of
from app.domain.matching.documents import write_schema
from app.engagements import files, ownership, questions, reports
from app.engagements.checklist import read_checklist
from app.engagements.inventories import load_inventory
from app.engagements.papers import (
    AnswerIn,
    ChecklistView,
    FileView,
    InventoryView,
    OwnersPut,
    OwnersView,
    QuestionView,
    ReportSummary,
    ReportView,
    SchemaView,
)
from app.engagements.schemas import Role
from app.engagements.service import find_engagement
from app.engagements.views import show_file, show_opened, show_owners, show_question, show_report
from app.errors import EngagementPurged, Invalid, PreconditionMissing, Stale, StepMissing
from app.etags import require_match
from app.identifiers import EngagementId, FileId, QuestionId, ReportId, RunId
from app.paging import Page
from app.problems import responses
from app.routing import api_router

router = api_router("", "engagements")

_BYTES = {"schema": {"type": "string", "format": "binary"}}
KindQuery = Annotated[str | None, Query(max_length=50, description="Only this kind.")]


@router.get(
    "/engagements/{engagement_id}/inventories/{role}",
    operation_id="get_inventory",
    summary="Read what discovery found",
    dependencies=[require("engagements:read")],
    responses=responses(StepMissing, EngagementPurged),
)
async def get_inventory(
    engagement_id: EngagementId, role: Role, caller: CallerDep, runtime: RuntimeDep, session: SessionDep
) -> InventoryView:
    """Objects, fields, picklists, users, stages, counts and fill rates of one side."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id)
    return InventoryView(role=role, inventory=await load_inventory(runtime, session, engagement, role))


@router.get(
    "/engagements/{engagement_id}/inventories/{role}/schema",
    operation_id="get_inventory_schema",
    summary="Download what discovery found as a schema file",
    dependencies=[require("engagements:read")],
    responses=responses(StepMissing, EngagementPurged),
)
async def get_inventory_schema(
    engagement_id: EngagementId, role: Role, caller: CallerDep, runtime: RuntimeDep, session: SessionDep
) -> SchemaView:
    """Objects and fields in the form that `tranship propose --source` reads; names and types, no values."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id)
    found = await load_inventory(runtime, session, engagement, role)
    return SchemaView.model_validate(write_schema(schema_of(found)))


@router.get(
    "/engagements/{engagement_id}/owners",
    operation_id="get_owners",
    summary="Read the owner match",
    dependencies=[require("engagements:read")],
    responses=responses(StepMissing, EngagementPurged),
)
async def get_owners(
    engagement_id: EngagementId, caller: CallerDep, runtime: RuntimeDep, session: SessionDep, response: Response
) -> OwnersView:
    """Every source user with the destination user the e-mail suggests or a person chose, with an ETag."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id)
    found = await ownership.read_ownership(runtime, session, engagement)
    response.headers["ETag"] = found.tag
    return show_owners(found)


@router.put(
    "/engagements/{engagement_id}/owners",
    operation_id="put_owners",
    summary="Decide the owners",
    dependencies=[require("mappings:write")],
    responses=responses(Stale, PreconditionMissing, StepMissing, EngagementPurged, Invalid),
)
async def put_owners(
    engagement_id: EngagementId,
    body: OwnersPut,
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,
    response: Response,
    if_match: IfMatchDep = None,
) -> OwnersView:
    """Replaces what people decided; matches by e-mail hold for everybody who is not named."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id, lock=True)
    current = await ownership.read_ownership(runtime, session, engagement)
    require_match(if_match, current.tag)
    chosen = {one.source_user_id: one.destination_user_id for one in body.decisions if one.destination_user_id}
    replaced = await ownership.replace_ownership(
        runtime,
        session,
        engagement,
        chosen=chosen,
        to_fallback=[one.source_user_id for one in body.decisions if one.fallback],
        fallback_user_id=body.fallback_user_id,
        places={one.source_user_id: place for place, one in enumerate(body.decisions)},
        by=caller.key_id,
    )
    response.headers["ETag"] = replaced.tag
    return show_owners(replaced)


@router.get(
    "/engagements/{engagement_id}/questions",
    operation_id="list_questions",
    summary="List questions",
    dependencies=[require("engagements:read")],
)
async def list_questions(
    engagement_id: EngagementId,
    caller: CallerDep,
    session: SessionDep,
    paging: PagingDep,
    open: Annotated[bool, Query(description="Only those without an answer.")] = False,
) -> Page[QuestionView]:
    """What the machine will not guess."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id)
    return (await reports.list_questions(session, engagement, paging, open_only=open)).page(show_question)


@router.post(
    "/questions/{question_id}/answer",
    operation_id="answer_question",
    summary="Answer a question",
    dependencies=[require("mappings:write")],
    responses=responses(questions.QuestionAnswered, Invalid),
)
async def answer_question(
    question_id: QuestionId,
    body: AnswerIn,
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,
    _: IdempotencyDep,
) -> QuestionView:
    """Stores the answer and does what follows from it."""
    answered = await questions.answer_question(
        session, caller.tenant_id, question_id, body.answer, by=caller.key_id, at=runtime.now()
    )
    return show_question(answered)


@router.get(
    "/engagements/{engagement_id}/checklist",
    operation_id="get_checklist",
    summary="Read the checklist",
    dependencies=[require("engagements:read")],
)
async def get_checklist(
    engagement_id: EngagementId, caller: CallerDep, runtime: RuntimeDep, session: SessionDep
) -> ChecklistView:
    """What only a person can do at the destination. Open items are looked at again by the next provisioning run, or
    by the waiting one when it is resumed (POST /v1/runs/{id}/resume); nothing is written meanwhile."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id)
    items = await read_checklist(runtime, session, engagement)
    return ChecklistView(open=sum(1 for item in items if item.state == "open"), items=items)


@router.get(
    "/engagements/{engagement_id}/reports",
    operation_id="list_reports",
    summary="List reports",
    dependencies=[require("engagements:read")],
)
async def list_reports(
    engagement_id: EngagementId,
    caller: CallerDep,
    session: SessionDep,
    paging: PagingDep,
    kind: KindQuery = None,
    run_id: Annotated[RunId | None, Query(description="Only those of this run.")] = None,
) -> Page[ReportSummary]:
    """Counts of every report, the newest first."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id)
    return (await reports.list_reports(session, engagement, paging, kind=kind, run_id=run_id)).page(show_report)


@router.get(
    "/reports/{report_id}",
    operation_id="get_report",
    summary="Read a report",
    dependencies=[require("engagements:read")],
    responses=responses(EngagementPurged),
)
async def get_report(report_id: ReportId, caller: CallerDep, runtime: RuntimeDep, session: SessionDep) -> ReportView:
    """The whole report, its sealed body opened."""
    report, body = await reports.open_report(runtime, session, caller.tenant_id, report_id)
    return show_opened(report, body)


@router.get(
    "/engagements/{engagement_id}/files",
    operation_id="list_files",
    summary="List files",
    dependencies=[require("files:read")],
)
async def list_files(
    engagement_id: EngagementId, caller: CallerDep, session: SessionDep, paging: PagingDep, kind: KindQuery = None
) -> Page[FileView]:
    """Exports of what does not move, reports and oversized attachments."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id)
    return (await reports.list_files(session, engagement, paging, kind=kind)).page(show_file)


@router.get(
    "/files/{file_id}/content",
    operation_id="download_file",
    summary="Download a file",
    dependencies=[require("files:read")],
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file's bytes.",
            # of the type it was made with, or uploaded as
            "content": dict.fromkeys(("application/octet-stream", "*/*"), _BYTES),
        },
        **responses(EngagementPurged),
    },
)
async def download_file(
    file_id: FileId, caller: CallerDep, runtime: RuntimeDep, session: SessionDep
) -> StreamingResponse:
    """Streams the file as an attachment; a browser never shows it in place."""
    artifact = await files.find_file(session, caller.tenant_id, file_id)
    engagement = await find_engagement(session, caller.tenant_id, artifact.engagement_id)
    key = engagement_key(runtime, engagement)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(artifact.name, safe='')}",
        "Content-Length": str(artifact.size),
    }
    body = files.read_file(runtime, caller.tenant_id, key, artifact.id)
    return StreamingResponse(body, media_type=artifact.content_type, headers=headers)
