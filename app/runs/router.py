"""Routes of runs: start, watch, steer, and read what became of every record."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Header, Query, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.audit_export import ANSWERS, Format, exported
from app.dependencies import EXPAND, CallerDep, IdempotencyDep, PagingDep, RuntimeDep, SessionDep, require
from app.engagements.facts import gather
from app.engagements.gates import gates
from app.engagements.run_kinds import Kind
from app.engagements.service import find_engagement
from app.errors import (
    AgreementNotConfirmed,
    AnotherRunActive,
    EngagementPurged,
    MappingNotConfirmed,
    OwnersUnresolved,
    PlanImpossible,
    ProvisioningIncomplete,
    RunNotSuitable,
    SampleNotApproved,
    StepMissing,
    TooMany,
)
from app.identifiers import EngagementId, RunId
from app.paging import Page
from app.problems import responses
from app.routing import api_router
from app.runs import plans, service
from app.runs.audit import export_audit
from app.runs.audit_proof import prove
from app.runs.failures import list_failures
from app.runs.following import follow_run
from app.runs.records import list_findings, list_records
from app.runs.schemas import (
    AuditProofView,
    FailureView,
    FindingView,
    PlanView,
    RecordView,
    RunCreate,
    RunPart,
    RunSummary,
    RunView,
    Where,
)
from app.runs.views import expand_run, show_findings, show_proof, show_record, show_run, show_summaries

router = api_router("", "runs")

_POLL = "1"
MAX_STREAMS = 50
_streams: Counter[UUID] = Counter()
Filter = Annotated[str | None, Query(max_length=200)]
Outcome = Literal["created", "updated", "unchanged", "skipped", "quarantined", "held"]


@router.post(
    "/engagements/{engagement_id}/runs",
    operation_id="create_run",
    summary="Start a run",
    status_code=202,
    dependencies=[require("runs:write")],
    responses=responses(
        StepMissing,
        MappingNotConfirmed,
        OwnersUnresolved,
        ProvisioningIncomplete,
        AgreementNotConfirmed,
        SampleNotApproved,
        AnotherRunActive,
        EngagementPurged,
    ),
)
async def create_run(
    engagement_id: EngagementId,
    body: RunCreate,
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,
    response: Response,
    _: IdempotencyDep,
) -> RunView:
    """Accepted work: poll `Location`, or follow its events. A closed gate answers 409 with reason and remedy."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id, lock=True)
    run = await service.create_run(
        runtime,
        session,
        engagement,
        body.kind,
        destination=body.destination,
        options=body.options.model_dump(exclude_none=True),
        by=caller.key_id,
    )
    view = await show_run(runtime, session, run)
    response.headers["Location"] = f"/v1/runs/{view.model_dump()['id']}"
    response.headers["Retry-After"] = _POLL
    return view


@router.get(
    "/engagements/{engagement_id}/runs",
    operation_id="list_runs",
    summary="List runs",
    dependencies=[require("runs:read")],
)
async def list_runs(
    engagement_id: EngagementId,
    caller: CallerDep,
    session: SessionDep,
    paging: PagingDep,
    kind: Annotated[Kind | None, Query()] = None,
    state: Filter = None,
) -> Page[RunSummary]:
    """The engagement's runs, the newest first."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id)
    rows = await service.list_runs(session, engagement, paging, kind=kind, state=state)
    shown = await show_summaries(session, rows.rows)
    return rows.page(lambda run: shown[run.id])


@router.get(
    "/engagements/{engagement_id}/plan",
    operation_id="preview_plan",
    summary="See what a run would do and cost",
    dependencies=[require("runs:read")],
    responses=responses(StepMissing, PlanImpossible, EngagementPurged),
)
async def preview_plan(
    engagement_id: EngagementId,
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,
    kind: Annotated[Kind, Query()] = "full",
    destination: Annotated[Where, Query()] = "production",
) -> PlanView:
    """A dry run: stages in order, calls, credits and time, and what would keep the run from starting now."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id)
    plan = await plans.preview(runtime, session, engagement, kind, {})
    closed = gates(kind, await gather(runtime, session, engagement), destination)
    return PlanView(**plan, obstacles=[error.detail for error in closed])


@router.get(
    "/runs/{run_id}", operation_id="get_run", summary="See how a run is doing", dependencies=[require("runs:read")]
)
async def get_run(
    run_id: RunId,
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,
    response: Response,
    expand: Annotated[list[RunPart], EXPAND] = [],  # noqa: B006  the framework copies it
) -> RunView:
    """State, progress per stage, counts, calls against the forecast, and what to do when it stands still."""
    run = await service.find_run(session, caller.tenant_id, run_id)
    if run.finished_at is None:
        response.headers["Retry-After"] = _POLL
    if expand:
        caller.require("engagements:read")  # what is sent along is asked for as if it were read alone
    return await expand_run(session, run, await show_run(runtime, session, run), expand)


@router.get(
    "/runs/{run_id}/records",
    operation_id="list_run_records",
    summary="List what became of each record",
    dependencies=[require("runs:read")],
)
async def list_run_records(
    run_id: RunId,
    caller: CallerDep,
    session: SessionDep,
    paging: PagingDep,
    outcome: Annotated[Outcome | None, Query()] = None,
    source_object: Filter = None,
    reason: Filter = None,
) -> Page[RecordView]:
    """Planned writes with their one outcome. A record that a later run wrote again is listed there."""
    run = await service.find_run(session, caller.tenant_id, run_id)
    rows = await list_records(session, run, paging, outcome=outcome, source_object=source_object, reason=reason)
    return rows.page(show_record)


@router.get(
    "/runs/{run_id}/failures",
    operation_id="list_run_failures",
    summary="List failures by cause",
    dependencies=[require("runs:read")],
)
async def list_run_failures(
    run_id: RunId, caller: CallerDep, session: SessionDep, paging: PagingDep
) -> Page[FailureView]:
    """What did not arrive, grouped: mend the rule or value, then start a run of kind `replay` with the `cause`."""
    run = await service.find_run(session, caller.tenant_id, run_id)
    rows = await list_failures(session, run, paging)
    return rows.page(lambda failure: failure)


@router.get(
    "/runs/{run_id}/conflicts",
    operation_id="list_run_conflicts",
    summary="List what a delta left as people have it",
    dependencies=[require("engagements:read")],
    responses=responses(EngagementPurged),
)
async def list_run_conflicts(
    run_id: RunId,
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,
    paging: PagingDep,
    state: Annotated[Literal["open", "source", "kept", "done"] | None, Query()] = None,
) -> Page[FindingView]:
    """Fields changed at the destination since we wrote them: `kept` where only people changed them, `open` where the
    source did too. Answer the question of that field; the next delta carries it out."""
    run = await service.find_run(session, caller.tenant_id, run_id)
    rows = await list_findings(session, run, paging, state=state)
    shown = await show_findings(runtime, session, run, rows.rows)
    return rows.page(lambda row: shown[row.load, row.source_id, row.field])


async def visible_run(run_id: RunId, caller: CallerDep, session: SessionDep) -> UUID:
    """The run's id once it is known to be the caller's, because a stream cannot refuse any more."""
    return (await service.find_run(session, caller.tenant_id, run_id)).id


async def one_of_few_streams(caller: CallerDep) -> AsyncIterator[None]:
    """Each stream asks the database twice a second for as long as an hour, so a key has only so many at once."""
    if _streams[caller.key_id] >= MAX_STREAMS:
        raise TooMany(f"This key follows {MAX_STREAMS} runs already; end one, or poll.").with_headers(Retry_After=_POLL)
    _streams[caller.key_id] += 1
    try:
        yield
    finally:
        _streams[caller.key_id] -= 1
        if not _streams[caller.key_id]:
            del _streams[caller.key_id]


@router.get(
    "/runs/{run_id}/events",
    operation_id="follow_run",
    summary="Follow a run",
    dependencies=[require("runs:read")],
    response_class=EventSourceResponse,
)
async def stream_events(
    visible: Annotated[UUID, Depends(visible_run, scope="function")],
    _: Annotated[None, Depends(one_of_few_streams)],
    caller: CallerDep,
    runtime: RuntimeDep,
    last_event_id: Annotated[int | None, Header(ge=0, le=2**63 - 1, description="Continue after this event.")] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: everything that happened, then what happens, until the run has ended. Polling the run is
    the contract, this is the convenience; comments keep the line alive."""
    async for event in follow_run(runtime, caller.tenant_id, visible, last_event_id or 0):
        yield ServerSentEvent(event=event.kind, id=event.id, data=event.data)


@router.post(
    "/runs/{run_id}/pause",
    operation_id="pause_run",
    summary="Pause a run",
    dependencies=[require("runs:write")],
    responses=responses(RunNotSuitable),
)
async def pause_run(
    run_id: RunId, caller: CallerDep, runtime: RuntimeDep, session: SessionDep, _: IdempotencyDep
) -> RunView:
    """Its worker puts it down in good order; `requested` shows that this is still to come."""
    run = await service.find_run(session, caller.tenant_id, run_id, lock=True)
    return await show_run(runtime, session, await service.pause_run(runtime, session, run))


@router.post(
    "/runs/{run_id}/resume",
    operation_id="resume_run",
    summary="Resume a run",
    dependencies=[require("runs:write")],
    responses=responses(RunNotSuitable, AnotherRunActive),
)
async def resume_run(
    run_id: RunId, caller: CallerDep, runtime: RuntimeDep, session: SessionDep, _: IdempotencyDep
) -> RunView:
    """A paused, waiting or failed run goes on where it stopped."""
    run = await service.find_run(session, caller.tenant_id, run_id, lock=True)
    return await show_run(runtime, session, await service.resume_run(runtime, session, run))


@router.post(
    "/runs/{run_id}/cancel",
    operation_id="cancel_run",
    summary="Cancel a run",
    dependencies=[require("runs:write")],
    responses=responses(RunNotSuitable),
)
async def cancel_run(
    run_id: RunId, caller: CallerDep, runtime: RuntimeDep, session: SessionDep, _: IdempotencyDep
) -> RunView:
    """Ends the run; what it has written stays until a rollback."""
    run = await service.find_run(session, caller.tenant_id, run_id, lock=True)
    return await show_run(runtime, session, await service.cancel_run(runtime, session, run))


@router.post(
    "/runs/{run_id}/approve",
    operation_id="approve_run",
    summary="Approve a sample",
    dependencies=[require("mappings:confirm")],
    responses=responses(RunNotSuitable),
)
async def approve_run(
    run_id: RunId, caller: CallerDep, runtime: RuntimeDep, session: SessionDep, _: IdempotencyDep
) -> RunView:
    """Agrees to the sample's diff; that opens the full run of the same mapping version."""
    run = await service.find_run(session, caller.tenant_id, run_id, lock=True)
    await service.approve_run(runtime, session, run, by=caller.key_id)
    return await show_run(runtime, session, run)


@router.get(
    "/engagements/{engagement_id}/audit/proof",
    operation_id="prove_audit",
    summary="Prove the audit log",
    dependencies=[require("audit:read")],
)
async def prove_audit(
    engagement_id: EngagementId,
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,
    source_object: Filter = None,
    source_id: Filter = None,
) -> AuditProofView:
    """Walks the tenant's whole chain of blocks: whether it is whole, where it is not, and one record's history."""
    await find_engagement(session, caller.tenant_id, engagement_id)
    record = (source_object, source_id) if source_object and source_id else None
    return show_proof(await prove(lambda: runtime.db.connection(caller.tenant_id), caller.tenant_id, record))


@router.get(
    "/engagements/{engagement_id}/audit",
    operation_id="export_audit",
    summary="Export the audit log",
    dependencies=[require("audit:read")],
    response_class=StreamingResponse,
    responses=ANSWERS,
)
async def read_audit(
    engagement_id: EngagementId,
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,
    format: Format = "ndjson",
    run_id: Annotated[RunId | None, Query(description="Only this run's entries.")] = None,
) -> StreamingResponse:
    """Every record's source id, destination id, time, owner and reason code; never a value."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id)
    return exported(export_audit(runtime, caller.tenant_id, engagement.id, run_id, as_csv=format == "csv"), format)
