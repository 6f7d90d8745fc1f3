"""Routes of engagements and their connections."""

from typing import Annotated

from fastapi import Query, Response

from app.dependencies import (
    EXPAND,
    CallerDep,
    IdempotencyDep,
    IfMatchDep,
    PagingDep,
    RuntimeDep,
    SessionDep,
    require,
)
from app.domain.lifecycle import EngagementState
from app.engagements import connections, service
from app.engagements.facts import gather_light
from app.engagements.problems import EditionWithoutApiAccess, PlatformRefuses
from app.engagements.schemas import (
    ConnectionPut,
    ConnectionView,
    EngagementCreate,
    EngagementPart,
    EngagementPatch,
    EngagementSummary,
    EngagementView,
    Role,
    Slug,
)
from app.engagements.standing import EngagementNotThere
from app.engagements.views import show_connection, show_standing, show_summary
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
from app.paging import Page
from app.problems import responses
from app.routing import api_router

router = api_router("/engagements", "engagements")


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
    response.headers["ETag"] = service.engagement_tag(engagement)
    view = await show_standing(runtime, session, engagement)
    response.headers["Location"] = f"/v1/engagements/{view.model_dump()['id']}"
    return view


@router.get("", operation_id="list_engagements", summary="List engagements", dependencies=[require("engagements:read")])
async def list_engagements(
    caller: CallerDep,
    session: SessionDep,
    paging: PagingDep,
    source: Annotated[Slug | None, Query(description="Only those from this platform.")] = None,
    destination: Annotated[Slug | None, Query(description="Only those to this platform.")] = None,
) -> Page[EngagementSummary]:
    """The newest first."""
    rows = await service.list_engagements(session, caller.tenant_id, paging, source=source, destination=destination)
    facts = await gather_light(session, rows.rows)
    return rows.page(lambda engagement: show_summary(engagement, facts[engagement.id]))


@router.get(
    "/{engagement_id}",
    operation_id="get_engagement",
    summary="See where an engagement stands",
    dependencies=[require("engagements:read")],
)
async def get_engagement(
    engagement_id: EngagementId,
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,
    response: Response,
    expand: Annotated[list[EngagementPart], EXPAND] = [],  # noqa: B006  the framework copies it
) -> EngagementView:
    """State, what is due, the next step with the exact call to make, and every step of the road."""
    engagement = await service.find_engagement(session, caller.tenant_id, engagement_id)
    response.headers["ETag"] = service.engagement_tag(engagement)
    view = await show_standing(runtime, session, engagement)
    if "connections" in expand:
        view.connections = [show_connection(each) for each in await connections.list_connections(session, engagement)]
    return view


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
    response.headers["ETag"] = service.engagement_tag(engagement)
    return await show_standing(runtime, session, engagement)


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
    return show_connection(connection)


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
    return show_connection(await connections.find_connection(session, engagement, role))


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
    return show_connection(await connections.prove_connection(runtime, caller.tenant_id, engagement_id, role))
