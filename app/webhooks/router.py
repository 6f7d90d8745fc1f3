"""Routes of webhook endpoints, their deliveries, and the event stream."""

from datetime import timedelta
from typing import Annotated

from fastapi import Query, Response

from app.dependencies import EXPAND, CallerDep, IdempotencyDep, PagingDep, RuntimeDep, SessionDep, require
from app.domain.ids import encode_id
from app.domain.instants import Moment
from app.errors import IdempotencyKeyMissing, IdempotencyKeyReused, RequestInFlight, TargetForbidden
from app.identifiers import EngagementId, RunId, WebhookDeliveryId, WebhookEndpointId
from app.paging import Page
from app.problems import responses
from app.routing import api_router
from app.webhooks import service, views
from app.webhooks.kinds import EventType
from app.webhooks.schemas import (
    CreateEndpoint,
    Delivery,
    DeliveryPart,
    DeliveryState,
    Endpoint,
    EndpointWithSecret,
    EventView,
    Replayed,
    ReplaySince,
    RotateSecret,
    UpdateEndpoint,
)

router = api_router("", "webhooks")
READ, WRITE = require("webhooks:read"), require("webhooks:write")
REPEATABLE = (IdempotencyKeyMissing, RequestInFlight, IdempotencyKeyReused)


@router.post(
    "/webhook_endpoints",
    operation_id="create_webhook_endpoint",
    summary="Create a webhook endpoint",
    status_code=201,
    dependencies=[WRITE],
    responses=responses(*REPEATABLE, service.TooManyEndpoints, TargetForbidden),
)
async def create_webhook_endpoint(
    body: CreateEndpoint,
    caller: CallerDep,
    session: SessionDep,
    runtime: RuntimeDep,
    response: Response,
    _: IdempotencyDep,
) -> EndpointWithSecret:
    """The answer holds the signing secret, this once."""
    endpoint, secret = await service.create_endpoint(
        runtime, session, caller.tenant_id, url=body.url, events=[*body.events]
    )
    response.headers["Location"] = f"/v1/webhook_endpoints/{encode_id('webhook_endpoint', endpoint.id)}"
    return EndpointWithSecret(**views.show_endpoint(endpoint).model_dump(mode="python"), secret=secret)


@router.get(
    "/webhook_endpoints", operation_id="list_webhook_endpoints", summary="List webhook endpoints", dependencies=[READ]
)
async def list_webhook_endpoints(caller: CallerDep, session: SessionDep, paging: PagingDep) -> Page[Endpoint]:
    return (await service.list_endpoints(session, caller.tenant_id, paging)).page(views.show_endpoint)


@router.get(
    "/webhook_endpoints/{endpoint_id}",
    operation_id="get_webhook_endpoint",
    summary="Get a webhook endpoint",
    dependencies=[READ],
)
async def get_webhook_endpoint(endpoint_id: WebhookEndpointId, caller: CallerDep, session: SessionDep) -> Endpoint:
    return views.show_endpoint(await service.get_endpoint(session, caller.tenant_id, endpoint_id))


@router.patch(
    "/webhook_endpoints/{endpoint_id}",
    operation_id="update_webhook_endpoint",
    summary="Change, disable or enable a webhook endpoint",
    dependencies=[WRITE],
    responses=responses(TargetForbidden),
)
async def update_webhook_endpoint(
    endpoint_id: WebhookEndpointId, body: UpdateEndpoint, caller: CallerDep, session: SessionDep, runtime: RuntimeDep
) -> Endpoint:
    endpoint = await service.get_endpoint(session, caller.tenant_id, endpoint_id, lock=True)
    events = None if body.events is None else [*map(str, body.events)]
    return views.show_endpoint(
        await service.update_endpoint(runtime, session, endpoint, url=body.url, events=events, enabled=body.enabled)
    )


@router.delete(
    "/webhook_endpoints/{endpoint_id}",
    operation_id="delete_webhook_endpoint",
    summary="Delete a webhook endpoint and its deliveries",
    status_code=204,
    response_class=Response,
    dependencies=[WRITE],
)
async def delete_webhook_endpoint(endpoint_id: WebhookEndpointId, caller: CallerDep, session: SessionDep) -> None:
    await service.delete_endpoint(session, caller.tenant_id, endpoint_id)


@router.post(
    "/webhook_endpoints/{endpoint_id}/test",
    operation_id="test_webhook_endpoint",
    summary="Send a ping to a webhook endpoint",
    status_code=202,
    dependencies=[WRITE],
    responses=responses(*REPEATABLE, service.EndpointDisabled),
)
async def ping_webhook_endpoint(
    endpoint_id: WebhookEndpointId,
    caller: CallerDep,
    session: SessionDep,
    runtime: RuntimeDep,
    response: Response,
    _: IdempotencyDep,
) -> Delivery:
    """A worker delivers it within a second or two; see the endpoint's deliveries for the attempt."""
    endpoint = await service.get_endpoint(session, caller.tenant_id, endpoint_id)
    delivery = await service.send_test(runtime, session, endpoint)
    views.point_to(response.headers, delivery.endpoint_id)
    return await views.shown(session, delivery)


@router.post(
    "/webhook_endpoints/{endpoint_id}/rotate_secret",
    operation_id="rotate_webhook_secret",
    summary="Replace the signing secret, with an overlap",
    dependencies=[WRITE],
    responses=responses(*REPEATABLE),
)
async def rotate_webhook_secret(
    endpoint_id: WebhookEndpointId,
    body: RotateSecret,
    caller: CallerDep,
    session: SessionDep,
    runtime: RuntimeDep,
    _: IdempotencyDep,
) -> EndpointWithSecret:
    endpoint = await service.get_endpoint(session, caller.tenant_id, endpoint_id, lock=True)
    secret = await service.rotate_secret(runtime, session, endpoint, overlap=timedelta(hours=body.overlap_hours))
    return EndpointWithSecret(**views.show_endpoint(endpoint).model_dump(mode="python"), secret=secret)


@router.post(
    "/webhook_endpoints/{endpoint_id}/replay",
    operation_id="replay_webhook_endpoint",
    summary="Deliver all events since an instant again",
    status_code=202,
    dependencies=[WRITE],
    responses=responses(*REPEATABLE, service.EndpointDisabled),
)
async def replay_webhook_endpoint(
    endpoint_id: WebhookEndpointId,
    body: ReplaySince,
    caller: CallerDep,
    session: SessionDep,
    runtime: RuntimeDep,
    response: Response,
    _: IdempotencyDep,
) -> Replayed:
    """Oldest first, ten thousand in one request; `next_since` says where to go on."""
    endpoint = await service.get_endpoint(session, caller.tenant_id, endpoint_id)
    count, rest = await service.replay_since(runtime, session, endpoint, body.since)
    views.point_to(response.headers, endpoint.id)
    return Replayed(deliveries=count, next_since=rest)


@router.get(
    "/webhook_endpoints/{endpoint_id}/deliveries",
    operation_id="list_webhook_deliveries",
    summary="List deliveries with their attempts",
    dependencies=[READ],
)
async def list_webhook_deliveries(
    endpoint_id: WebhookEndpointId,
    caller: CallerDep,
    session: SessionDep,
    paging: PagingDep,
    state: Annotated[DeliveryState | None, Query()] = None,
    expand: Annotated[list[DeliveryPart], EXPAND] = [],  # noqa: B006  the framework copies it
) -> Page[Delivery]:
    rows, events, attempts = await service.list_deliveries(session, caller.tenant_id, endpoint_id, state, paging)
    whole = "event" in expand
    return rows.page(lambda row: views.show_delivery(row, events[row.event_id], attempts.get(row.id, []), whole))


@router.post(
    "/webhook_deliveries/{delivery_id}/replay",
    operation_id="replay_webhook_delivery",
    summary="Deliver one event again",
    status_code=202,
    dependencies=[WRITE],
    responses=responses(*REPEATABLE, service.EndpointDisabled),
)
async def replay_webhook_delivery(
    delivery_id: WebhookDeliveryId,
    caller: CallerDep,
    session: SessionDep,
    runtime: RuntimeDep,
    response: Response,
    _: IdempotencyDep,
) -> Delivery:
    delivery = await service.replay_delivery(runtime, session, caller.tenant_id, delivery_id)
    views.point_to(response.headers, delivery.endpoint_id)
    return await views.shown(session, delivery)


@router.get("/events", operation_id="list_events", summary="List the events of 30 days", dependencies=[READ])
async def list_events(
    caller: CallerDep,
    session: SessionDep,
    runtime: RuntimeDep,
    paging: PagingDep,
    type: Annotated[EventType | None, Query()] = None,
    engagement_id: Annotated[EngagementId | None, Query()] = None,
    run_id: Annotated[RunId | None, Query()] = None,
    created_after: Annotated[Moment | None, Query()] = None,
) -> Page[EventView]:
    """Newest first: the safety net for whoever missed a webhook."""
    rows = await service.list_events(
        runtime,
        session,
        caller.tenant_id,
        paging,
        type=type,
        engagement_id=engagement_id,
        run_id=run_id,
        created_after=created_after,
    )
    return rows.page(views.show_event)
