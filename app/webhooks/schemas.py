"""What callers send and see of webhooks and events."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.domain.exact import ExactJson
from app.domain.instants import Moment
from app.identifiers import EngagementId, EventId, RunId, WebhookDeliveryId, WebhookEndpointId
from app.webhooks.kinds import EventType

_URL = r"^https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[1-9][0-9]{0,3}|:[1-5][0-9]{4})?([/?][!-\"$-~]*)?$"
Url = Annotated[
    str,
    Field(
        min_length=8,
        max_length=2000,
        examples=["https://example.com/hooks/tranship"],
        json_schema_extra={"pattern": _URL},  # judged in app.outbound, which also looks where it leads
    ),
]
Events = Annotated[
    list[EventType],
    Field(max_length=len(EventType), description="Which events; empty: all.", examples=[["run.completed"]]),
]


DeliveryPart = Literal["event"]


class EndpointState(StrEnum):
    ENABLED = "enabled"
    DISABLED = "disabled"


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class CreateEndpoint(ExactJson, BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: Url
    events: Events = []


class UpdateEndpoint(ExactJson, BaseModel):
    """Only what is given changes."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    events: Events | None = None
    enabled: bool | None = None


class RotateSecret(ExactJson, BaseModel):
    """For `overlap_hours` every attempt carries a signature of each secret."""

    model_config = ConfigDict(extra="forbid")

    overlap_hours: Annotated[int, Field(ge=0, le=168)] = 24


class ReplaySince(ExactJson, BaseModel):
    model_config = ConfigDict(extra="forbid")

    since: Moment = Field(description="At most 30 days back.", examples=["2026-11-20T00:00:00Z"])


class Endpoint(BaseModel):
    """`failing_since` is the first failure since the last success."""

    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    id: WebhookEndpointId
    url: str
    events: list[str]
    state: EndpointState
    failing_since: datetime | None
    previous_until: datetime | None = Field(description="Until when the secret before the last rotation signs too.")
    created_at: datetime
    updated_at: datetime


class EndpointWithSecret(Endpoint):
    """An endpoint when it is made or its secret rotated; the secret is shown this once."""

    secret: str = Field(examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"])


class AttemptView(BaseModel):
    """`problem` says why there was no success: a status, or dns, connect, tls, timeout, protocol, forbidden."""

    at: datetime
    status: int | None
    problem: str
    milliseconds: int


class Delivery(BaseModel):
    object: Literal["webhook_delivery"] = "webhook_delivery"
    id: WebhookDeliveryId
    endpoint_id: WebhookEndpointId
    event_id: EventId
    event_type: str
    state: DeliveryState
    attempts: list[AttemptView]
    next_at: datetime | None = Field(description="When it is tried next; null when it is not.")
    delivered_at: datetime | None
    created_at: datetime
    event: "EventView | None" = Field(default=None, description="With `expand=event`.")


class Replayed(BaseModel):
    object: Literal["webhook_replay"] = "webhook_replay"
    deliveries: int = Field(ge=0, examples=[12])
    next_since: datetime | None = Field(
        description="Null: that were all. Else the replay stopped before the events from this instant on; ask again "
        "with it."
    )


class EventView(BaseModel):
    """Something that happened. `sequence` grows with every event; `data` holds ids and counts only."""

    object: Literal["event"] = "event"
    id: EventId
    sequence: int
    type: str = Field(examples=["run.completed"])
    engagement_id: EngagementId | None
    run_id: RunId | None
    data: dict[str, Any]
    created_at: datetime


class WebhookMessage(BaseModel):
    """The body of a webhook: thin, read the rest through the API. Verify `webhook-signature` before you believe it."""

    id: EventId
    type: EventType
    timestamp: datetime
    sequence: int = Field(description="Grows with every event; messages may arrive out of order and more than once.")
    data: dict[str, Any]
