"""Endpoints, their deliveries, and the events of the last 30 days."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import Conflict, NotFound
from app.models import Event, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from app.models.columns import new_id
from app.outbound import Resolve, check_target
from app.paging import Paging, Rows, fetch_page
from app.runtime import Runtime
from app.webhooks.kinds import EventType
from app.webhooks.signing import make_secret, seal_secret

EVENTS_KEPT = timedelta(days=30)
MAX_ENDPOINTS = 20
MAX_REPLAYED = 10_000


class TooManyEndpoints(Conflict):
    title = f"A tenant has at most {MAX_ENDPOINTS} endpoints"


class EndpointDisabled(Conflict):
    title = "The endpoint is disabled"


async def create_endpoint(
    runtime: Runtime,
    session: AsyncSession,
    tenant_id: UUID,
    *,
    url: str,
    events: list[str],
    resolve: Resolve | None = None,
) -> tuple[WebhookEndpoint, str]:
    """The endpoint and its signing secret. Raises TargetForbidden, TooManyEndpoints."""
    await check_target(url, allow_loopback=runtime.settings.allow_private_targets, resolve=resolve)
    known = (await session.exec(select(WebhookEndpoint.id).where(WebhookEndpoint.tenant_id == tenant_id))).all()
    if len(known) >= MAX_ENDPOINTS:
        raise TooManyEndpoints("Delete one that is not needed.")
    endpoint_id, secret, now = new_id(), make_secret(), runtime.now()
    endpoint = WebhookEndpoint(
        id=endpoint_id,
        tenant_id=tenant_id,
        url=url,
        events=sorted(set(events)),
        secret=seal_secret(runtime.keys, tenant_id, endpoint_id, secret),
        created_at=now,
        updated_at=now,
    )
    session.add(endpoint)
    await session.flush()
    return endpoint, secret


async def list_endpoints(session: AsyncSession, tenant_id: UUID, paging: Paging) -> Rows[WebhookEndpoint]:
    statement = select(WebhookEndpoint).where(WebhookEndpoint.tenant_id == tenant_id)
    keys = (WebhookEndpoint.created_at, WebhookEndpoint.id)
    return await fetch_page(session, statement, keys, paging, name="webhook_endpoints")


async def get_endpoint(
    session: AsyncSession, tenant_id: UUID, endpoint_id: UUID, *, lock: bool = False
) -> WebhookEndpoint:
    """Raises NotFound."""
    statement = select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id, WebhookEndpoint.tenant_id == tenant_id)
    endpoint = (await session.exec(statement.with_for_update() if lock else statement)).first()
    if endpoint is None:
        raise NotFound("No such webhook endpoint.")
    return endpoint


async def update_endpoint(
    runtime: Runtime,
    session: AsyncSession,
    endpoint: WebhookEndpoint,
    *,
    url: str | None,
    events: list[str] | None,
    enabled: bool | None,
) -> WebhookEndpoint:
    """Changes what is given; enabling forgets past failures. Raises TargetForbidden."""
    if url is not None:
        await check_target(url, allow_loopback=runtime.settings.allow_private_targets)
        endpoint.url = url
    if events is not None:
        endpoint.events = sorted(set(events))
    if enabled is not None:
        endpoint.state = "enabled" if enabled else "disabled"
        endpoint.failing_since = None if enabled else endpoint.failing_since
    endpoint.updated_at = runtime.now()
    session.add(endpoint)
    await session.flush()
    return endpoint


async def delete_endpoint(session: AsyncSession, tenant_id: UUID, endpoint_id: UUID) -> None:
    """Removes an endpoint with its deliveries and attempts. Raises NotFound."""
    await get_endpoint(session, tenant_id, endpoint_id, lock=True)
    connection = await session.connection()
    deliveries = select(WebhookDelivery.id).where(WebhookDelivery.endpoint_id == endpoint_id)
    await connection.execute(delete(WebhookAttempt).where(col(WebhookAttempt.delivery_id).in_(deliveries)))
    await connection.execute(delete(WebhookDelivery).where(col(WebhookDelivery.endpoint_id) == endpoint_id))
    await connection.execute(delete(WebhookEndpoint).where(col(WebhookEndpoint.id) == endpoint_id))


async def rotate_secret(
    runtime: Runtime, session: AsyncSession, endpoint: WebhookEndpoint, *, overlap: timedelta
) -> str:
    """A new secret; until `overlap` has passed every attempt is signed with both."""
    now, secret = runtime.now(), make_secret()
    endpoint.previous_secret = endpoint.secret if overlap else None
    endpoint.previous_until = now + overlap if overlap else None
    endpoint.secret = seal_secret(runtime.keys, endpoint.tenant_id, endpoint.id, secret)
    endpoint.updated_at = now
    session.add(endpoint)
    await session.flush()
    return secret


async def send_test(runtime: Runtime, session: AsyncSession, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """A ping to this endpoint alone, delivered by a worker. Raises EndpointDisabled."""
    now = runtime.now()
    event = Event(tenant_id=endpoint.tenant_id, type=EventType.ENDPOINT_PING, data={}, created_at=now)
    session.add(event)
    await session.flush()
    return await _deliver(session, endpoint, event.id, now)


async def replay_delivery(
    runtime: Runtime, session: AsyncSession, tenant_id: UUID, delivery_id: UUID
) -> WebhookDelivery:
    """The same event to the same endpoint once more, as a delivery of its own. Raises NotFound, EndpointDisabled."""
    old = (
        await session.exec(
            select(WebhookDelivery).where(WebhookDelivery.id == delivery_id, WebhookDelivery.tenant_id == tenant_id)
        )
    ).first()
    if old is None:
        raise NotFound("No such delivery.")
    endpoint = await get_endpoint(session, tenant_id, old.endpoint_id)
    return await _deliver(session, endpoint, old.event_id, runtime.now())


async def replay_since(
    runtime: Runtime, session: AsyncSession, endpoint: WebhookEndpoint, since: datetime
) -> tuple[int, datetime | None]:
    """Every event since then that the endpoint wants, oldest first, at most MAX_REPLAYED: how many that were, and the
    instant of the first one left out. Raises EndpointDisabled."""
    _require_enabled(endpoint)
    now = runtime.now()
    wanted = (
        select(Event.id, Event.created_at)
        .where(Event.tenant_id == endpoint.tenant_id, Event.created_at >= max(since, now - EVENTS_KEPT))
        .where(Event.type != EventType.ENDPOINT_PING)
        .order_by(col(Event.created_at), col(Event.sequence))
        .limit(MAX_REPLAYED + 1)
    )
    if endpoint.events:
        wanted = wanted.where(col(Event.type).in_(endpoint.events))
    found = (await session.exec(wanted)).all()
    events = found[:MAX_REPLAYED]
    if events:
        await (await session.connection()).execute(
            insert(WebhookDelivery),
            [
                {"id": new_id(), "tenant_id": endpoint.tenant_id, "endpoint_id": endpoint.id, "event_id": event_id}
                | {"state": "pending", "attempts": 0, "next_at": now, "created_at": now}
                for event_id, _ in events
            ],
        )
    return len(events), found[MAX_REPLAYED][1] if len(found) > MAX_REPLAYED else None


async def list_deliveries(
    session: AsyncSession, tenant_id: UUID, endpoint_id: UUID, state: str | None, paging: Paging
) -> tuple[Rows[WebhookDelivery], dict[UUID, Event], dict[UUID, list[WebhookAttempt]]]:
    """A page of deliveries, their events, and the attempts of each, oldest first. Raises NotFound."""
    await get_endpoint(session, tenant_id, endpoint_id)
    statement = select(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.tenant_id == tenant_id
    )
    if state is not None:
        statement = statement.where(WebhookDelivery.state == state)
    keys = (WebhookDelivery.created_at, WebhookDelivery.id)
    rows = await fetch_page(session, statement, keys, paging, name=f"deliveries:{endpoint_id}:{state}")
    events, attempts = await delivery_details(session, rows.rows)
    return rows, events, attempts


async def delivery_details(
    session: AsyncSession, deliveries: list[WebhookDelivery]
) -> tuple[dict[UUID, Event], dict[UUID, list[WebhookAttempt]]]:
    """The events behind deliveries by id, and the attempts of each delivery, oldest first."""
    events = await session.exec(select(Event).where(col(Event.id).in_([each.event_id for each in deliveries])))
    found = await session.exec(
        select(WebhookAttempt)
        .where(col(WebhookAttempt.delivery_id).in_([each.id for each in deliveries]))
        .order_by(col(WebhookAttempt.at), col(WebhookAttempt.id))
    )
    attempts: dict[UUID, list[WebhookAttempt]] = {}
    for attempt in found.all():
        attempts.setdefault(attempt.delivery_id, []).append(attempt)
    return {event.id: event for event in events.all()}, attempts


async def list_events(
    runtime: Runtime,
    session: AsyncSession,
    tenant_id: UUID,
    paging: Paging,
    *,
    type: str | None = None,
    engagement_id: UUID | None = None,
    run_id: UUID | None = None,
    created_after: datetime | None = None,
) -> Rows[Event]:
    """Events of the last 30 days, newest first."""
    oldest = runtime.now() - EVENTS_KEPT
    statement = select(Event).where(Event.tenant_id == tenant_id, Event.created_at >= oldest)
    filters = {"type": type, "engagement_id": engagement_id, "run_id": run_id}
    for name, value in filters.items():
        if value is not None:
            statement = statement.where(getattr(Event, name) == value)
    if created_after is not None:
        statement = statement.where(Event.created_at > created_after)
    name = f"events:{type}:{engagement_id}:{run_id}:{created_after}"
    return await fetch_page(session, statement, (Event.sequence,), paging, name=name)


async def _deliver(session: AsyncSession, endpoint: WebhookEndpoint, event_id: UUID, now: datetime) -> WebhookDelivery:
    _require_enabled(endpoint)
    delivery = WebhookDelivery(
        tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, event_id=event_id, next_at=now, created_at=now
    )
    session.add(delivery)
    await session.flush()
    return delivery


def _require_enabled(endpoint: WebhookEndpoint) -> None:
    if endpoint.state != "enabled":
        raise EndpointDisabled("Enable the endpoint first (PATCH with `enabled: true`).")
