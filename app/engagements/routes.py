"""Routes of engagements and their connections."""

from dataclasses import asdict

from fastapi import Response

from app.dependencies import CallerDep, IdempotencyDep, IfMatchDep, PagingDep, RuntimeDep, SessionDep, require
from app.domain.lifecycle import EngagementState
from app.engagements import connections, service
from app.engagements.facts import Facts, gather, gather_light
from app.engagements.problems import EditionWithoutApiAccess, PlatformRefuses
from app.engagements.road import RoadStep, next_step, road
from app.engagements.schemas import (
    Call,
    ConnectionPut,
    ConnectionView,
    DueItem,
    EngagementCreate,
    EngagementPatch,
    EngagementSummary,
    EngagementView,
    Role,
    Step,
)
from app.engagements.standing import EngagementNotThere, calendar_of, due_now, state_of
from app.errors import (
    AnotherRunActive,
    CredentialsRejected,
    Invalid,
    PlatformProblem,
    PlatformUnreachable,
    PreconditionMissing,
    Stale,
    StepMissing,
    TargetForbidden,
    UnknownPair,
    UnknownPlatform,
)
from app.etags import require_match
from app.identifiers import EngagementId
from app.models.engagement import Connection, Engagement
from app.paging import Page
from app.problems import responses
from app.routing import api_router
from app.runtime import Runtime

router = api_router("/engagements", "engagements")


def _summary(engagement: Engagement, facts: Facts) -> EngagementSummary:
    fields = engagement.model_dump(include={"id", "name", "source", "destination", "created_at", "updated_at"})
    return EngagementSummary(**fields, state=state_of(facts))


def _view(runtime: Runtime, engagement: Engagement, facts: Facts, response: Response) -> EngagementView:
    response.headers["ETag"] = service.engagement_tag(engagement)
    steps = road(facts)
    following = next_step(steps)
    active = next((run.id for run in facts.runs if run.active), None)
    return EngagementView(
        **_summary(engagement, facts).model_dump(exclude={"object", "id"}),
        id=engagement.id,
        quote_id=engagement.quote_id,
        calendar=calendar_of(engagement.calendar, facts),
        due=[DueItem(**item.model_dump()) for item in due_now(engagement.calendar, facts, runtime.now())],
        next_step=_step(following) if following else None,
        road=[_step(step) for step in steps],
        active_run_id=active,
        approved_run_id=engagement.approved_run_id,
        approved_at=engagement.approved_at,
        extraction_mark=engagement.extraction_mark,
        purged_at=engagement.purged_at,
    )


def _step(step: RoadStep) -> Step:
    call = Call(**asdict(step.call)) if step.call else None
    return Step(key=step.key, title=step.title, state=step.state, reason=step.reason, call=call)


def _connection(connection: Connection) -> ConnectionView:
    hidden = {"tenant_id", "credentials", "token", "budget", "created_at", "problem"}
    return ConnectionView(
        **connection.model_dump(exclude=hidden),
        has_credentials=connection.credentials is not None,
        problem=connection.problem or None,
    )


@router.post(
    "",
    operation_id="create_engagement",
    summary="Create an engagement",
    status_code=201,
    dependencies=[require("engagements:write")],
    responses=responses(UnknownPlatform, UnknownPair, service.QuoteNotUsable),
)
async def create_engagement(
    body: EngagementCreate,
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,
    response: Response,
    _: IdempotencyDep,
) -> EngagementView:
    """One company's move from one platform to another, with a calendar and a data key of its own."""
    engagement = await service.create_engagement(
        runtime,
        session,
        caller.tenant_id,
        name=body.name,
        source=body.source,
        destination=body.destination,
        quote_id=body.quote_id,
        calendar=body.calendar,
    )
    view = _view(runtime, engagement, await gather(runtime, session, engagement), response)
    response.headers["Location"] = f"/v1/engagements/{view.model_dump()['id']}"
    return view


@router.get("", operation_id="list_engagements", summary="List engagements", dependencies=[require("engagements:read")])
async def list_engagements(caller: CallerDep, session: SessionDep, paging: PagingDep) -> Page[EngagementSummary]:
    """The newest first."""
    rows = await service.list_engagements(session, caller.tenant_id, paging)
    facts = await gather_light(session, rows.rows)
    return rows.page(lambda engagement: _summary(engagement, facts[engagement.id]))


@router.get(
    "/{engagement_id}",
    operation_id="get_engagement",
    summary="See where an engagement stands",
    dependencies=[require("engagements:read")],
)
async def get_engagement(
    engagement_id: EngagementId, caller: CallerDep, runtime: RuntimeDep, session: SessionDep, response: Response
) -> EngagementView:
    """State, what is due, the next step with the exact call to make, and every step of the road."""
    engagement = await service.find_engagement(session, caller.tenant_id, engagement_id)
    return _view(runtime, engagement, await gather(runtime, session, engagement), response)


@router.patch(
    "/{engagement_id}",
    operation_id="update_engagement",
    summary="Change name, calendar or state",
    dependencies=[require("engagements:write")],
    responses=responses(Stale, PreconditionMissing, EngagementNotThere),
)
async def update_engagement(
    engagement_id: EngagementId,
    body: EngagementPatch,
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,
    response: Response,
    if_match: IfMatchDep = None,
) -> EngagementView:
    """Absent members stay as they are."""
    engagement = await service.find_engagement(session, caller.tenant_id, engagement_id, lock=True)
    require_match(if_match, service.engagement_tag(engagement))
    state = EngagementState(body.state) if body.state else None
    await service.change_engagement(runtime, session, engagement, name=body.name, calendar=body.calendar, state=state)
    return _view(runtime, engagement, await gather(runtime, session, engagement), response)


@router.put(
    "/{engagement_id}/connections/{role}",
    operation_id="put_connection",
    summary="Connect an account",
    dependencies=[require("engagements:write")],
    responses=responses(AnotherRunActive, Invalid, TargetForbidden),
)
async def put_connection(
    engagement_id: EngagementId,
    role: Role,
    body: ConnectionPut,
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,
) -> ConnectionView:
    """Stores config and credentials, sealed. The connection has to be tested again afterwards."""
    engagement = await service.find_engagement(session, caller.tenant_id, engagement_id, lock=True)
    connection = await connections.put_connection(
        runtime,
        session,
        engagement,
        role,
        platform=body.platform,
        name=body.name,
        config=body.config,
        credentials=body.credentials,
    )
    return _connection(connection)


@router.get(
    "/{engagement_id}/connections/{role}",
    operation_id="get_connection",
    summary="See a connection",
    dependencies=[require("engagements:read")],
)
async def get_connection(
    engagement_id: EngagementId, role: Role, caller: CallerDep, session: SessionDep
) -> ConnectionView:
    """Config, state and what the platform said; never the credentials."""
    engagement = await service.find_engagement(session, caller.tenant_id, engagement_id)
    return _connection(await connections.find_connection(session, engagement, role))


@router.post(
    "/{engagement_id}/connections/{role}/test",
    operation_id="test_connection",
    summary="Prove a connection",
    dependencies=[require("engagements:write")],
    responses=responses(
        StepMissing,
        CredentialsRejected,
        PlatformRefuses,
        EditionWithoutApiAccess,
        TargetForbidden,
        PlatformUnreachable,
        PlatformProblem,
    ),
)
async def test_connection(
    engagement_id: EngagementId, role: Role, caller: CallerDep, runtime: RuntimeDep
) -> ConnectionView:
    """Signs in at the platform and reads the account's facts. May be repeated freely, so it needs no key."""
    return _connection(await connections.prove_connection(runtime, caller.tenant_id, engagement_id, role))
