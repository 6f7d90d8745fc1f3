"""Endpoints, deliveries and events as callers see them."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.datastructures import MutableHeaders

from app.domain.ids import encode_id
from app.models import Event, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from app.webhooks import service
from app.webhooks.schemas import AttemptView, Delivery, DeliveryState, Endpoint, EventView


def show_endpoint(row: WebhookEndpoint) -> Endpoint:
    return Endpoint.model_validate(row, from_attributes=True)


def show_event(row: Event) -> EventView:
    return EventView.model_validate(row, from_attributes=True)


def show_delivery(row: WebhookDelivery, event: Event, attempts: list[WebhookAttempt], whole: bool = False) -> Delivery:
    """A delivery; `whole` sends its event along."""
    return Delivery(
        id=row.id,
        endpoint_id=row.endpoint_id,
        event_id=row.event_id,
        event_type=event.type,
        state=DeliveryState(row.state),
        attempts=[AttemptView.model_validate(each, from_attributes=True) for each in attempts],
        next_at=row.next_at if row.state == DeliveryState.PENDING else None,
        delivered_at=row.delivered_at,
        created_at=row.created_at,
        event=show_event(event) if whole else None,
    )


async def shown(session: AsyncSession, delivery: WebhookDelivery) -> Delivery:
    events, attempts = await service.delivery_details(session, [delivery])
    return show_delivery(delivery, events[delivery.event_id], attempts.get(delivery.id, []))


def point_to(headers: MutableHeaders, endpoint_id: UUID) -> None:
    """Where accepted deliveries can be watched, and how soon that is worth a look."""
    headers["Location"] = f"/v1/webhook_endpoints/{encode_id('webhook_endpoint', endpoint_id)}/deliveries"
    headers["Retry-After"] = "2"
